//! Deletes expired data: sessions, invitations, unconfirmed apps, code budgets and old notices.

use crate::staff::{Kind, NOTICE_DAYS};
use chrono::{DateTime, TimeDelta, Utc};
use db::clock::Clock;
use db::dialect;
use db::error::RecordsError;
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::Value;
use trail::store::Store;

/// Number of rows deleted in one transaction.
const BATCH: u64 = 500;
/// How long expired rows stay, so that requests in progress still find them.
const GRACE: TimeDelta = TimeDelta::hours(1);
/// How long a user may take to set up an app.
const APP_TO_CONFIRM: TimeDelta = TimeDelta::hours(1);

/// Deletes expired rows in batches and returns their number.
pub async fn purge(store: &Store) -> Result<u64, RecordsError> {
    let now = Clock::real();
    let ago = |time: TimeDelta| Value::from(now - time);
    let sign_in = store.settings.sign_in;
    let lifetime = |time: std::time::Duration| {
        let time = TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
        now.checked_sub_signed(time).unwrap_or(DateTime::<Utc>::MIN_UTC).max(EARLIEST) - GRACE
    };
    let of_kind = |kind: Kind| Value::from(kind.code());
    let statements: [(&str, &str, &str, Vec<Value>); 5] = [
        (
            "sessions",
            "id_hash",
            "last_seen_at < ? OR created_at < ?",
            vec![lifetime(sign_in.idle).into(), lifetime(sign_in.longest).into()],
        ),
        ("credentials", "id", "kind = ? AND expires_at < ?", vec![of_kind(Kind::Invitation), ago(GRACE)]),
        (
            "credentials",
            "id",
            "kind = ? AND created_at < ?",
            vec![of_kind(Kind::AppToConfirm), ago(APP_TO_CONFIRM)],
        ),
        ("code_budgets", "id_hash", "spent_until < ?", vec![ago(GRACE)]),
        ("account_notices", "id", "last_at < ?", vec![ago(TimeDelta::days(NOTICE_DAYS))]),
    ];
    let mut deleted = 0;
    for (table, key, condition, values) in statements {
        deleted += delete(store, table, key, condition, &values).await?;
    }
    Ok(deleted)
}

/// Lower bound of a cut-off time, since an unlimited lifetime would exceed the date range of the database.
const EARLIEST: DateTime<Utc> = DateTime::UNIX_EPOCH;

async fn delete(
    store: &Store,
    table: &str,
    key: &str,
    condition: &str,
    values: &[Value],
) -> Result<u64, RecordsError> {
    let sql = format!(
        "DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {condition} LIMIT {BATCH})"
    );
    let mut deleted = 0;
    loop {
        let tx = store.begin().await?;
        let statement = dialect::bind(tx.get_database_backend(), &sql, values.to_vec());
        let batch = tx.execute_raw(statement).await?.rows_affected();
        store.commit(tx).await?;
        deleted += batch;
        if batch < BATCH {
            return Ok(deleted);
        }
    }
}
