//! The safety limit that a run exceeds.

use db::RecordsError;
use db::entity::runs;
use policy::{RunId, RunKind, RunState, SafetyLimit, TaskId};
use safeguards::limits;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use trail::Store;

/// Number of previous runs of a task from which the usual number of users is derived.
const LAST_RUNS: u64 = 5;

/// Returns the safety limit that the run of a preview exceeds, if any.
///
/// Manual changes since the last confirmed run count.
pub(super) async fn safety_limit_of(
    db: &impl ConnectionTrait,
    store: &Store,
    preview: &runs::Model,
    last: &[i64],
) -> Result<Option<SafetyLimit>, RecordsError> {
    let manual = limits::manual(db, RunId(preview.id)).await?;
    let settings = &store.settings;
    Ok(settings.safety_limits.with_manual(preview.previewed, preview.users, last, manual, settings.limits))
}

/// Returns the numbers of users in the last runs of a task.
pub(crate) async fn last_runs(tx: &impl ConnectionTrait, task: TaskId) -> Result<Vec<i64>, RecordsError> {
    let ended = [RunState::Succeeded, RunState::CompletedWithFailures];
    let people = runs::Entity::find()
        .select_only()
        .column(runs::Column::Previewed)
        .filter(runs::Column::TaskId.eq(task.0))
        .filter(runs::Column::Kind.is_in([RunKind::Manual, RunKind::Scheduled]))
        .filter(runs::Column::State.is_in(ended))
        .order_by_desc(runs::Column::Id)
        .limit(LAST_RUNS)
        .into_tuple()
        .all(tx)
        .await?;
    Ok(people)
}
