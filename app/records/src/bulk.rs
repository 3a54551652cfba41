//! Many rows in few statements.

use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, Insert, IntoActiveModel, Iterable};

/// The most parameters of one statement. SQLite takes 32,766, PostgreSQL 65,535.
pub(crate) const MOST_PARAMETERS: usize = 4_000;

/// Inserts rows of one table, as many in one statement as the databases take. All of them set the same columns.
pub(crate) async fn insert<M, A>(
    db: &impl ConnectionTrait,
    rows: impl IntoIterator<Item = M>,
) -> Result<(), DbErr>
where
    M: IntoActiveModel<A>,
    A: ActiveModelTrait,
{
    let most = MOST_PARAMETERS / <A::Entity as EntityTrait>::Column::iter().count().max(1);
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let some: Vec<M> = rows.by_ref().take(most).collect();
        Insert::<A>::many(some).exec_without_returning(db).await?;
    }
    Ok(())
}
