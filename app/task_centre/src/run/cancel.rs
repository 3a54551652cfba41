//! Cancels a run. It stops between batches; anonymised users stay anonymised.

use db::RecordsError;
use db::entity::runs;
use policy::numbers::grouped;
use policy::{Action, RunId, RunKind, RunState};
use sea_orm::{ActiveModelTrait, EntityTrait, QuerySelect, Set};
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};
use transfer::run_import;

/// Returns whether the run has users without an outcome, or hasn't determined its users yet.
pub(super) fn has_users_left(run: &runs::Model) -> bool {
    let is_sealed = run.kind != RunKind::Scheduled || run.preview_id.is_some();
    !is_sealed || run.done + run.skipped + run.failed < run.previewed
}

fn too_late(run: &runs::Model) -> RecordsError {
    RecordsError::Refused(format!(
        "It is too late to cancel this run: all its users have been processed ({} of {}). It ends after the residue \
         search. Nothing was changed",
        grouped(run.done + run.skipped + run.failed),
        grouped(run.previewed)
    ))
}

/// Cancels a queued or active run. A queued run ends at once; an active one stops before its next batch.
pub async fn cancel(store: &Store, actor: Actor, id: RunId) -> Result<RunState, RecordsError> {
    actor.require(Action::Run)?;
    let was_importing = run_import::is_under_way(store, id);
    run_import::cancel(store, id);
    let tx = store.begin().await?;
    let run = runs::Entity::find_by_id(id.0)
        .lock_exclusive()
        .one(&tx)
        .await?
        .ok_or(RecordsError::NotFound("run"))?;
    let state = match run.state {
        RunState::Queued => RunState::Cancelled,
        // The counts are up to date: each batch updates them in its own transaction, which locks the run.
        RunState::Running | RunState::Interrupted if has_users_left(&run) => RunState::Cancelling,
        RunState::Running | RunState::Interrupted => return Err(too_late(&run)),
        // The import stopped before this transaction began.
        RunState::Cancelled if was_importing => RunState::Cancelled,
        RunState::Cancelling => return Ok(RunState::Cancelling),
        _ => {
            return Err(RecordsError::Refused(
                "This run has already ended. There is nothing to cancel".to_owned(),
            ));
        }
    };
    runs::ActiveModel {
        id: Set(run.id),
        state: Set(state),
        finished_at: Set((state == RunState::Cancelled).then(|| store.clock.now())),
        ..Default::default()
    }
    .update(&tx)
    .await?;
    audit::record_event(
        &tx,
        &store.clock,
        actor,
        AuditAction::RunCancelled,
        Subject::Run(id.0),
        Some(id),
        "",
    )
    .await?;
    store.commit(tx).await?;
    Ok(state)
}
