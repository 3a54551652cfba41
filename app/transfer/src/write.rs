//! Writes changed rows.

use db::bulk_insert::MAX_PARAMETERS;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, DatabaseTransaction, DbErr, EntityTrait, IdenStatic as _, Insert, IntoActiveModel,
    Iterable,
};

/// Updates existing rows with few statements. `key` is the primary key.
pub(super) async fn update_rows<E: EntityTrait>(
    tx: &DatabaseTransaction,
    key: E::Column,
    changed: Vec<E::Model>,
) -> Result<(), DbErr>
where
    E::Model: IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
{
    let columns: Vec<E::Column> =
        E::Column::iter().filter(|column| column.as_str() != key.as_str()).collect();
    let most = MAX_PARAMETERS / (columns.len() + 1);
    let mut changed = changed.into_iter().peekable();
    while changed.peek().is_some() {
        let some: Vec<E::Model> = changed.by_ref().take(most).collect();
        let conflict = OnConflict::column(key).update_columns(columns.iter().copied()).to_owned();
        Insert::<E::ActiveModel>::many(some).on_conflict(conflict).exec_without_returning(tx).await?;
    }
    Ok(())
}
