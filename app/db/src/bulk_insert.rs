//! Inserting many rows with few statements.

use crate::dialect;
use sea_orm::sea_query::Value;
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, ConnectionTrait, DatabaseBackend, DbErr, EntityName,
    EntityTrait, IdenStatic, IntoActiveModel, Iterable, QueryResult, Statement,
};

/// The maximum number of parameters in one statement. SQLite accepts 32,766, PostgreSQL 65,535.
pub const MAX_PARAMETERS: usize = 4_000;

/// The maximum number of values that one statement inserts.
const MAX_VALUES: usize = 16_000;

/// Inserts rows into one table, some thousand values at a time. All rows must set the same columns.
pub async fn insert<M, A>(db: &impl ConnectionTrait, rows: impl IntoIterator<Item = M>) -> Result<(), DbErr>
where
    M: IntoActiveModel<A>,
    A: ActiveModelTrait,
{
    for statement in statements(db.get_database_backend(), rows, "", |_, most| most) {
        db.execute_raw(statement).await?;
    }
    Ok(())
}

/// Inserts rows like [`insert`], with statements that recur although each call has another number of rows. The clause
/// `on_conflict` says what becomes of rows that exist.
pub async fn insert_on_conflict<M, A>(
    db: &impl ConnectionTrait,
    rows: impl IntoIterator<Item = M>,
    on_conflict: &str,
) -> Result<(), DbErr>
where
    M: IntoActiveModel<A>,
    A: ActiveModelTrait,
{
    let backend = db.get_database_backend();
    let recurring = |columns, most| dialect::rows_of_recurring_statement(backend, columns, most);
    for statement in statements(backend, rows, on_conflict, recurring) {
        db.execute_raw(statement).await?;
    }
    Ok(())
}

/// Inserts rows like [`insert`], and returns these columns of them.
pub async fn insert_returning<M, A>(
    db: &impl ConnectionTrait,
    rows: impl IntoIterator<Item = M>,
    returned: &[<A::Entity as EntityTrait>::Column],
) -> Result<Vec<QueryResult>, DbErr>
where
    M: IntoActiveModel<A>,
    A: ActiveModelTrait,
{
    let returned: Vec<&str> = returned.iter().map(IdenStatic::as_str).collect();
    let mut found = Vec::new();
    let clause = format!("RETURNING {}", returned.join(", "));
    for statement in statements(db.get_database_backend(), rows, &clause, |_, most| most) {
        found.extend(db.query_all_raw(statement).await?);
    }
    Ok(found)
}

/// Returns the statements, which end with a clause. Those of full batches have the same text, so that the database
/// parses it once.
///
/// `count` returns the number of rows of a statement, from the number of columns and the maximum.
fn statements<M, A>(
    backend: DatabaseBackend,
    rows: impl IntoIterator<Item = M>,
    clause: &str,
    count: impl Fn(usize, usize) -> usize,
) -> Vec<Statement>
where
    M: IntoActiveModel<A>,
    A: ActiveModelTrait,
{
    let rows: Vec<A> = rows.into_iter().map(IntoActiveModel::into_active_model).collect();
    let Some(first) = rows.first() else { return Vec::new() };
    let columns: Vec<_> = <A::Entity as EntityTrait>::Column::iter()
        .filter(|column| !matches!(first.get(*column), ActiveValue::NotSet))
        .collect();
    let names: Vec<&str> = columns.iter().map(IdenStatic::as_str).collect();
    let types: Vec<_> = columns.iter().map(|column| column.def().get_column_type().clone()).collect();
    let into = format!("INSERT INTO {} ({})", A::Entity::default().table_name(), names.join(", "));
    let most = (MAX_VALUES / columns.len().max(1)).max(1);
    let mut statements = Vec::new();
    let mut left = rows.len();
    let mut rows = rows.into_iter();
    while left > 0 {
        let count = count(columns.len(), left.min(most));
        left -= count;
        let mut values = Vec::with_capacity(count * columns.len());
        for mut row in rows.by_ref().take(count) {
            values.extend(
                columns.iter().map(|column| row.take(*column).into_value().unwrap_or(Value::String(None))),
            );
        }
        // One array for each column on PostgreSQL, whose statements then don't differ by the number of rows. sea-query
        // would write each value separately.
        let (from, values) = dialect::rows_of_values(backend, &types, (count, values));
        let sql = format!("{into} {from} {clause}");
        statements.push(Statement::from_sql_and_values(backend, sql, values));
    }
    statements
}
