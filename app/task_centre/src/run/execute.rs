//! Executes a run, by the type of its task.

use super::lease::Lease;
use super::scheduled_preview::{self, ScheduledPreview};
use super::{announcing, anonymising, importing};
use db::RecordsError;
use db::entity::runs;
use policy::{Phase, RunKind, RunState, TaskSettings};
use sea_orm::EntityTrait;
use trail::Store;

/// Executes a run that this process holds, as far as possible, and returns the run's state.
pub(super) async fn perform(store: &Store, lease: Lease) -> Result<RunState, RecordsError> {
    let mut run =
        runs::Entity::find_by_id(lease.run.0).one(&store.db).await?.ok_or(RecordsError::NotFound("run"))?;
    if let TaskSettings::ImportUsers(settings) = &run.settings {
        return importing::execute(store, &lease, &run, settings).await;
    }
    if run.kind == RunKind::Scheduled && run.preview_id.is_none() {
        lease.enter(store, Phase::Previewing).await?;
        match scheduled_preview::make_scheduled(store, &lease, &run).await {
            Ok(ScheduledPreview::Ready(sealed)) => run = *sealed,
            Ok(ScheduledPreview::Stopped(state)) => return Ok(state),
            // A later attempt may succeed once the database is available again.
            Err(error @ (RecordsError::Database(_) | RecordsError::Fault(_))) => return Err(error),
            Err(error) => return scheduled_preview::failed(store, &lease, &run, &error).await,
        }
    }
    match &run.settings {
        TaskSettings::AnonymiseUserData(policy) => anonymising::execute(store, &lease, &run, policy).await,
        TaskSettings::AnnounceAnonymising(settings) => {
            announcing::execute(store, &lease, &run, settings).await
        }
        TaskSettings::ImportUsers(_) => Err(RecordsError::Corrupt("settings of the run")),
    }
}
