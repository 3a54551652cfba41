//! The scheduler: enqueues the runs of due tasks and records missed runs.
//!
//! Each active task with a schedule stores when it is due next (`tasks.next_due_at`). Saving or activating a task
//! sets this time, counted from now; [`tick`] enqueues due tasks and advances it. It follows that:
//!
//! - A task never catches up on times before its activation.
//! - A due time starts one run, however many processes see it.
//! - A clock that is set back starts nothing twice.
//!
//! Rules for late tasks:
//!
//! - A task that is more than [`GRACE_MINUTES`] late is *missed*. Depending on its setting, it runs once for all
//!   missed times, or the times are listed as one missed run.
//! - A one-time date is never caught up.
//! - While a run of a task is queued, no second run is queued. The time is recorded as missed.

mod entry;
mod fire;
mod missed;

pub use missed::{missed_times, missed_times_of};

use chrono::{DateTime, Utc};
use db::RecordsError;
use db::entity::{runs, tasks};
use policy::schedule::GRACE_MINUTES;
use policy::timezone::instants;
use policy::{RunId, Schedule, TaskId};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult as _, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait as _, Select,
};
use trail::Store;

/// Returns when a task is due next, counted from now.
///
/// Returns `None` if the task is inactive or manual only, or if its one-time date has passed.
pub(crate) fn due_from_now(store: &Store, schedule: &Schedule, active: bool) -> Option<DateTime<Utc>> {
    let clock = &store.clock;
    active.then(|| instants(schedule, clock.zone(), clock.now()).next()).flatten()
}

/// Enqueues a run for every due task, records missed times, and returns the runs.
///
/// Any number of processes may call this concurrently. A task that can't be read is logged and doesn't stop the
/// others.
pub async fn tick(store: &Store) -> Result<Vec<RunId>, RecordsError> {
    if !store.vitals.skew().lets_schedule() {
        tracing::warn!(
            "no task is started: the clock of this server differs from the others, or hasn't been compared yet"
        );
        return Ok(Vec::new());
    }
    let mut started = Vec::new();
    for task in due(store).await? {
        match fire::fire(store, task).await {
            Ok(run) => started.extend(run),
            // Temporary fault: the task is still due next time.
            Err(error) if error.is_temporary() => {}
            Err(error) => {
                tracing::error!(task = task.0, code = error.code(), "a due task could not be started");
            }
        }
    }
    Ok(started)
}

/// Recalculates the next due times that lie in the future, because the time zone or its rules may have changed.
///
/// Called once when a process starts. A time that was due before isn't due again.
pub async fn recalculate(store: &Store) -> Result<(), RecordsError> {
    let clock = &store.clock;
    let coming = active().filter(tasks::Column::NextDueAt.gt(clock.now()));
    for task in readable(store, coming).await? {
        let after = last_due(store, TaskId(task.id)).await?.max(Some(clock.now())).unwrap_or_default();
        let next = instants(&task.schedule, clock.zone(), after).next();
        if next != task.next_due_at {
            set_next(store, &task, next).await?;
        }
    }
    Ok(())
}

/// Returns the tasks that can be read. The page of any other task shows which value can't be read.
async fn readable(store: &Store, find: Select<tasks::Entity>) -> Result<Vec<tasks::Model>, RecordsError> {
    let mut readable = Vec::new();
    for row in store.db.query_all(find.as_query()).await? {
        match tasks::Model::from_query_result(&row, "").map_err(RecordsError::from) {
            Ok(task) => readable.push(task),
            Err(RecordsError::Corrupt(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(readable)
}

fn active() -> Select<tasks::Entity> {
    tasks::Entity::find()
        .filter(tasks::Column::Active.eq(true))
        .filter(tasks::Column::DeletedAt.is_null())
        .order_by_asc(tasks::Column::Id)
}

/// Returns the due tasks, longest overdue first.
async fn due(store: &Store) -> Result<Vec<TaskId>, RecordsError> {
    let ids: Vec<i64> = active()
        .select_only()
        .column(tasks::Column::Id)
        .filter(tasks::Column::NextDueAt.lte(store.clock.now()))
        .order_by_asc(tasks::Column::NextDueAt)
        .into_tuple()
        .all(&store.db)
        .await?;
    Ok(ids.into_iter().map(TaskId).collect())
}

/// Returns the last time at which a task was due.
async fn last_due(store: &Store, task: TaskId) -> Result<Option<DateTime<Utc>>, RecordsError> {
    let last = runs::Entity::find()
        .select_only()
        .column(runs::Column::DueAt)
        .filter(runs::Column::TaskId.eq(task.0))
        .filter(runs::Column::DueAt.is_not_null())
        .order_by_desc(runs::Column::DueAt)
        .into_tuple();
    Ok(last.one(&store.db).await?)
}

/// Sets the next due time of a task, unless the task was changed in the meantime.
async fn set_next(
    store: &Store,
    task: &tasks::Model,
    next: Option<DateTime<Utc>>,
) -> Result<(), RecordsError> {
    let as_read = match task.next_due_at {
        None => tasks::Column::NextDueAt.is_null(),
        Some(at) => tasks::Column::NextDueAt.eq(at),
    };
    tasks::Entity::update_many()
        .col_expr(tasks::Column::NextDueAt, Expr::value(next))
        .filter(tasks::Column::Id.eq(task.id))
        .filter(tasks::Column::Version.eq(task.version))
        .filter(as_read)
        .exec(&store.db)
        .await?;
    Ok(())
}
