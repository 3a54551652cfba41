//! Missed times: the task was due but no run started. They stay in the list of runs.

use super::entry::{insert, is_dealt_with};
use chrono::{DateTime, Utc};
use db::RecordsError;
use db::entity::{run_counts, runs, tasks};
use erasure::run_counts as counts;
use policy::notification::Event;
use policy::{MisfireReason, RunId, RunState, TaskId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
};
use trail::Store;
use trail::outbox::{self, About};

/// The kind under which a run's missed times are counted.
pub(crate) const COUNT: &str = "missed";

/// Numbers of missed times by reason.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// No process was running.
    pub(super) absent: usize,
    /// A run of the task was already queued.
    pub(super) waiting: usize,
}

/// Records missed times as one missed run, due at the first of them.
pub(super) async fn record(
    tx: &DatabaseTransaction,
    store: &Store,
    task: &tasks::Model,
    first: DateTime<Utc>,
    times: Times,
) -> Result<(), RecordsError> {
    if is_dealt_with(tx, task, first).await? {
        return Ok(());
    }
    let run = insert(tx, store, task, first, RunState::Missed).await?;
    let about = About { run: Some(RunId(run.id)), task: Some(TaskId(task.id)), ..About::default() };
    outbox::post(tx, &store.clock, Event::RunMissed, about, None).await?;
    Ok(count(tx, RunId(run.id), times).await?)
}

/// Records times missed because a run was queued, all in one missed run.
///
/// Otherwise a task that is due every minute would fill the list.
pub(super) async fn note_behind(
    tx: &DatabaseTransaction,
    store: &Store,
    task: &tasks::Model,
    first: DateTime<Utc>,
    times: Times,
    waiting: RunId,
) -> Result<(), RecordsError> {
    let noted = runs::Entity::find()
        .filter(runs::Column::TaskId.eq(task.id))
        .filter(runs::Column::State.eq(RunState::Missed))
        .filter(runs::Column::Id.gt(waiting.0))
        .order_by_desc(runs::Column::Id)
        .one(tx)
        .await?;
    match noted {
        Some(run) => Ok(count(tx, RunId(run.id), times).await?),
        None => record(tx, store, task, first, times).await,
    }
}

/// Adds missed times to a missed run, or to a run that catches up on them.
pub(super) async fn count(tx: &DatabaseTransaction, run: RunId, times: Times) -> Result<(), DbErr> {
    let reasons = [(MisfireReason::Absent, times.absent), (MisfireReason::Waiting, times.waiting)];
    for (why, count) in reasons.into_iter().filter(|(_, count)| *count > 0) {
        counts::add(tx, run, COUNT, why.code(), count as u64).await?;
    }
    Ok(())
}

/// Returns the times that a run has missed or catches up on, by reason. Empty for any other run.
pub async fn missed_times(store: &Store, run: RunId) -> Result<Vec<(MisfireReason, i64)>, RecordsError> {
    Ok(missed_times_of(&store.db, &[run.0]).await?.into_iter().map(|(_, why, count)| (why, count)).collect())
}

/// Returns the missed times of these runs.
pub async fn missed_times_of(
    db: &impl ConnectionTrait,
    runs: &[i64],
) -> Result<Vec<(RunId, MisfireReason, i64)>, RecordsError> {
    let rows = run_counts::Entity::find()
        .filter(run_counts::Column::RunId.is_in(runs.iter().copied()))
        .filter(run_counts::Column::Kind.eq(COUNT))
        .order_by_asc(run_counts::Column::Code)
        .all(db)
        .await?;
    let known = |row: &run_counts::Model| MisfireReason::ALL.into_iter().find(|why| why.code() == row.code);
    Ok(rows.iter().filter_map(|row| Some((RunId(row.run_id), known(row)?, row.count))).collect())
}
