//! The next runs of the task centre, and the last ones compared with those before.

use chrono::{DateTime, Utc};
use db::RecordsError;
use db::entity::{runs, tasks};
use erasure::residue;
use policy::timezone::{Occurrence, occurrence};
use policy::{Action, RunId, RunKind, RunState, TaskId, TaskType};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use trail::task_name::{TaskName, visible_to};
use trail::{Actor, Store};

/// The number of runs shown.
const MAX_SHOWN_RUNS: u64 = 5;

/// A coming run.
#[derive(Clone, Debug)]
pub struct NextRun {
    /// The task.
    pub task: TaskId,
    /// Its description.
    pub description: String,
    /// When it is due.
    pub at: Occurrence,
}

/// Returns the next runs of the tasks that the actor sees.
pub async fn next_runs(store: &Store, actor: Actor) -> Result<Vec<NextRun>, RecordsError> {
    if !actor.may(Action::SeeTasks) {
        return Ok(Vec::new());
    }
    let due = tasks::Entity::find()
        .filter(tasks::Column::DeletedAt.is_null())
        .filter(tasks::Column::Active.eq(true))
        .filter(tasks::Column::NextDueAt.is_not_null())
        .filter(visible_to(actor))
        .order_by_asc(tasks::Column::NextDueAt)
        .limit(MAX_SHOWN_RUNS)
        .all(&store.db)
        .await?;
    let next = due.into_iter().filter_map(|task| {
        let at = occurrence(&task.schedule, store.clock.zone(), task.next_due_at?);
        Some(NextRun { task: TaskId(task.id), description: task.description, at })
    });
    Ok(next.collect())
}

/// The last run of a task, with the number of users of the run before.
#[derive(Clone, Debug)]
pub struct ComparedRun {
    /// The run.
    pub run: RunId,
    /// Its task, with its name.
    pub task: (TaskId, TaskName),
    /// The type of the task.
    pub task_type: TaskType,
    /// Progress or result.
    pub state: RunState,
    /// The number of its findings without a decision.
    pub open_findings: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// The number of users, or of lines for an import, that it changed.
    pub done: i64,
    /// The same number of the task's run before. None if there was none.
    pub before: Option<i64>,
}

const BY_TASK: [RunKind; 2] = [RunKind::Manual, RunKind::Scheduled];

/// Returns the last runs of tasks, the newest first, at most one for each task.
pub async fn last_runs(store: &Store, actor: Actor) -> Result<Vec<ComparedRun>, RecordsError> {
    if !actor.may(Action::SeeTasks) {
        return Ok(Vec::new());
    }
    let present = Query::select()
        .column(tasks::Column::Id)
        .from(tasks::Entity)
        .and_where(tasks::Column::DeletedAt.is_null())
        .to_owned();
    let newest: Vec<i64> = runs::Entity::find()
        .select_only()
        .column_as(runs::Column::Id.max(), "newest")
        .filter(runs::Column::Kind.is_in(BY_TASK))
        .filter(runs::Column::TaskId.in_subquery(present))
        .group_by(runs::Column::TaskId)
        .order_by_desc(runs::Column::Id.max())
        .limit(MAX_SHOWN_RUNS)
        .into_tuple()
        .all(&store.db)
        .await?;
    let rows = runs::Entity::find()
        .filter(runs::Column::Id.is_in(newest))
        .order_by_desc(runs::Column::Id)
        .all(&store.db)
        .await?;
    let tasks = tasks::Entity::find()
        .filter(tasks::Column::Id.is_in(rows.iter().filter_map(|run| run.task_id)))
        .filter(tasks::Column::DeletedAt.is_null())
        .all(&store.db)
        .await?;
    let open = residue::open_findings(&store.db, &rows.iter().map(|run| run.id).collect::<Vec<_>>()).await?;
    let mut compared = Vec::new();
    for run in rows {
        let Some(task) = tasks.iter().find(|task| Some(task.id) == run.task_id) else { continue };
        compared.push(ComparedRun {
            run: RunId(run.id),
            task: (TaskId(task.id), TaskName::new(task)),
            task_type: task.task_type,
            state: run.state,
            open_findings: open.get(&run.id).copied().unwrap_or_default(),
            created_at: run.created_at,
            done: run.done,
            before: done_before(store, &run).await?,
        });
    }
    Ok(compared)
}

/// Returns the number of users in the finished run of the same task before this one.
async fn done_before(store: &Store, run: &runs::Model) -> Result<Option<i64>, DbErr> {
    runs::Entity::find()
        .select_only()
        .column(runs::Column::Done)
        .filter(runs::Column::TaskId.eq(run.task_id))
        .filter(runs::Column::Id.lt(run.id))
        .filter(runs::Column::Kind.is_in(BY_TASK))
        .filter(runs::Column::State.is_in([RunState::Succeeded, RunState::CompletedWithFailures]))
        .order_by_desc(runs::Column::Id)
        .limit(1)
        .into_tuple()
        .one(&store.db)
        .await
}
