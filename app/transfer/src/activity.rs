//! The last activity of users, as imported loans and requests show it.

use chrono::NaiveDate;
use db::dialect;
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use std::collections::BTreeMap;

/// Advances the last activity of users to the day of their loans and requests. A return isn't activity (rule 4).
pub(super) async fn move_activity(
    tx: &DatabaseTransaction,
    active: BTreeMap<i64, NaiveDate>,
) -> Result<(), DbErr> {
    if active.is_empty() {
        return Ok(());
    }
    let backend = tx.get_database_backend();
    let row = format!("(CAST(? AS BIGINT), {})", dialect::date_place(backend));
    let rows = vec![row.as_str(); active.len()].join(", ");
    // Raw SQL: one UPDATE from a list of VALUES for many users.
    let sql = format!(
        "WITH v (number, day) AS (VALUES {rows}) UPDATE users SET last_activity_on = v.day FROM v \
         WHERE users.number = v.number AND (users.last_activity_on IS NULL OR users.last_activity_on < v.day)"
    );
    let values: Vec<Value> =
        active.into_iter().flat_map(|(number, day)| [number.into(), day.into()]).collect();
    tx.execute_raw(dialect::bind(backend, &sql, values)).await?;
    Ok(())
}
