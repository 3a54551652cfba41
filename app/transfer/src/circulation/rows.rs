//! The rows that lines create or change.

use super::Tally;
use crate::differences::changed_columns;
use crate::guard::LEGAL_HOLD;
use chrono::NaiveDate;
use db::bulk_insert::{MAX_PARAMETERS, insert};
use policy::personal_data::{self, ErasureAction};
use safeguards::legal_hold;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, DatabaseTransaction, DbErr, EntityName as _, EntityTrait, IdenStatic as _, Insert,
    IntoActiveModel, Iterable, ModelTrait,
};
use std::collections::HashSet;

/// A row about something that a user began, and that ends.
pub(super) trait Row: ModelTrait + PartialEq {
    /// Returns the id.
    fn id(&self) -> i64;

    /// Returns the number of the user.
    fn user(&self) -> i64;

    /// Returns the day on which it was returned, closed or settled. `None` means that it is open.
    fn ended_on(&self) -> Option<NaiveDate>;
}

/// The new and changed rows of a chunk.
pub(super) struct Rows<E: EntityTrait> {
    created: Vec<E::Model>,
    changed: Vec<E::Model>,
    /// Users under a legal hold.
    held: HashSet<i64>,
}

impl<E: EntityTrait> Rows<E>
where
    E::Model: IntoActiveModel<E::ActiveModel> + Row<Entity = E>,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
{
    /// Begins a chunk whose lines belong to these rows.
    pub(super) async fn begin(tx: &DatabaseTransaction, before: &[Option<E::Model>]) -> Result<Self, DbErr> {
        let users: HashSet<i64> = before.iter().flatten().map(Row::user).collect();
        let held = legal_hold::in_force_among(tx, users.into_iter()).await?;
        Ok(Self { created: Vec::new(), changed: Vec::new(), held })
    }

    /// Adds a row as its line has it, unless a legal hold protects the row. Counts it, and returns whether it is new or
    /// differs from the row before.
    pub(super) fn add(
        &mut self,
        line: u64,
        (before, after): (Option<E::Model>, E::Model),
        tally: &mut Tally,
    ) -> bool {
        let Some(before) = before else {
            tally.summary.created += 1;
            tally.differences.add_new(line);
            tally.ends.add_new(after.ended_on());
            self.created.push(after);
            return true;
        };
        if before == after {
            tally.summary.unchanged += 1;
            return false;
        }
        if self.held.contains(&before.user()) && overwrites(&before, &after) {
            tally.summary.held += 1;
            tally.report.skip(line, LEGAL_HOLD);
            return false;
        }
        tally.summary.changed += 1;
        tally.differences.add_changed(line, &changed_columns(&before, &after));
        tally.ends.add_changed(before.ended_on(), after.ended_on());
        self.changed.push(after);
        true
    }

    /// Writes the rows with few statements. `key` is the primary key, which the database assigns.
    pub(super) async fn write(mut self, tx: &DatabaseTransaction, key: E::Column) -> Result<(), DbErr> {
        // In the order of the largest index, so that its pages are read and written once. The rows of one user stay in
        // file order.
        self.created.sort_by_key(Row::user);
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

/// Returns whether a line overwrites or removes a value that a legal hold protects: one that anonymising removes.
fn overwrites<M: ModelTrait>(before: &M, after: &M) -> bool {
    let table = M::Entity::default();
    <M::Entity as EntityTrait>::Column::iter().any(|column| {
        let entry = personal_data::column(table.table_name(), column.as_str());
        let is_removed = entry.is_none_or(|entry| entry.action != ErasureAction::Keep);
        let was = before.get(column);
        is_removed && was != was.as_null() && was != after.get(column)
    })
}
