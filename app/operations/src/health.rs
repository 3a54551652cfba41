//! Conditions that staff or monitoring should look at, because background work runs unattended. Examples are overdue
//! tasks, missed, stalled, failed or unconfirmed runs, and legal holds due for review.
//!
//! Every page reads them, so this takes only a few indexed queries.

mod access_requests;
mod condition;
mod figures;
mod findings;
mod guessing;
mod held_lines;
mod holds;
mod limits;
mod notifications;

pub use condition::{Condition, ConditionKind};
pub use figures::{Figures, OfRuns, figures};

use chrono::{DateTime, Duration, Utc};
use db::entity::{runs, tasks};
use db::{Clock, RecordsError, dialect};
use futures::FutureExt as _;
use futures::future::try_join_all;
use policy::task_form::Visibility;
use policy::{FourEyes, Phase, RunId, RunKind, RunState, TaskId, TaskType};
use sea_orm::sea_query::Value;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, DerivePartialModel, EntityTrait, QueryFilter, QueryOrder,
    QueryResult,
};
use task_centre::run::is_importing_here;
use task_centre::schedule::missed_times_of;
use task_centre::task::unowned_tasks;
use trail::Store;
use trail::task_name::{TaskName, names};

/// A task is overdue after this many minutes, which means that no scheduler is working. The same limit applies to
/// a queued run that is not started.
pub const OVERDUE_MINUTES: i64 = 15;
/// A run is stalled after this many minutes without progress.
pub const NO_PROGRESS_MINUTES: i64 = 5;
/// A missed run is reported for this many days, unless its task has run since.
pub const MISSED_DAYS: i64 = 7;
/// A held line without a decision is reported after this many days.
pub const HELD_LINE_DAYS: i64 = 3;

/// The number of newest runs to search for states that no index covers.
const LOOK_BACK: i64 = 1_000;

/// The current conditions. Empty if all is well.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// The conditions, the most urgent first.
    pub conditions: Vec<Condition>,
}

/// Reads the current conditions.
pub async fn read(store: &Store) -> Result<Health, RecordsError> {
    // The most urgent first.
    let in_database = try_join_all([
        guessing::codes(store).boxed(),
        limits::conditions(store).boxed(),
        overdue(store).boxed(),
        unfinished(store).boxed(),
        newest(store).boxed(),
        missed(store).boxed(),
        unowned(store).boxed(),
        findings::open(store).boxed(),
        holds::due(store).boxed(),
        held_lines::waiting(store).boxed(),
        access_requests::due(store).boxed(),
        notifications::failed(store).boxed(),
    ])
    .await?;
    Ok(Health { conditions: [of_this_process(store), in_database.concat(), relaxed(store)].concat() })
}

/// Returns the protections that the configuration has disabled, since the start of this process.
fn relaxed(store: &Store) -> Vec<Condition> {
    let off = [
        (store.settings.sign_in.allow_password_only, ConditionKind::PasswordOnly),
        (store.settings.four_eyes == FourEyes::Off, ConditionKind::FourEyesOff),
    ];
    let conditions = off.into_iter().filter(|(is_off, _)| *is_off);
    conditions.map(|(_, what)| Condition { what, task: None, run: None, since: store.began }).collect()
}

/// Returns the conditions that this process knows without the database.
pub fn of_this_process(store: &Store) -> Vec<Condition> {
    let vitals = &store.vitals;
    let faults = vitals.faults().into_iter().map(ConditionKind::Fault);
    let clock = vitals.skew().reported().map(|seconds| ConditionKind::ClockDiffers { seconds });
    let key = vitals.is_key_file_wrong().then_some(ConditionKind::KeyFile);
    let suppression = vitals.is_suppression_key_wrong().then_some(ConditionKind::SuppressionKey);
    let since = store.clock.now();
    faults
        .chain(clock)
        .chain(key)
        .chain(suppression)
        .map(|what| Condition { what, task: None, run: None, since })
        .collect()
}

/// Runs a query for several conditions.
///
/// Raw SQL: the queries compare the runs of a task with its later runs, or use a fragment of another crate.
async fn query(store: &Store, sql: &str, values: Vec<Value>) -> Result<Vec<QueryResult>, DbErr> {
    store.db.query_all_raw(dialect::bind(store.db.get_database_backend(), sql, values)).await
}

/// Returns the task of a row with `task_id` and the columns of its name.
fn task_of(row: &QueryResult) -> Result<(TaskId, TaskName), DbErr> {
    let (words, visibility) = (row.try_get("", "description")?, row.try_get("", "visibility")?);
    let owner = row.try_get("", "owner_number")?;
    Ok((TaskId(row.try_get("", "task_id")?), TaskName::stored(words, visibility, owner)))
}

/// Returns scheduled tasks without an owner who can look after them.
async fn unowned(store: &Store) -> Result<Vec<Condition>, RecordsError> {
    let tasks = unowned_tasks(&store.db, None).await?;
    let runs = tasks.into_iter().filter(|task| task.active && !task.schedule.is_manual_only());
    let since = store.clock.now();
    Ok(runs
        .map(|task| Condition {
            what: ConditionKind::OwnerGone,
            task: Some((task.id, task.name)),
            run: None,
            since,
        })
        .collect())
}

/// The next run of a task. A task whose settings can't be read is reported too.
#[derive(DerivePartialModel)]
#[sea_orm(entity = "tasks::Entity")]
struct Due {
    id: i64,
    description: String,
    visibility: Visibility,
    owner_number: Option<i64>,
    next_due_at: Option<DateTime<Utc>>,
}

async fn overdue(store: &Store) -> Result<Vec<Condition>, RecordsError> {
    let before = store.clock.now() - Duration::minutes(OVERDUE_MINUTES);
    let tasks = tasks::Entity::find()
        .filter(tasks::Column::NextDueAt.lte(before))
        .filter(tasks::Column::Active.eq(true))
        .filter(tasks::Column::DeletedAt.is_null())
        .order_by_asc(tasks::Column::NextDueAt)
        .into_partial_model::<Due>()
        .all(&store.db)
        .await?;
    let conditions = tasks.into_iter().filter_map(|task| {
        let since = task.next_due_at?;
        let name = TaskName::stored(task.description, task.visibility, task.owner_number);
        let task = Some((TaskId(task.id), name));
        Some(Condition { what: ConditionKind::Overdue, task, run: None, since })
    });
    Ok(conditions.collect())
}

/// The columns that decide whether an unfinished run makes progress. A run whose settings can't be read is reported too.
#[derive(DerivePartialModel)]
#[sea_orm(entity = "runs::Entity")]
struct Unfinished {
    id: i64,
    task_id: Option<i64>,
    state: RunState,
    phase: Option<Phase>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    heartbeat_at: Option<DateTime<Utc>>,
    progress_at: Option<DateTime<Utc>>,
}

/// Returns unfinished runs that should have progressed further.
async fn unfinished(store: &Store) -> Result<Vec<Condition>, RecordsError> {
    let states = [RunState::Queued, RunState::Running, RunState::Cancelling, RunState::Interrupted];
    let rows = runs::Entity::find()
        .filter(runs::Column::State.is_in(states))
        .order_by_asc(runs::Column::Id)
        .into_partial_model::<Unfinished>()
        .all(&store.db)
        .await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let names = names(&store.db, rows.iter().filter_map(|run| run.task_id)).await?;
    let waits = |run: &Unfinished| run.state == RunState::Queued;
    // A run that waits behind an active one is not late.
    let busy = rows.iter().any(|run| !waits(run));
    let conditions = rows.iter().filter_map(|run| {
        let (what, since) = if waits(run) {
            let late = store.clock.now() - run.created_at > Duration::minutes(OVERDUE_MINUTES);
            (ConditionKind::NotStarted, Some(run.created_at).filter(|_| late && !busy)?)
        } else {
            stalled(store, run)?
        };
        let task = run.task_id.map(TaskId).and_then(|id| Some((id, names.get(&id)?.clone())));
        Some(Condition { what, task, run: Some(RunId(run.id)), since })
    });
    Ok(conditions.collect())
}

/// Returns why an active run makes no progress, and since when. Heartbeats follow the system clock.
fn stalled(store: &Store, run: &Unfinished) -> Option<(ConditionKind, DateTime<Utc>)> {
    if is_importing_here(store, RunId(run.id)) {
        return None;
    }
    let now = Clock::system_now();
    let long = Duration::minutes(NO_PROGRESS_MINUTES);
    let began = run.started_at.unwrap_or(run.created_at);
    let alive = run.heartbeat_at.unwrap_or(began);
    // The last phases may take long in a large database. There only heartbeats count.
    let progress = match run.phase {
        Some(Phase::Scanning | Phase::Maintaining | Phase::Importing) => alive,
        _ => run.progress_at.unwrap_or(began).max(began).min(alive),
    };
    if now - progress > long {
        return Some((ConditionKind::Stalled, progress));
    }
    let lease = Duration::from_std(store.settings.lease).unwrap_or(long);
    let gone = run.state == RunState::Interrupted || now - alive > lease;
    gone.then_some((ConditionKind::Interrupted, alive))
}

/// Returns the newest run of each task if it ended badly.
async fn newest(store: &Store) -> Result<Vec<Condition>, RecordsError> {
    let sql = "SELECT r.id, r.state, r.done, r.skipped, r.failed, r.safety_limit, r.created_at, r.finished_at, \
               t.id AS task_id, t.task_type, t.description, t.visibility, t.owner_number \
               FROM runs r JOIN tasks t ON t.id = r.task_id \
               WHERE (r.state IN (?, ?, ?, ?) OR (r.state = ? AND r.done = 0 AND r.previewed > 0 \
               AND r.id > (SELECT MAX(id) FROM runs) - ?)) AND r.kind IN (?, ?) AND t.deleted_at IS NULL \
               AND NOT EXISTS (SELECT 1 FROM runs n WHERE n.task_id = r.task_id AND n.id > r.id \
               AND n.kind IN (?, ?) AND n.state NOT IN (?, ?)) ORDER BY r.id";
    let reported = [
        RunState::Failed,
        RunState::CompletedWithFailures,
        RunState::StoppedByLimit,
        RunState::NothingToImport,
        RunState::Succeeded,
    ];
    let kinds = [RunKind::Manual, RunKind::Scheduled].map(Value::from);
    let mut values: Vec<Value> = reported.map(Value::from).into();
    values.push(LOOK_BACK.into());
    values.extend(kinds.iter().chain(&kinds).cloned());
    values.extend([RunState::Missed, RunState::Queued].map(Value::from));
    let rows = query(store, sql, values).await?;
    let conditions = rows.iter().filter_map(|row| of_newest(row).transpose());
    conditions.collect()
}

/// Returns the condition of a run that ended badly. None if the run imported a file without a change.
fn of_newest(row: &QueryResult) -> Result<Option<Condition>, RecordsError> {
    let task_type: TaskType = row.try_get("", "task_type")?;
    let imports = task_type == TaskType::ImportUsers;
    let ended: Option<DateTime<Utc>> = row.try_get("", "finished_at")?;
    let what = match row.try_get("", "state")? {
        RunState::StoppedByLimit => ConditionKind::StoppedByLimit(row.try_get("", "safety_limit")?),
        RunState::NothingToImport => ConditionKind::NoFile,
        RunState::Succeeded if imports => return Ok(None),
        RunState::Succeeded => ConditionKind::AllSkipped { skipped: row.try_get("", "skipped")? },
        _ if imports => ConditionKind::ImportFailed { lines: row.try_get("", "failed")? },
        _ => ConditionKind::Failed { people: row.try_get("", "failed")? },
    };
    let since = ended.map_or_else(|| row.try_get("", "created_at"), Ok)?;
    let run = Some(RunId(row.try_get("", "id")?));
    Ok(Some(Condition { what, task: Some(task_of(row)?), run, since }))
}

/// Returns the newest missed run of each task that has not run since.
async fn missed(store: &Store) -> Result<Vec<Condition>, RecordsError> {
    let sql = "SELECT r.id, r.due_at, t.id AS task_id, t.description, t.visibility, t.owner_number \
               FROM runs r JOIN tasks t ON t.id = r.task_id \
               WHERE r.state = ? AND r.id > (SELECT MAX(id) FROM runs) - ? AND r.created_at >= ? AND t.deleted_at IS NULL AND NOT EXISTS \
               (SELECT 1 FROM runs n WHERE n.task_id = r.task_id AND (n.state = ? AND n.id > r.id \
               OR n.state IN (?, ?) AND n.kind IN (?, ?) AND n.finished_at >= r.created_at)) ORDER BY r.id";
    let ran = [RunState::Missed, RunState::Succeeded, RunState::CompletedWithFailures].map(Value::from);
    let kinds = [RunKind::Manual, RunKind::Scheduled].map(Value::from);
    let since = store.clock.now() - Duration::days(MISSED_DAYS);
    let mut values: Vec<Value> = vec![RunState::Missed.into(), LOOK_BACK.into(), since.into()];
    values.extend(ran.into_iter().chain(kinds));
    let rows = query(store, sql, values).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.try_get("", "id")).collect::<Result<_, DbErr>>()?;
    let times = missed_times_of(&store.db, &ids).await?;
    let conditions = rows.iter().zip(ids).map(|(row, id)| {
        let times = times.iter().filter(|(run, ..)| run.0 == id).map(|(.., count)| count).sum();
        let what = ConditionKind::Missed { times };
        Ok(Condition {
            what,
            task: Some(task_of(row)?),
            run: Some(RunId(id)),
            since: row.try_get("", "due_at")?,
        })
    });
    conditions.collect()
}
