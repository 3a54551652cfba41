//! Findings of the residue search without a decision.

use super::{Condition, ConditionKind, query};
use chrono::{DateTime, Utc};
use db::error::RecordsError;
use policy::RunId;
use trail::store::Store;

/// Returns a single condition for all open findings. A partial index covers them.
pub(super) async fn open(store: &Store) -> Result<Vec<Condition>, RecordsError> {
    let sql = "SELECT COUNT(*) AS n, MIN(found_at) AS since, MIN(run_id) AS first, MAX(run_id) AS last, \
               COUNT(*) - COUNT(run_id) AS of_no_run FROM residue_hits WHERE decision IS NULL";
    let rows = query(store, sql, Vec::new()).await?;
    let Some(row) = rows.first() else { return Ok(Vec::new()) };
    let findings: i64 = row.try_get("", "n")?;
    let since: Option<DateTime<Utc>> = row.try_get("", "since")?;
    let Some(since) = since.filter(|_| findings > 0) else { return Ok(Vec::new()) };
    let [first, last]: [Option<i64>; 2] = [row.try_get("", "first")?, row.try_get("", "last")?];
    let of_no_run: i64 = row.try_get("", "of_no_run")?;
    let run = first.filter(|_| first == last && of_no_run == 0).map(RunId);
    Ok(vec![Condition { what: ConditionKind::FindingsOpen { findings }, task: None, run, since }])
}
