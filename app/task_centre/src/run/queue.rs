//! Takes up waiting runs, one after another.

use super::execute::perform;
use super::lease::{Claim, claim};
use db::RecordsError;
use db::entity::runs;
use policy::{RunId, RunState};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::time::Duration;
use trail::Store;

/// Interval at which a waiting caller checks the queue.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// Executes all waiting runs: first one that another process abandoned, then the queued ones.
///
/// Returns the runs that it ended. Stops when no run is waiting or another process is active.
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

/// Like [`work`], but also waits for other processes. Returns when no run is queued or active.
pub async fn drain_queue(store: &Store) -> Result<Vec<RunId>, RecordsError> {
    let mut ended = work(store).await?;
    while !store.is_stopping() && runs_left(store).await? {
        tokio::time::sleep(POLL_INTERVAL).await;
        ended.extend(work(store).await?);
    }
    Ok(ended)
}

async fn runs_left(store: &Store) -> Result<bool, RecordsError> {
    let states = RunState::UNDER_WAY.into_iter().chain([RunState::Queued]);
    let left = runs::Entity::find().filter(runs::Column::State.is_in(states)).one(&store.db).await?;
    Ok(left.is_some())
}

/// Executes this run and returns its final state.
///
/// Waits while another run is active; executes an abandoned run first. Users with an outcome are never processed
/// again.
pub async fn execute(store: &Store, run: RunId) -> Result<RunState, RecordsError> {
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
            Claim::Busy | Claim::Nothing => tokio::time::sleep(POLL_INTERVAL).await,
        }
    }
}
