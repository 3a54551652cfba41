//! The runs of a schedule as stored: one for each due time.

use chrono::{DateTime, Utc};
use db::RecordsError;
use db::entity::{runs, tasks};
use policy::{RULES_VERSION, RunKind, RunState};
use sea_orm::{ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};
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
    let now = store.clock.now();
    let run = runs::ActiveModel {
        task_id: Set(Some(task.id)),
        kind: Set(RunKind::Scheduled),
        state: Set(state),
        today: Set(store.clock.today()),
        settings: Set(task.settings.clone()),
        task_version: Set(Some(task.version)),
        rules_version: Set(RULES_VERSION),
        channel: Set(Actor::SCHEDULE.channel),
        created_at: Set(now),
        finished_at: Set(state.is_final().then_some(now)),
        due_at: Set(Some(due_at)),
        ..Default::default()
    };
    Ok(run.insert(tx).await?)
}
