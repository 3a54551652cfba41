//! The safety limit that a run exceeds.

use chrono::{DateTime, Duration, Utc};
use db::RecordsError;
use db::entity::{runs, users};
use policy::{RunId, RunKind, RunState, SafetyLimit, TaskId};
use safeguards::limits;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use trail::Store;

/// Number of previous runs of a task from which the usual number of users is derived.
const LAST_RUNS: u64 = 5;
/// Hours within which partial runs count together.
const PARTIAL_HOURS: i64 = 24;

/// Returns the safety limit that the run of a preview exceeds, if any.
///
/// Manual changes since the last confirmed run count. The share is one of all users, also for a list of users.
pub(super) async fn safety_limit_of(
    db: &impl ConnectionTrait,
    store: &Store,
    preview: &runs::Model,
    last: &[i64],
) -> Result<Option<SafetyLimit>, RecordsError> {
    let manual = limits::manual(db, RunId(preview.id)).await?;
    let settings = &store.settings;
    let (mut people, mut users) = (preview.previewed, preview.users);
    if is_partial(preview) {
        people += recent_partial_runs(db, store).await?;
        users = i64::try_from(users::Entity::find().count(db).await?).unwrap_or(i64::MAX);
    }
    Ok(settings.safety_limits.with_manual(people, users, last, manual, settings.limits))
}

/// Returns whether a preview or run leaves out users that its task selects: those outside a list, and excluded ones.
pub(super) const fn is_partial(run: &runs::Model) -> bool {
    run.listed.is_some() || run.excluded > 0
}

/// Returns the number of users in the partial runs of the last 24 hours. They count together, so that no limit is evaded
/// by several small runs.
async fn recent_partial_runs(db: &impl ConnectionTrait, store: &Store) -> Result<i64, RecordsError> {
    let since = store.clock.now() - Duration::hours(PARTIAL_HOURS);
    let partial = Condition::any().add(runs::Column::Listed.is_not_null()).add(runs::Column::Excluded.gt(0));
    let recent: Vec<(Option<DateTime<Utc>>, i64, i64)> = runs::Entity::find()
        .select_only()
        .columns([runs::Column::FinishedAt, runs::Column::Previewed, runs::Column::Done])
        .filter(runs::Column::Kind.eq(RunKind::Manual))
        .filter(runs::Column::CreatedAt.gt(since))
        .filter(partial)
        .into_tuple()
        .all(db)
        .await?;
    Ok(recent.into_iter().map(|(ended, previewed, done)| ended.map_or(previewed, |_| done)).sum())
}

/// Returns the numbers of users in the last runs of a task, apart from runs for listed users.
pub(crate) async fn last_runs(tx: &impl ConnectionTrait, task: TaskId) -> Result<Vec<i64>, RecordsError> {
    let ended = [RunState::Succeeded, RunState::CompletedWithFailures];
    let people = runs::Entity::find()
        .select_only()
        .column(runs::Column::Previewed)
        .filter(runs::Column::TaskId.eq(task.0))
        .filter(runs::Column::Kind.is_in([RunKind::Manual, RunKind::Scheduled]))
        .filter(runs::Column::State.is_in(ended))
        .filter(runs::Column::Listed.is_null())
        .order_by_desc(runs::Column::Id)
        .limit(LAST_RUNS)
        .into_tuple()
        .all(tx)
        .await?;
    Ok(people)
}
