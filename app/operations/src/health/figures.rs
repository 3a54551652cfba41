//! Figures for monitoring: counts of runs and users, without personal data or names of tasks.

use db::RecordsError;
use db::entity::runs;
use policy::{RunKind, RunState};
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, EntityTrait, QueryOrder, QuerySelect};
use trail::Store;

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
    use runs::Column::{Done, Failed, Id, Kind, Skipped, State};
    // The sum of a BIGINT is a NUMERIC on PostgreSQL.
    let sum = |column: runs::Column| column.sum().cast_as("BIGINT");
    let rows: Vec<(RunKind, RunState, i64, i64, i64, i64)> = runs::Entity::find()
        .select_only()
        .columns([Kind, State])
        .column_as(Id.count(), "runs")
        .column_as(sum(Done), "done")
        .column_as(sum(Skipped), "skipped")
        .column_as(sum(Failed), "failed")
        .group_by(Kind)
        .group_by(State)
        .order_by_asc(Kind)
        .order_by_asc(State)
        .into_tuple()
        .all(&store.db)
        .await?;
    let of_runs =
        |(kind, state, runs, done, skipped, failed)| OfRuns { kind, state, runs, done, skipped, failed };
    Ok(Figures { runs: rows.into_iter().map(of_runs).collect() })
}
