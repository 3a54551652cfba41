//! Cancelling a run: it stops between people. Who is done stays done.

use super::lease::state_of;
use crate::actor::Actor;
use crate::audit::{self, Deed, Subject};
use crate::entity::runs;
use crate::error::RecordsError;
use crate::store::Store;
use policy::{Action, RunId, RunState};
use sea_orm::{ActiveModelTrait, EntityTrait, QuerySelect, Set};

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
        RunState::Running | RunState::Interrupted => RunState::Cancelling,
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
