//! The scheduler: which tasks come due, and what becomes of runs that were missed.
//!
//! Each active task with a schedule has the instant at which it comes due next (`tasks.next_due_at`). Whoever saves
//! or switches on a task sets it, counted from now; [`tick`] starts what is due and moves it on. So a task never
//! makes up for times before it was switched on, a time that came due starts one run whoever sees it, and a clock
//! that is put back starts nothing again.
//!
//! - A task that is more than [`GRACE_MINUTES`] late was missed: by its own rule it runs once, however many times it
//!   was due, or the times are kept in the list of runs as one missed run.
//! - A single date is never made up for.
//! - While a run of a task waits for its turn, no second one is queued behind it: the time is kept as missed.

mod fire;
mod missed;

pub use missed::missed_times;
pub(crate) use missed::missed_times_of;

use crate::dialect;
use crate::entity::{runs, tasks};
use crate::error::RecordsError;
use crate::store::Store;
use crate::task::stored_schedule;
use chrono::{DateTime, Utc};
use policy::schedule::GRACE_MINUTES;
use policy::zones::instants;
use policy::{RunId, Schedule, TaskId};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

/// When a task comes due, counted from now. Never when it is not active, manual only, or its single date has passed.
pub(crate) fn due_from_now(store: &Store, schedule: &Schedule, active: bool) -> Option<DateTime<Utc>> {
    let clock = &store.clock;
    active.then(|| instants(schedule, clock.zone(), clock.now()).next()).flatten()
}

/// Puts a run into the queue for every task that is due, and notes what was missed. Gives the runs.
///
/// Any number of processes may call it at the same time. A task that cannot be read is logged and does not keep the
/// others from starting.
pub async fn tick(store: &Store) -> Result<Vec<RunId>, RecordsError> {
    if !store.vitals.skew().lets_schedule() {
        tracing::warn!("no task is started: the clock of this server differs, or is not compared yet");
        return Ok(Vec::new());
    }
    adopt(store).await?;
    let mut started = Vec::new();
    for task in due(store).await? {
        match fire::fire(store, task).await {
            Ok(run) => started.extend(run),
            // It is due the next time too.
            Err(error) if dialect::is_passing(&error) => {}
            Err(error) => {
                tracing::error!(
                    task = task.0,
                    code = error.code(),
                    "a task that is due could not be started"
                );
            }
        }
    }
    Ok(started)
}

/// Calculates again when tasks come due that are not due yet: the library's zone, or its rules, may have changed
/// since. Called once when a process starts. What has come due before never comes due again.
pub async fn recalculate(store: &Store) -> Result<(), RecordsError> {
    let clock = &store.clock;
    let coming = active().filter(tasks::Column::NextDueAt.gt(clock.now())).all(&store.db).await?;
    for task in coming {
        let Ok(schedule) = stored_schedule(&task.schedule) else { continue };
        let after = last_due(store, TaskId(task.id)).await?.max(Some(clock.now())).unwrap_or_default();
        let next = instants(&schedule, clock.zone(), after).next();
        if next != task.next_due_at {
            set_next(store, &task, next).await?;
        }
    }
    Ok(())
}

/// Gives tasks their next time that have none yet: they were made by an older version, or by other means.
async fn adopt(store: &Store) -> Result<(), RecordsError> {
    for task in active().filter(tasks::Column::NextDueAt.is_null()).all(&store.db).await? {
        // One that cannot be read says so on its page.
        let Ok(schedule) = stored_schedule(&task.schedule) else { continue };
        if let Some(next) = due_from_now(store, &schedule, true) {
            set_next(store, &task, Some(next)).await?;
        }
    }
    Ok(())
}

fn active() -> Select<tasks::Entity> {
    tasks::Entity::find()
        .filter(tasks::Column::Active.eq(true))
        .filter(tasks::Column::DeletedAt.is_null())
        .order_by_asc(tasks::Column::Id)
}

/// The tasks that are due, the one that waits longest first.
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

/// The last time at which a task came due.
async fn last_due(store: &Store, task: TaskId) -> Result<Option<DateTime<Utc>>, RecordsError> {
    let last = runs::Entity::find()
        .filter(runs::Column::TaskId.eq(task.0))
        .filter(runs::Column::DueAt.is_not_null())
        .order_by_desc(runs::Column::DueAt)
        .one(&store.db)
        .await?;
    Ok(last.and_then(|run| run.due_at))
}

/// Sets the next time of a task, unless somebody changed the task meanwhile.
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
