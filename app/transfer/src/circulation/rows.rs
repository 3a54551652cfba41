//! The rows that lines create or change.

use super::Tally;
use crate::differences::changed_columns;
use chrono::NaiveDate;
use db::bulk_insert::{MAX_PARAMETERS, insert};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, DatabaseTransaction, DbErr, EntityTrait, IdenStatic as _, Insert, IntoActiveModel,
    Iterable, ModelTrait,
};

/// A row about something that a user began, and that ends.
pub(super) trait Row: ModelTrait + PartialEq {
    /// Returns the id.
    fn id(&self) -> i64;

    /// Returns the day on which it was returned, closed or settled. `None` means that it is open.
    fn ended_on(&self) -> Option<NaiveDate>;
}

/// The new and changed rows of a chunk.
pub(super) struct Rows<E: EntityTrait> {
    created: Vec<E::Model>,
    changed: Vec<E::Model>,
}

impl<E: EntityTrait> Rows<E>
where
    E::Model: IntoActiveModel<E::ActiveModel> + Row<Entity = E>,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
{
    pub(super) const fn new() -> Self {
        Self { created: Vec::new(), changed: Vec::new() }
    }

    /// Adds a row as its line has it. Counts it, and returns whether it is new or differs from the row before.
    pub(super) fn add(
        &mut self,
        line: u64,
        (before, after): (Option<E::Model>, E::Model),
        tally: &mut Tally,
    ) -> bool {
        let Some(before) = before else {
            tally.summary.created += 1;
            tally.differences.add_new(line);
            self.created.push(after);
            return true;
        };
        if before == after {
            tally.summary.unchanged += 1;
            return false;
        }
        tally.summary.changed += 1;
        tally.differences.add_changed(line, &changed_columns(&before, &after));
        self.changed.push(after);
        true
    }

    /// Writes the rows with few statements. `key` is the primary key, which the database assigns.
    pub(super) async fn write(self, tx: &DatabaseTransaction, key: E::Column) -> Result<(), DbErr> {
        let created = self.created.into_iter().map(|row| {
            let mut row = row.into_active_model();
            row.not_set(key);
            row
        });
        // Collected, because the future of an import moves between threads.
        insert(tx, created.collect::<Vec<_>>()).await?;
        let columns: Vec<E::Column> =
            E::Column::iter().filter(|column| column.as_str() != key.as_str()).collect();
        let most = MAX_PARAMETERS / (columns.len() + 1);
        let mut changed = self.changed.into_iter().peekable();
        while changed.peek().is_some() {
            let some: Vec<E::Model> = changed.by_ref().take(most).collect();
            let conflict = OnConflict::column(key).update_columns(columns.iter().copied()).to_owned();
            Insert::<E::ActiveModel>::many(some).on_conflict(conflict).exec_without_returning(tx).await?;
        }
        Ok(())
    }
}
