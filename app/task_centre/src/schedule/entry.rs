//! The runs of a schedule as stored: one for each due time.

use crate::new_run::{self, Basis};
use chrono::{DateTime, Utc};
use db::RecordsError;
use db::entity::{runs, tasks};
use policy::{RunKind, RunState};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};
use trail::{Actor, Store};

/// Returns whether this time already has a run, so that it can't start another one.
pub(super) async fn is_dealt_with(
    tx: &DatabaseTransaction,
    task: &tasks::Model,
    at: DateTime<Utc>,
) -> Result<bool, RecordsError> {
    let run = runs::Entity::find()
        .filter(runs::Column::TaskId.eq(task.id))
        .filter(runs::Column::DueAt.eq(at))
        .one(tx)
        .await?;
    Ok(run.is_some())
}

/// Inserts a scheduled run with the task's current settings. The process that takes it up makes the preview.
pub(super) async fn insert(
    tx: &DatabaseTransaction,
    store: &Store,
    task: &tasks::Model,
    due_at: DateTime<Utc>,
    state: RunState,
) -> Result<runs::Model, RecordsError> {
    let more = runs::ActiveModel {
        finished_at: Set(state.is_final().then(|| store.clock.now())),
        due_at: Set(Some(due_at)),
        ..Default::default()
    };
    let state = (RunKind::Scheduled, state);
    new_run::insert(tx, (store, Actor::SCHEDULE), state, Basis::Task(task), more).await
}
