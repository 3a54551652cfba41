//! The safety limit that a run exceeds.

use chrono::{DateTime, Duration, Utc};
use db::RecordsError;
use db::entity::{runs, tasks, users};
use policy::{Manual, RunId, RunKind, RunState, SafetyLimit, TaskId, TaskType};
use safeguards::limits;
use sea_orm::sea_query::Query;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select,
};
use trail::Store;

/// Number of previous runs of a task from which the usual number of users is derived.
const LAST_RUNS: u64 = 5;
/// Hours within which partial runs count together.
const PARTIAL_HOURS: i64 = 24;

/// Returns the safety limit that the run of a preview exceeds, if any.
///
/// Manual changes since the last confirmed run count. So do recent partial runs, also towards a run for all users: it
/// anonymises the users that they left out. The share is one of all users, also for a list of users.
pub(super) async fn safety_limit_of(
    db: &impl ConnectionTrait,
    store: &Store,
    preview: &runs::Model,
    last: &[i64],
) -> Result<Option<SafetyLimit>, RecordsError> {
    // Manual changes remove nothing from an announcement.
    let manual = match preview.settings.policy() {
        Some(_) => limits::manual(db, RunId(preview.id)).await?,
        None => Manual::default(),
    };
    let settings = &store.settings;
    let people = preview.previewed + recent_partial_runs(db, store, preview.settings.task_type()).await?;
    let users = if is_partial(preview) {
        i64::try_from(users::Entity::find().count(db).await?).unwrap_or(i64::MAX)
    } else {
        preview.users
    };
    Ok(settings.safety_limits.with_manual(people, users, last, manual, settings.limits))
}

/// Returns whether a preview or run leaves out users that its task selects: those outside a list, and excluded ones.
pub(super) const fn is_partial(run: &runs::Model) -> bool {
    run.listed.is_some() || run.excluded > 0
}

/// Returns the number of users in the partial runs of tasks of this type in the last 24 hours. They count together, so
/// that no limit is evaded by several small runs.
async fn recent_partial_runs(
    db: &impl ConnectionTrait,
    store: &Store,
    task_type: TaskType,
) -> Result<i64, RecordsError> {
    let since = store.clock.now() - Duration::hours(PARTIAL_HOURS);
    let of_type = Query::select()
        .column(tasks::Column::Id)
        .from(tasks::Entity)
        .and_where(tasks::Column::TaskType.eq(task_type))
        .take();
    let partial = Condition::any().add(runs::Column::Listed.is_not_null()).add(runs::Column::Excluded.gt(0));
    let recent: Vec<(Option<DateTime<Utc>>, i64, i64)> = runs::Entity::find()
        .select_only()
        .columns([runs::Column::FinishedAt, runs::Column::Previewed, runs::Column::Done])
        .filter(runs::Column::Kind.eq(RunKind::Manual))
        .filter(runs::Column::CreatedAt.gt(since))
        .filter(runs::Column::TaskId.in_subquery(of_type))
        .filter(partial)
        .into_tuple()
        .all(db)
        .await?;
    Ok(recent.into_iter().map(|(ended, previewed, done)| ended.map_or(previewed, |_| done)).sum())
}

/// Returns the numbers of users in the last complete runs of a task for all users.
pub(crate) async fn last_runs(tx: &impl ConnectionTrait, task: TaskId) -> Result<Vec<i64>, RecordsError> {
    let people = complete_runs(task)
        .select_only()
        .column(runs::Column::Previewed)
        .limit(LAST_RUNS)
        .into_tuple()
        .all(tx)
        .await?;
    Ok(people)
}

/// Selects the complete runs of a task, the newest first. Partial runs are left out: they say nothing about the usual
/// number of users.
pub(super) fn complete_runs(task: TaskId) -> Select<runs::Entity> {
    let ended = [RunState::Succeeded, RunState::CompletedWithFailures];
    runs::Entity::find()
        .filter(runs::Column::TaskId.eq(task.0))
        .filter(runs::Column::Kind.is_in([RunKind::Manual, RunKind::Scheduled]))
        .filter(runs::Column::State.is_in(ended))
        .filter(runs::Column::Listed.is_null())
        .filter(runs::Column::Excluded.eq(0))
        .order_by_desc(runs::Column::Id)
}
