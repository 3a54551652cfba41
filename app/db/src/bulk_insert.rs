//! Inserting many rows with few statements.

use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, Insert, IntoActiveModel, Iterable};

/// The maximum number of parameters in one statement. SQLite accepts 32,766, PostgreSQL 65,535.
pub const MAX_PARAMETERS: usize = 4_000;

/// Inserts rows into one table, in batches below [`MAX_PARAMETERS`]. All rows must set the same columns.
pub async fn insert<M, A>(db: &impl ConnectionTrait, rows: impl IntoIterator<Item = M>) -> Result<(), DbErr>
where
    M: IntoActiveModel<A>,
    A: ActiveModelTrait,
{
    let most = MAX_PARAMETERS / <A::Entity as EntityTrait>::Column::iter().count().max(1);
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let some: Vec<M> = rows.by_ref().take(most).collect();
        Insert::<A>::many(some).exec_without_returning(db).await?;
    }
    Ok(())
}
