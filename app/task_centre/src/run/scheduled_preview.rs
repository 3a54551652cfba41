//! The preview of a scheduled run, made when a process takes the run up.

use super::lease::{Lease, LeaseStatus};
use super::safety::{last_runs, safety_limit_of};
use super::{finish, preview, preview_digest};
use db::RecordsError;
use db::entity::{runs, tasks};
use erasure::run_counts;
use policy::{RULES_VERSION, RunId, RunState, SafetyLimit, TaskId, UserNumber};
use sea_orm::{ActiveModelTrait, DatabaseTransaction, EntityTrait, Set};
use trail::{Actor, Store};

/// The result of making the preview of a scheduled run.
pub(super) enum ScheduledPreview {
    /// The users are determined, and the run can continue.
    Ready(Box<runs::Model>),
    /// The run has ended: a safety limit stopped it, or another process holds it.
    Stopped(RunState),
}

/// Makes the preview of a scheduled run in one transaction and checks the safety limits.
pub(super) async fn make_scheduled(
    store: &Store,
    lease: &Lease,
    run: &runs::Model,
) -> Result<ScheduledPreview, RecordsError> {
    let tx = store.begin().await?;
    if lease.status(&tx).await? == LeaseStatus::Lost {
        return Ok(ScheduledPreview::Stopped(RunState::Interrupted));
    }
    let task = tasks::Entity::find_by_id(run.task_id.unwrap_or_default())
        .one(&tx)
        .await?
        .ok_or(RecordsError::NotFound("task"))?;
    let actor = Actor::unprivileged(run.actor_number.map(UserNumber), run.channel);
    if !task.active || task.deleted_at.is_some() {
        let state = RunState::Cancelled;
        finish::end_without_people(&tx, store, (lease.run, actor), state, None).await?;
        store.commit(tx).await?;
        return Ok(ScheduledPreview::Stopped(state));
    }
    let preview = preview::make(&tx, store, actor, &task, None).await?;
    let run = runs::ActiveModel {
        id: Set(run.id),
        preview_id: Set(Some(preview.id)),
        settings: Set(preview.settings.clone()),
        task_version: Set(preview.task_version),
        rules_version: Set(RULES_VERSION),
        today: Set(preview.today),
        fingerprint: Set(preview.fingerprint.clone()),
        users: Set(preview.users),
        previewed: Set(preview.previewed),
        ..Default::default()
    }
    .update(&tx)
    .await?;
    let id = RunId(run.id);
    if let Some(safety_limit) = safety_limit(&tx, store, &task, &preview).await? {
        let state = RunState::StoppedByLimit;
        finish::end_without_people(&tx, store, (id, actor), state, Some(safety_limit)).await?;
        store.commit(tx).await?;
        return Ok(ScheduledPreview::Stopped(state));
    }
    preview_digest::copy_members(&tx, &preview, id).await?;
    store.commit(tx).await?;
    Ok(ScheduledPreview::Ready(Box::new(run)))
}

/// Ends a scheduled run whose preview failed. A retry would fail too.
pub(super) async fn failed(
    store: &Store,
    lease: &Lease,
    run: &runs::Model,
    error: &RecordsError,
) -> Result<RunState, RecordsError> {
    tracing::error!(run = run.id, code = error.code(), "a scheduled run could not create its preview");
    let tx = store.begin().await?;
    if lease.status(&tx).await? == LeaseStatus::Lost {
        return Ok(RunState::Interrupted);
    }
    let actor = Actor::unprivileged(run.actor_number.map(UserNumber), run.channel);
    run_counts::add(&tx, lease.run, "error", error.code(), 1).await?;
    finish::end_without_people(&tx, store, (lease.run, actor), RunState::Failed, None).await?;
    store.commit(tx).await?;
    Ok(RunState::Failed)
}

/// Returns the safety limit that stops a scheduled run with this preview, if any.
async fn safety_limit(
    tx: &DatabaseTransaction,
    store: &Store,
    task: &tasks::Model,
    preview: &runs::Model,
) -> Result<Option<SafetyLimit>, RecordsError> {
    if preview.previewed == 0 {
        return Ok(None);
    }
    let confirmed = task.confirmed_settings.as_ref();
    if confirmed.is_none_or(|confirmed| preview.settings.extends_beyond(confirmed)) {
        return Ok(Some(SafetyLimit::NotConfirmed));
    }
    let last = last_runs(tx, TaskId(task.id)).await?;
    safety_limit_of(tx, store, preview, &last).await
}
