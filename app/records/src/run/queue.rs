//! Taking runs up: one after another, whatever there is to do.

use super::carry_out::perform;
use super::lease::{Claim, claim};
use crate::entity::runs;
use crate::error::RecordsError;
use crate::store::Store;
use policy::{RunId, RunState};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::time::Duration;

/// How often somebody who waits for a run looks whether its turn has come.
const PAUSE: Duration = Duration::from_millis(250);

/// Takes up whatever there is: a run that another process abandoned, then the queued ones, one after another. Gives
/// those that it brought to an end. It returns when nothing is left, or another process is at work.
pub async fn work(store: &Store) -> Result<Vec<RunId>, RecordsError> {
    let mut ended = Vec::new();
    while !store.is_stopping() {
        let Claim::Taken(lease) = claim(store, None).await? else { break };
        let run = lease.run;
        if perform(store, lease).await?.is_final() {
            ended.push(run);
        }
    }
    Ok(ended)
}

/// [`work`], and waits for what another process is at work on: returns when no run waits or is under way.
pub async fn work_to_the_end(store: &Store) -> Result<Vec<RunId>, RecordsError> {
    let mut ended = work(store).await?;
    while !store.is_stopping() && runs_left(store).await? {
        tokio::time::sleep(PAUSE).await;
        ended.extend(work(store).await?);
    }
    Ok(ended)
}

async fn runs_left(store: &Store) -> Result<bool, RecordsError> {
    let states = RunState::UNDER_WAY.into_iter().chain([RunState::Queued]);
    let left = runs::Entity::find()
        .filter(runs::Column::State.is_in(states.map(RunState::code)))
        .one(&store.db)
        .await?;
    Ok(left.is_some())
}

/// Carries out this run to its end and gives its state. While another one is under way it waits; one that was
/// abandoned is brought to its end first. Who has an outcome is never touched again.
pub async fn carry_out(store: &Store, run: RunId) -> Result<RunState, RecordsError> {
    loop {
        match claim(store, Some(run)).await? {
            Claim::Ended(state) => return Ok(state),
            Claim::Taken(lease) => {
                let ours = lease.run == run;
                let state = perform(store, lease).await?;
                if ours && state.is_final() || store.is_stopping() {
                    return Ok(state);
                }
            }
            Claim::Busy | Claim::Nothing => tokio::time::sleep(PAUSE).await,
        }
    }
}
