//! Safety limits that stopped a member of staff, and protections that were weakened.

use super::{Condition, ConditionKind, query};
use chrono::{DateTime, Duration, Utc};
use db::clock::Clock;
use db::error::RecordsError;
use policy::Window;
use safeguards::approval;
use safeguards::protection::{self, ACTIONS, WEAKER};
use trail::store::Store;

/// Returns the conditions about limits and protections.
pub(super) async fn conditions(store: &Store) -> Result<Vec<Condition>, RecordsError> {
    let mut conditions = Vec::new();
    let day = Clock::real() - Duration::hours(Window::Day.hours());
    let sql = "SELECT COUNT(DISTINCT COALESCE(actor_number, 0)) AS n, MIN(at) AS since FROM manual_changes \
               WHERE kind IN ('limit_anonymised', 'limit_marked', 'limit_replaced', 'limit_import') AND at > ?";
    conditions.extend(
        counted(store, sql, vec![day.into()], |actors| ConditionKind::LimitReached { actors }).await?,
    );
    conditions.extend(four_eyes_ending(store).await?);
    let sql = "SELECT COUNT(*) AS n, MIN(at) AS since FROM protections WHERE name LIKE ? AND at > ?";
    let values = vec![format!("{WEAKER}%").into(), protection::cooled_off().into()];
    conditions
        .extend(counted(store, sql, values, |settings| ConditionKind::SettingsWeakened { settings }).await?);
    Ok(conditions)
}

async fn counted(
    store: &Store,
    sql: &str,
    values: Vec<sea_orm::Value>,
    what: impl Fn(i64) -> ConditionKind,
) -> Result<Option<Condition>, RecordsError> {
    let rows = query(store, sql, values).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let (count, since): (i64, Option<DateTime<Utc>>) = (row.try_get("", "n")?, row.try_get("", "since")?);
    Ok((count > 0).then(|| Condition {
        what: what(count),
        task: None,
        run: None,
        since: since.unwrap_or_else(Clock::real),
    }))
}

/// Returns the condition for four eyes that apply only because they applied a short time ago.
async fn four_eyes_ending(store: &Store) -> Result<Option<Condition>, RecordsError> {
    for action in ACTIONS {
        let Some(since) = protection::last_seen(&store.db, action).await? else { continue };
        if since > protection::cooled_off() && !approval::is_configured(&store.db, store, action).await? {
            return Ok(Some(Condition { what: ConditionKind::FourEyesEnding, task: None, run: None, since }));
        }
    }
    Ok(None)
}
