//! Figures for monitoring: counts of runs and users, without personal data or names of tasks.

use db::dialect;
use db::error::RecordsError;
use policy::{RunKind, RunState};
use sea_orm::{ConnectionTrait, DbErr};
use trail::store::Store;

/// The counts over all runs.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// The counts for each kind and state that occurs.
    pub runs: Vec<OfRuns>,
}

/// The runs of one kind in one state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OfRuns {
    /// The kind.
    pub kind: RunKind,
    /// The state.
    pub state: RunState,
    /// The number of runs.
    pub runs: i64,
    /// The number of users that they anonymised.
    pub done: i64,
    /// The number of users that they skipped.
    pub skipped: i64,
    /// The number of users who failed in them.
    pub failed: i64,
}

/// Counts the runs.
pub async fn figures(store: &Store) -> Result<Figures, RecordsError> {
    let sql = "SELECT kind, state, COUNT(*) AS runs, CAST(SUM(done) AS BIGINT) AS done, \
               CAST(SUM(skipped) AS BIGINT) AS skipped, CAST(SUM(failed) AS BIGINT) AS failed \
               FROM runs GROUP BY kind, state ORDER BY kind, state";
    let statement = dialect::bind(store.db.get_database_backend(), sql, Vec::new());
    let rows = store.db.query_all_raw(statement).await?;
    let runs = rows.iter().map(|row| {
        Ok(OfRuns {
            kind: row.try_get("", "kind")?,
            state: row.try_get("", "state")?,
            runs: row.try_get("", "runs")?,
            done: row.try_get("", "done")?,
            skipped: row.try_get("", "skipped")?,
            failed: row.try_get("", "failed")?,
        })
    });
    Ok(Figures { runs: runs.collect::<Result<_, DbErr>>()? })
}
