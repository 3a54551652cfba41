//! Reads tasks: the list, one task.

use crate::schedule::due_from_now;
use chrono::{DateTime, Utc};
use db::RecordsError;
use db::entity::{custom_fields, runs, tasks};
use db::pagination::{Page, Paging};
use erasure::residue;
use policy::task_form::{TaskDraft, Visibility};
use policy::timezone::{Occurrence, occurrence};
use policy::{RunId, RunKind, RunState, Schedule, TaskId, TaskType, UserNumber};
use sea_orm::{
    ColumnTrait, DbErr, DerivePartialModel, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr, sea_query::ExprTrait, sea_query::Func,
};
use serde::Serialize;
use trail::task_name::visible_to;
use trail::{Actor, Store};

/// Filter for a list of tasks.
#[derive(Clone, Debug, Default)]
pub struct TaskQuery {
    /// Only tasks of this type.
    pub task_type: Option<TaskType>,
    /// Only active (`true`) or inactive tasks.
    pub active: Option<bool>,
    /// Only tasks with these words in the description.
    pub text: String,
}

/// The last run of a task.
#[derive(Clone, Debug, Serialize)]
pub struct LastRun {
    /// The run.
    pub id: RunId,
    /// Its kind: a run for a single user counts, too.
    pub kind: RunKind,
    /// Progress or result.
    pub state: RunState,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Number of open findings.
    pub open_findings: i64,
}

/// A row in the list of tasks.
#[derive(Clone, Debug, Serialize)]
pub struct TaskRow {
    /// Number of the task.
    pub id: TaskId,
    /// Its description.
    pub description: String,
    /// Its type.
    pub task_type: TaskType,
    /// Whether it runs by its schedule.
    pub active: bool,
    /// Whether only the owner sees it.
    pub private: bool,
    /// Its schedule.
    pub schedule: Schedule,
    /// The next run, or `None` if it never starts automatically.
    pub next: Option<Occurrence>,
    /// The last run.
    pub last: Option<LastRun>,
    /// Whether it is marked as the default task.
    pub single_default: bool,
}

/// One task.
#[derive(Clone, Debug)]
pub struct Task {
    /// Number of the task.
    pub id: TaskId,
    /// Its settings; `edited` contains its version.
    pub draft: TaskDraft,
    /// Whether it is marked as the default task.
    pub single_default: bool,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub changed_at: DateTime<Utc>,
    /// The next run, or `None` if it never starts automatically.
    pub next: Option<Occurrence>,
    /// The last run.
    pub last: Option<LastRun>,
    /// Whether scheduled runs may use its policy.
    pub confirmation: Confirmation,
}

/// Whether a policy is confirmed: a member of staff has seen the users that it selects and run it.
///
/// Until then, scheduled runs stop after their preview.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirmation {
    /// The policy was never confirmed.
    Missing,
    /// The policy extends beyond the confirmed one.
    Outgrown,
    /// The policy is within the confirmed one.
    Given,
}

/// Returns the tasks that the actor may see, in order of creation.
pub async fn list(
    store: &Store,
    actor: Actor,
    query: &TaskQuery,
    paging: &Paging,
) -> Result<Page<TaskRow>, RecordsError> {
    let mut find = tasks::Entity::find()
        .filter(tasks::Column::DeletedAt.is_null())
        .filter(visible_to(actor))
        .order_by_asc(tasks::Column::Id)
        .limit(paging.limit());
    if let Some(task_type) = query.task_type {
        find = find.filter(tasks::Column::TaskType.eq(task_type));
    }
    if let Some(active) = query.active {
        find = find.filter(tasks::Column::Active.eq(active));
    }
    for word in query.text.split_whitespace() {
        let lower = Expr::expr(Func::lower(Expr::col(tasks::Column::Description)));
        let escaped = word.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        find =
            find.filter(lower.like(sea_orm::sea_query::LikeExpr::new(format!("%{escaped}%")).escape('\\')));
    }
    if let Some(after) = paging.after.as_deref().and_then(|after| after.parse::<i64>().ok()) {
        find = find.filter(tasks::Column::Id.gt(after));
    }
    let rows = find.all(&store.db).await?;
    let last = last_runs(store, &rows.iter().map(|task| task.id).collect::<Vec<_>>()).await?;
    let rows = rows.into_iter().map(|task| TaskRow {
        id: TaskId(task.id),
        next: next_run(store, &task),
        last: last.iter().find(|(id, _)| *id == task.id).map(|(_, last)| last.clone()),
        description: task.description,
        task_type: task.task_type,
        active: task.active,
        private: task.visibility == Visibility::Private,
        schedule: task.schedule,
        single_default: task.single_default,
    });
    Ok(Page::from_rows(rows.collect(), paging, |row| row.id.to_string()))
}

/// Returns one task.
pub async fn read(store: &Store, actor: Actor, id: TaskId) -> Result<Task, RecordsError> {
    let task = super::row_for(&store.db, actor, id).await?;
    let last = last_runs(store, &[task.id]).await?.pop().map(|(_, last)| last);
    Ok(Task {
        id,
        next: next_run(store, &task),
        confirmation: confirmation(&task),
        draft: draft_of(&task),
        single_default: task.single_default,
        created_at: task.created_at,
        changed_at: task.changed_at,
        last,
    })
}

/// Returns the settings of a stored task.
pub(super) fn draft_of(task: &tasks::Model) -> TaskDraft {
    TaskDraft {
        edited: Some((task.id, task.version)),
        description: task.description.clone(),
        active: task.active,
        visibility: task.visibility,
        owner: task.owner_number.map(UserNumber),
        settings: task.settings.clone(),
        schedule: task.schedule.clone(),
        missed: task.missed,
        notice: None,
    }
}

/// Returns when a task is due next. If the scheduler hasn't processed the task yet, counts from now.
fn next_run(store: &Store, task: &tasks::Model) -> Option<Occurrence> {
    let at = task.next_due_at.or_else(|| due_from_now(store, &task.schedule, task.active))?;
    Some(occurrence(&task.schedule, store.clock.zone(), at))
}

/// Returns whether scheduled runs may use the policy of a task.
pub(crate) fn confirmation(task: &tasks::Model) -> Confirmation {
    match &task.confirmed_settings {
        None => Confirmation::Missing,
        Some(confirmed) if task.settings.extends_beyond(confirmed) => Confirmation::Outgrown,
        Some(_) => Confirmation::Given,
    }
}

/// The columns of [`LastRun`].
#[derive(DerivePartialModel)]
#[sea_orm(entity = "runs::Entity")]
struct NewestRun {
    id: i64,
    task_id: Option<i64>,
    kind: RunKind,
    state: RunState,
    created_at: DateTime<Utc>,
}

/// Returns the last run of each of these tasks, excluding previews.
async fn last_runs(store: &Store, tasks: &[i64]) -> Result<Vec<(i64, LastRun)>, RecordsError> {
    let newest: Vec<i64> = runs::Entity::find()
        .select_only()
        .column_as(runs::Column::Id.max(), "newest")
        .filter(runs::Column::TaskId.is_in(tasks.iter().copied()))
        .filter(runs::Column::Kind.is_in([RunKind::Manual, RunKind::Scheduled, RunKind::Single]))
        .group_by(runs::Column::TaskId)
        .into_tuple()
        .all(&store.db)
        .await?;
    let rows = runs::Entity::find()
        .filter(runs::Column::Id.is_in(newest))
        .into_partial_model::<NewestRun>()
        .all(&store.db)
        .await?;
    let open = residue::open_findings(&store.db, &rows.iter().map(|row| row.id).collect::<Vec<_>>()).await?;
    let last = rows.into_iter().map(|row| {
        let open_findings = open.get(&row.id).copied().unwrap_or_default();
        let NewestRun { id, task_id, kind, state, created_at } = row;
        (task_id.unwrap_or_default(), LastRun { id: RunId(id), kind, state, created_at, open_findings })
    });
    Ok(last.collect())
}

/// Returns the custom fields of this library, with their classes.
pub(super) async fn all_custom_fields(
    db: &impl sea_orm::ConnectionTrait,
) -> Result<Vec<custom_fields::Model>, DbErr> {
    custom_fields::Entity::find().order_by_asc(custom_fields::Column::Key).all(db).await
}
