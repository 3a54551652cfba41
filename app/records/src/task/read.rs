//! Reading tasks: the list, one task.

use super::who_sees::visible_to;
use crate::actor::Actor;
use crate::entity::{custom_fields, runs, tasks};
use crate::error::RecordsError;
use crate::page::{Page, Paging};
use crate::run::{self, stored_policy};
use crate::schedule::due_from_now;
use crate::store::Store;
use chrono::{DateTime, Utc};
use policy::task_form::{TaskDraft, Visibility};
use policy::zones::{Occurrence, occurrence};
use policy::{Missed, RunId, RunKind, RunState, Schedule, TaskId, UserNumber, is_wider};
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
    sea_query::ExprTrait, sea_query::Func,
};
use serde::Serialize;

/// Which tasks a list shows.
#[derive(Clone, Debug, Default)]
pub struct TaskQuery {
    /// Of this type only, by code.
    pub task_type: Option<String>,
    /// Active or inactive ones only.
    pub active: Option<bool>,
    /// With these words in the description.
    pub text: String,
}

/// The last time a task ran.
#[derive(Clone, Debug, Serialize)]
pub struct LastRun {
    /// The run.
    pub id: RunId,
    /// How far it is, or how it ended.
    pub state: RunState,
    /// When it was started.
    pub created_at: DateTime<Utc>,
    /// Findings of its residue search that are still to be decided.
    pub open_findings: i64,
}

/// One line of the list of tasks.
#[derive(Clone, Debug, Serialize)]
pub struct TaskRow {
    /// Its id.
    pub id: TaskId,
    /// Its description.
    pub description: String,
    /// Whether it runs by its schedule.
    pub active: bool,
    /// The owner's task only.
    pub private: bool,
    /// Its schedule.
    pub schedule: Schedule,
    /// When it runs next; None when never by itself.
    pub next: Option<Occurrence>,
    /// The last run.
    pub last: Option<LastRun>,
    /// Whether it is marked to serve single users.
    pub single_default: bool,
}

/// One task.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// What it says; `edited` holds its version.
    pub draft: TaskDraft,
    /// Whether it is marked to serve single users.
    pub single_default: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub changed_at: DateTime<Utc>,
    /// When it runs next; None when never by itself.
    pub next: Option<Occurrence>,
    /// The last run.
    pub last: Option<LastRun>,
    /// Whether its policy may run by itself.
    pub confirmation: Confirmation,
}

/// Whether somebody has seen whom a policy selects and let it run. Until then scheduled runs stop after their preview.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirmation {
    /// Nobody has.
    Missing,
    /// The policy reaches further than the one that was confirmed.
    Outgrown,
    /// The policy reaches no further than the one that was confirmed.
    Given,
}

/// Lists the tasks that somebody may see, by description.
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
    if let Some(task_type) = &query.task_type {
        find = find.filter(tasks::Column::TaskType.eq(task_type.clone()));
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
    let rows = rows.into_iter().map(|task| {
        let schedule = stored_schedule(&task.schedule)?;
        Ok(TaskRow {
            id: TaskId(task.id),
            next: next_run(store, &task, &schedule),
            last: last.iter().find(|(id, _)| *id == task.id).map(|(_, last)| last.clone()),
            description: task.description,
            active: task.active,
            private: task.visibility == Visibility::Private.code(),
            schedule,
            single_default: task.single_default,
        })
    });
    let rows = rows.collect::<Result<Vec<_>, RecordsError>>()?;
    Ok(Page::of(rows, paging, |row| row.id.to_string()))
}

/// Reads one task.
pub async fn read(store: &Store, actor: Actor, id: TaskId) -> Result<Task, RecordsError> {
    let task = super::row_for(&store.db, actor, id).await?;
    let draft = draft_of(&task)?;
    let last = last_runs(store, &[task.id]).await?.pop().map(|(_, last)| last);
    Ok(Task {
        id,
        next: next_run(store, &task, &draft.schedule),
        confirmation: confirmation(&task, &draft)?,
        draft,
        single_default: task.single_default,
        created_at: task.created_at,
        changed_at: task.changed_at,
        last,
    })
}

/// What a stored task says.
pub(super) fn draft_of(task: &tasks::Model) -> Result<TaskDraft, RecordsError> {
    Ok(TaskDraft {
        edited: Some((task.id, task.version)),
        description: task.description.clone(),
        active: task.active,
        visibility: Visibility::from_code(&task.visibility)
            .ok_or(RecordsError::Corrupt("visibility of the task"))?,
        owner: task.owner_number.map(UserNumber),
        policy: stored_policy(&task.policy)?,
        schedule: stored_schedule(&task.schedule)?,
        missed: Missed::from_code(&task.missed).ok_or(RecordsError::Corrupt("rule for missed runs"))?,
        notice: None,
    })
}

pub(crate) fn stored_schedule(text: &str) -> Result<Schedule, RecordsError> {
    serde_json::from_str(text).map_err(|_| RecordsError::Corrupt("schedule"))
}

/// When a task comes due next. A task that the scheduler has not seen yet will be counted from now.
fn next_run(store: &Store, task: &tasks::Model, schedule: &Schedule) -> Option<Occurrence> {
    let at = task.next_due_at.or_else(|| due_from_now(store, schedule, task.active))?;
    Some(occurrence(schedule, store.clock.zone(), at))
}

fn confirmation(task: &tasks::Model, draft: &TaskDraft) -> Result<Confirmation, RecordsError> {
    let Some(confirmed) = &task.confirmed_policy else { return Ok(Confirmation::Missing) };
    let wider = is_wider(&draft.policy, &stored_policy(confirmed)?);
    Ok(if wider { Confirmation::Outgrown } else { Confirmation::Given })
}

/// The last run of each of these tasks, previews not counted.
async fn last_runs(store: &Store, tasks: &[i64]) -> Result<Vec<(i64, LastRun)>, RecordsError> {
    let newest: Vec<i64> = runs::Entity::find()
        .select_only()
        .column_as(runs::Column::Id.max(), "newest")
        .filter(runs::Column::TaskId.is_in(tasks.iter().copied()))
        .filter(runs::Column::Kind.is_in([RunKind::Manual.code(), RunKind::Scheduled.code()]))
        .group_by(runs::Column::TaskId)
        .into_tuple()
        .all(&store.db)
        .await?;
    let rows = runs::Entity::find().filter(runs::Column::Id.is_in(newest)).all(&store.db).await?;
    let open = run::open_findings(&store.db, &rows.iter().map(|run| run.id).collect::<Vec<_>>()).await?;
    rows.into_iter()
        .map(|run| {
            let state = RunState::from_code(&run.state).ok_or(RecordsError::Corrupt("state of the run"))?;
            let open_findings = open.get(&run.id).copied().unwrap_or_default();
            let last = LastRun { id: RunId(run.id), state, created_at: run.created_at, open_findings };
            Ok((run.task_id.unwrap_or_default(), last))
        })
        .collect()
}

/// The custom fields of this library: key and name on the form.
pub async fn custom_fields(store: &Store) -> Result<Vec<(String, String)>, RecordsError> {
    Ok(all_custom_fields(&store.db).await?)
}

pub(super) async fn all_custom_fields(
    db: &impl sea_orm::ConnectionTrait,
) -> Result<Vec<(String, String)>, DbErr> {
    let fields = custom_fields::Entity::find().order_by_asc(custom_fields::Column::Key).all(db).await?;
    Ok(fields.into_iter().map(|field| (field.key, field.label)).collect())
}
