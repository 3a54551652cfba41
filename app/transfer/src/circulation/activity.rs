//! The last activity of users, as imported loans and requests show it.

use chrono::NaiveDate;
use db::dialect;
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use serde::Serialize;
use std::collections::BTreeMap;

/// Number of users in a block.
const BLOCK: usize = 64;
/// The same, to divide numbers of users.
const NUMBERS: i64 = 64;
/// Number of users changed at a time.
const USERS_PER_STATEMENT: usize = 4_000;

/// The latest day of each user in a file, for few bytes each.
///
/// A user has many loans in a file, and PostgreSQL writes every index of a changed user again. So each user is changed
/// once, at the end of the file.
#[derive(Default)]
pub(super) struct Activity(BTreeMap<i64, [Option<NaiveDate>; BLOCK]>);

/// A user, passed to the database as JSON.
#[derive(Serialize)]
struct Row {
    number: i64,
    day: NaiveDate,
}

impl Activity {
    /// Notes that a user was active on a day.
    pub(super) fn note(&mut self, user: i64, day: NaiveDate) {
        let block = self.0.entry(user.div_euclid(NUMBERS)).or_insert([None; BLOCK]);
        if let Some(latest) =
            usize::try_from(user.rem_euclid(NUMBERS)).ok().and_then(|place| block.get_mut(place))
        {
            *latest = (*latest).max(Some(day));
        }
    }

    /// Advances the last activity of the users. A return isn't activity (rule 4).
    pub(super) async fn write(self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        let mut rows = Vec::new();
        for (number, block) in self.0 {
            let days = (number * NUMBERS..).zip(block);
            rows.extend(days.filter_map(|(number, day)| Some(Row { number, day: day? })));
            if rows.len() >= USERS_PER_STATEMENT {
                write(tx, &std::mem::take(&mut rows)).await?;
            }
        }
        write(tx, &rows).await
    }
}

async fn write(tx: &DatabaseTransaction, rows: &[Row]) -> Result<(), DbErr> {
    if rows.is_empty() {
        return Ok(());
    }
    let backend = tx.get_database_backend();
    let (from, day) = (dialect::json_rows(backend, "v", &["day"]), dialect::date_of(backend, "v.day"));
    // Raw SQL: one UPDATE for many users, whose days are one value.
    let sql = format!(
        "UPDATE users SET last_activity_on = {day} FROM {from} WHERE users.number = v.number \
         AND (users.last_activity_on IS NULL OR users.last_activity_on < {day})"
    );
    let rows = serde_json::to_string(rows).map_err(|error| DbErr::Custom(error.to_string()))?;
    tx.execute_raw(dialect::bind(backend, &sql, vec![Value::from(rows)])).await?;
    Ok(())
}
