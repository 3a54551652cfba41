//! The last activity of users, as imported loans and requests show it.

use chrono::NaiveDate;
use db::dialect;
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use std::collections::BTreeMap;

/// The latest day of each user in a chunk.
#[derive(Default)]
pub(super) struct Activity(BTreeMap<i64, NaiveDate>);

impl Activity {
    /// Notes that a user was active on a day.
    pub(super) fn note(&mut self, user: i64, day: NaiveDate) {
        let latest = self.0.entry(user).or_insert(day);
        *latest = day.max(*latest);
    }

    /// Advances the last activity of the users. A return isn't activity (rule 4).
    pub(super) async fn write(self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        if self.0.is_empty() {
            return Ok(());
        }
        let backend = tx.get_database_backend();
        let row = format!("(CAST(? AS BIGINT), {})", dialect::date_place(backend));
        let rows = vec![row.as_str(); self.0.len()].join(", ");
        // Raw SQL: one UPDATE from a list of VALUES for many users.
        let sql = format!(
            "WITH v (number, day) AS (VALUES {rows}) UPDATE users SET last_activity_on = v.day FROM v \
             WHERE users.number = v.number AND (users.last_activity_on IS NULL OR users.last_activity_on < v.day)"
        );
        let values: Vec<Value> =
            self.0.into_iter().flat_map(|(number, day)| [number.into(), day.into()]).collect();
        tx.execute_raw(dialect::bind(backend, &sql, values)).await?;
        Ok(())
    }
}
