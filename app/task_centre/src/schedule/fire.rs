//! Enqueues the run of one due task in one transaction.

use super::GRACE_MINUTES;
use super::entry::{insert, is_dealt_with};
use super::missed::{self, Times};
use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use db::RecordsError;
use db::entity::{runs, tasks};
use policy::timezone::instants;
use policy::{MisfirePolicy, RunId, RunState, Schedule, TaskId};
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, Set, SqlErr,
};
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// Maximum number of missed times that are counted.
const MAX_TIMES: usize = 10_000;

/// Enqueues the run of a due task and advances its next due time. Returns the run, if there is one.
pub(super) async fn fire(store: &Store, task: TaskId) -> Result<Option<RunId>, RecordsError> {
    let tx = store.begin().await?;
    let Some(task) = locked(&tx, store, task).await? else { return Ok(None) };
    let now = store.clock.now();
    let due = Due::new(&task, &task.schedule, store.clock.zone(), now);
    let started = match start(&tx, store, &task, due).await {
        // Another process enqueued the run and advanced the task, although the lock didn't prevent this one.
        Err(error) if is_taken(&error) => return Ok(None),
        started => started?,
    };
    tasks::ActiveModel {
        id: Set(task.id),
        next_due_at: Set(instants(&task.schedule, store.clock.zone(), now).next()),
        ..Default::default()
    }
    .update(&tx)
    .await?;
    store.commit(tx).await?;
    Ok(started)
}

/// Returns the task, locked until the end of the transaction, or `None` if it isn't due or another process holds
/// it.
async fn locked(
    tx: &DatabaseTransaction,
    store: &Store,
    task: TaskId,
) -> Result<Option<tasks::Model>, RecordsError> {
    let task = tasks::Entity::find_by_id(task.0)
        .filter(tasks::Column::Active.eq(true))
        .filter(tasks::Column::DeletedAt.is_null())
        .filter(tasks::Column::NextDueAt.lte(store.clock.now()))
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    Ok(task.one(tx).await?)
}

/// The due times of a task.
#[derive(Clone, Copy, Debug)]
struct Due {
    /// The first time that hasn't been handled.
    first: DateTime<Utc>,
    /// The time for which a run can still start punctually.
    on_time: Option<DateTime<Utc>>,
    /// Number of times missed because no process was running.
    absent: usize,
    /// The last missed time, if a run catches up.
    made_up_for: Option<DateTime<Utc>>,
}

impl Due {
    fn new(task: &tasks::Model, schedule: &Schedule, zone: Tz, now: DateTime<Utc>) -> Self {
        let first = task.next_due_at.unwrap_or(now);
        let in_time = now - Duration::minutes(GRACE_MINUTES);
        let times = || std::iter::once(first).chain(instants(schedule, zone, first));
        let absent: Vec<DateTime<Utc>> = times().take_while(|at| *at < in_time).take(MAX_TIMES).collect();
        let after = first.max(in_time) - Duration::milliseconds(1);
        let on_time = if first >= in_time { Some(first) } else { instants(schedule, zone, after).next() };
        let skips = matches!(schedule, Schedule::Once { .. }) || task.missed == MisfirePolicy::Skip;
        Self {
            first,
            on_time: on_time.filter(|at| *at <= now),
            absent: absent.len(),
            made_up_for: absent.last().copied().filter(|_| !skips),
        }
    }

    /// Returns the time for which a run must start.
    fn run(self) -> Option<DateTime<Utc>> {
        self.on_time.or(self.made_up_for)
    }
}

/// Enqueues the run and records missed times.
async fn start(
    tx: &DatabaseTransaction,
    store: &Store,
    task: &tasks::Model,
    due: Due,
) -> Result<Option<RunId>, RecordsError> {
    let absent = Times { absent: due.absent, waiting: 0 };
    let Some(at) = due.run() else {
        missed::record(tx, store, task, due.first, absent).await?;
        return Ok(None);
    };
    if is_dealt_with(tx, task, at).await? {
        return Ok(None);
    }
    if let Some(run) = waiting(tx, task).await? {
        let times = Times { waiting: usize::from(due.on_time.is_some()), ..absent };
        missed::note_behind(tx, store, task, due.first, times, run).await?;
        return Ok(None);
    }
    let run = RunId(insert(tx, store, task, at, RunState::Queued).await?.id);
    if due.made_up_for.is_some() {
        missed::count(tx, run, absent).await?;
    } else if due.absent > 0 {
        missed::record(tx, store, task, due.first, absent).await?;
    }
    let subject = Subject::Task(task.id);
    audit::record_event(tx, &store.clock, Actor::SCHEDULE, AuditAction::RunStarted, subject, Some(run), "")
        .await?;
    Ok(Some(run))
}

/// Returns the queued run of this task.
async fn waiting(tx: &DatabaseTransaction, task: &tasks::Model) -> Result<Option<RunId>, RecordsError> {
    let run = runs::Entity::find()
        .filter(runs::Column::TaskId.eq(task.id))
        .filter(runs::Column::State.eq(RunState::Queued))
        .one(tx)
        .await?;
    Ok(run.map(|run| RunId(run.id)))
}

fn is_taken(error: &RecordsError) -> bool {
    let RecordsError::Database(error) = error else { return false };
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}
