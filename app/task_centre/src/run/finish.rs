//! Ends a run: derives its state from the outcomes of its users and issues the certificate.

use super::lease::{Lease, LeaseStatus};
use super::retries::retrying;
use super::{outcomes, safety};
use db::RecordsError;
use db::entity::{run_members, runs, tasks};
use erasure::anonymise::ErasureRequest;
use erasure::maintenance::{self, Maintenance};
use erasure::{certificate, run_counts};
use policy::notification::Event;
use policy::{Action, Outcome, Residue, RunId, RunKind, RunState, TaskId};
use safeguards::{approval, limits};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, Set};
use tracing::Instrument as _;
use trail::Store;
use trail::audit::{self, AuditAction, Subject};
use trail::outbox::{self, About};

/// Removes old values from the database files, then ends the run.
pub(super) async fn finish(
    store: &Store,
    lease: &Lease,
    job: &ErasureRequest<'_>,
) -> Result<RunState, RecordsError> {
    let maintenance = maintenance::after_bulk_run(store).instrument(tracing::debug_span!("maintain")).await;
    retrying(store, || end(store, lease, job, maintenance)).await
}

async fn end(
    store: &Store,
    lease: &Lease,
    job: &ErasureRequest<'_>,
    maintenance: Maintenance,
) -> Result<RunState, RecordsError> {
    let tx = store.begin().await?;
    let cancelled = match lease.status(&tx).await? {
        LeaseStatus::Ours => false,
        LeaseStatus::Cancelled => true,
        LeaseStatus::Lost => return Ok(RunState::Interrupted),
    };
    let run = runs::Entity::find_by_id(job.run.0).one(&tx).await?.ok_or(RecordsError::NotFound("run"))?;
    let [done, skipped, failed] = outcomes::counted(&tx, job.run).await?;
    let of_counts = if cancelled { RunState::of_cancelled } else { RunState::of_counts };
    let state = if let Some(state) = of_counts(run.previewed, done, skipped, failed) {
        state
    } else {
        tracing::error!(run = run.id, "the users of a run don't add up to its preview");
        run_counts::add(&tx, job.run, "error", "counts_differ", 1).await?;
        RunState::Failed
    };
    close_residue(&tx, job.run).await?;
    runs::ActiveModel {
        id: Set(job.run.0),
        state: Set(state),
        holder: Set(None),
        phase: Set(None),
        done: Set(done),
        skipped: Set(skipped),
        failed: Set(failed),
        maintenance: Set(Some(maintenance)),
        finished_at: Set(Some(store.clock.now())),
        ..Default::default()
    }
    .update(&tx)
    .await?;
    confirm(&tx, store, &run, state, done).await?;
    let too_late = cancelled && state != RunState::Cancelled;
    if too_late {
        run_counts::add(&tx, job.run, "cancel", "too_late", 1).await?;
    }
    let subject = Subject::Run(job.run.0);
    let detail =
        if too_late { format!("{},cancelled_too_late", state.code()) } else { state.code().to_owned() };
    audit::record_event(
        &tx,
        &store.clock,
        job.actor,
        AuditAction::RunFinished,
        subject,
        Some(job.run),
        &detail,
    )
    .await?;
    certificate::make(&tx, store, job.run).await?;
    notify(&tx, store, job.run, run.task_id, state).await?;
    store.commit(tx).await?;
    Ok(state)
}

/// Confirms the policy of a completed manual run, and the manual changes that it covers.
///
/// A member of staff has seen the users, typed their number and let the run complete. A run that was cancelled or
/// anonymised no users confirms nothing. Nor does a run that left out users that its task selects: no person has agreed
/// to anonymise them.
async fn confirm(
    tx: &DatabaseTransaction,
    store: &Store,
    run: &runs::Model,
    state: RunState,
    done: i64,
) -> Result<(), RecordsError> {
    if run.kind != RunKind::Manual || !state.confirms(done) || safety::is_partial(run) {
        return Ok(());
    }
    confirm_settings(tx, run).await?;
    // If four eyes is on, one person alone can't confirm manual changes.
    if let Some(preview) = run.preview_id
        && (run.approval_id.is_some() || !approval::is_on(tx, store, Action::Approve).await?)
    {
        limits::confirm(tx, RunId(run.id), RunId(preview)).await?;
    }
    Ok(())
}

/// Stores that a member of staff has seen what a run does with these settings of its task.
pub(super) async fn confirm_settings(tx: &DatabaseTransaction, run: &runs::Model) -> Result<(), DbErr> {
    tasks::Entity::update_many()
        .col_expr(tasks::Column::ConfirmedSettings, Expr::value(Some(run.settings.clone())))
        .filter(tasks::Column::Id.eq(run.task_id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Sets the missing results to undeterminable: a process died between anonymising and the search.
async fn close_residue(tx: &DatabaseTransaction, run: RunId) -> Result<(), RecordsError> {
    let unknown = run_members::Entity::update_many()
        .col_expr(run_members::Column::Residue, Expr::value(Residue::Undeterminable))
        .filter(run_members::Column::RunId.eq(run.0))
        .filter(run_members::Column::Outcome.eq(Outcome::Done))
        .filter(run_members::Column::Residue.is_null())
        .exec(tx)
        .await?;
    if unknown.rows_affected > 0 {
        run_counts::add(tx, run, "residue", Residue::Undeterminable.code(), unknown.rows_affected).await?;
    }
    Ok(())
}

/// Ends a run without processing users, because a safety limit stopped it or its task can't run.
pub(super) async fn end_without_people(
    tx: &DatabaseTransaction,
    store: &Store,
    job: (RunId, trail::Actor),
    state: RunState,
    safety_limit: Option<policy::SafetyLimit>,
) -> Result<(), RecordsError> {
    let (run, actor) = job;
    runs::Entity::update_many()
        .col_expr(runs::Column::State, Expr::value(state))
        .col_expr(runs::Column::Holder, Expr::value(Option::<String>::None))
        .col_expr(runs::Column::Phase, Expr::value(Option::<String>::None))
        .col_expr(runs::Column::SafetyLimit, Expr::value(safety_limit))
        .col_expr(runs::Column::FinishedAt, Expr::value(store.clock.now()))
        .filter(runs::Column::Id.eq(run.0))
        .exec(tx)
        .await?;
    let (action, detail) = match safety_limit {
        Some(safety_limit) => (AuditAction::RunStopped, safety_limit.code()),
        None => (AuditAction::RunFinished, state.code()),
    };
    audit::record_event(tx, &store.clock, actor, action, Subject::Run(run.0), Some(run), detail).await?;
    let row = runs::Entity::find_by_id(run.0).one(tx).await?;
    notify(tx, store, run, row.and_then(|row| row.task_id), state).await?;
    Ok(())
}

/// Writes a notification if a run ended badly.
async fn notify(
    tx: &DatabaseTransaction,
    store: &Store,
    run: RunId,
    task: Option<i64>,
    state: RunState,
) -> Result<(), DbErr> {
    let event = match state {
        RunState::StoppedByLimit => Event::RunStopped,
        RunState::Failed | RunState::CompletedWithFailures | RunState::NothingToImport => Event::RunFailed,
        _ => return Ok(()),
    };
    let about = About { run: Some(run), task: task.map(TaskId), ..About::default() };
    outbox::post(tx, &store.clock, event, about, None).await
}
