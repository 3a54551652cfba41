//! Cancelling a run: it stops between people. Who is done stays done.

use super::lease::state_of;
use crate::actor::Actor;
use crate::audit::{self, Deed, Subject};
use crate::entity::runs;
use crate::error::RecordsError;
use crate::store::Store;
use policy::numbers::grouped;
use policy::{Action, RunId, RunKind, RunState};
use sea_orm::{ActiveModelTrait, EntityTrait, QuerySelect, Set};

/// Whether the run has users without an outcome, or has not found out yet whom it is about.
pub(super) fn has_users_left(run: &runs::Model) -> bool {
    let is_sealed = run.kind != RunKind::Scheduled.code() || run.preview_id.is_some();
    !is_sealed || run.done + run.skipped + run.failed < run.previewed
}

fn too_late(run: &runs::Model) -> RecordsError {
    RecordsError::Refused(format!(
        "It is too late to cancel this run: all its users are dealt with ({} of {}). It ends after the search for \
         residue. Nothing was changed",
        grouped(run.done + run.skipped + run.failed),
        grouped(run.previewed)
    ))
}

/// Cancels a run that waits or is under way. One that waits is cancelled at once; one that is under way stops
/// before its next people.
pub async fn cancel(store: &Store, actor: Actor, id: RunId) -> Result<RunState, RecordsError> {
    actor.must(Action::Run)?;
    let tx = store.begin().await?;
    let run = runs::Entity::find_by_id(id.0)
        .lock_exclusive()
        .one(&tx)
        .await?
        .ok_or(RecordsError::NotFound("run"))?;
    let state = match state_of(&run)? {
        RunState::Queued => RunState::Cancelled,
        // The counts move in the transaction of each batch, which locks the run: they are not behind.
        RunState::Running | RunState::Interrupted if has_users_left(&run) => RunState::Cancelling,
        RunState::Running | RunState::Interrupted => return Err(too_late(&run)),
        RunState::Cancelling => return Ok(RunState::Cancelling),
        _ => {
            return Err(RecordsError::Refused(
                "This run has ended: there is nothing left to cancel".to_owned(),
            ));
        }
    };
    runs::ActiveModel {
        id: Set(run.id),
        state: Set(state.code().to_owned()),
        finished_at: Set((state == RunState::Cancelled).then(|| store.clock.now())),
        ..Default::default()
    }
    .update(&tx)
    .await?;
    audit::note(&tx, &store.clock, actor, Deed::RunCancelled, Subject::Run(id.0), Some(id), "").await?;
    store.commit(tx).await?;
    Ok(state)
}
