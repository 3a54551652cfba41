//! Counts the findings of runs, in total and open.

use crate::dialect;
use crate::store::Store;
use policy::RunId;
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::HashMap;

/// Returns the numbers of all findings and of open findings of a run.
pub(crate) async fn count_findings(store: &Store, run: RunId) -> Result<(i64, i64), DbErr> {
    let sql = "SELECT COUNT(*) AS n, COUNT(CASE WHEN decision IS NULL THEN 1 END) AS undecided \
               FROM residue_hits WHERE run_id = ?";
    let query = dialect::bind(store.db.get_database_backend(), sql, vec![run.0.into()]);
    match store.db.query_one_raw(query).await? {
        Some(row) => Ok((row.try_get("", "n")?, row.try_get("", "undecided")?)),
        None => Ok((0, 0)),
    }
}

/// Returns the number of open findings for each of these runs that has any.
pub(crate) async fn open_findings(
    db: &impl ConnectionTrait,
    runs: &[i64],
) -> Result<HashMap<i64, i64>, DbErr> {
    if runs.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT run_id, COUNT(*) AS n FROM residue_hits WHERE decision IS NULL AND run_id IN ({}) GROUP BY run_id",
        dialect::placeholders(runs.len())
    );
    let values = runs.iter().map(|run| (*run).into()).collect();
    let rows = db.query_all_raw(dialect::bind(db.get_database_backend(), &sql, values)).await?;
    rows.iter().map(|row| Ok((row.try_get("", "run_id")?, row.try_get("", "n")?))).collect()
}
