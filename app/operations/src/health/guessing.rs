//! Guessed codes: sign-ins with the correct password that ended after too many wrong codes.

use super::{Condition, ConditionKind, query};
use chrono::{DateTime, Duration, Utc};
use db::clock::Clock;
use db::error::RecordsError;
use identity::staff::NoticeKind;
use sea_orm::Value;
use trail::store::Store;

/// The time for which guessed codes are reported, in hours.
const REPORTED_HOURS: i64 = 24;

/// Returns a single condition for all accounts.
pub(super) async fn codes(store: &Store) -> Result<Vec<Condition>, RecordsError> {
    let sql = "SELECT COUNT(DISTINCT user_number) AS accounts, MIN(first_at) AS since FROM account_notices \
               WHERE kind IN (?, ?, ?) AND last_at > ?";
    let since = Clock::real() - Duration::hours(REPORTED_HOURS);
    let kinds = NoticeKind::GUESSED_CODES.map(Value::from);
    let values = kinds.into_iter().chain([since.into()]).collect();
    let rows = query(store, sql, values).await?;
    let Some(row) = rows.first() else { return Ok(Vec::new()) };
    let since: Option<DateTime<Utc>> = row.try_get("", "since")?;
    let Some(since) = since else { return Ok(Vec::new()) };
    let what = ConditionKind::CodesGuessed { accounts: row.try_get("", "accounts")? };
    Ok(vec![Condition { what, task: None, run: None, since }])
}
