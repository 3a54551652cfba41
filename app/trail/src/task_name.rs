//! Visibility of tasks: a private task is visible only to its owner, through any channel.

use crate::actor::Actor;
use db::RecordsError;
use db::entity::tasks;
use policy::task_form::Visibility;
use policy::{TaskId, UserNumber};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};
use serde::Serialize;
use std::collections::HashMap;

/// Shown instead of the description of another user's private task.
const PRIVATE: &str = "A private task";

/// The description of a task. It can be read only by stating the actor.
///
/// Staff who may see runs see the figures of all runs, including those of private tasks. The description of a
/// private task stays private.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct TaskName {
    description: String,
    #[serde(skip)]
    private: bool,
    #[serde(skip)]
    owner: Option<UserNumber>,
}

impl TaskName {
    /// Returns the name of a task.
    pub fn new(task: &tasks::Model) -> Self {
        Self::stored(task.description.clone(), task.visibility, task.owner_number)
    }

    /// Creates the name from stored columns.
    pub fn stored(description: String, visibility: Visibility, owner: Option<i64>) -> Self {
        Self { description, private: visibility == Visibility::Private, owner: owner.map(UserNumber) }
    }

    /// Returns whether the actor sees the task.
    ///
    /// Actors without a sign-in see every task, because access to the command line includes access to the
    /// library's files.
    pub fn is_shown_to(&self, actor: Actor) -> bool {
        !self.private || actor.staff.is_none() || self.owner == actor.staff
    }

    /// Returns the description, or a placeholder if the actor doesn't see the task.
    pub fn description_for(&self, actor: Actor) -> String {
        if self.is_shown_to(actor) { self.description.clone() } else { PRIVATE.to_owned() }
    }
}

/// Returns the names of these tasks.
pub async fn names(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = i64>,
) -> Result<HashMap<TaskId, TaskName>, DbErr> {
    use tasks::Column;
    let rows: Vec<(i64, String, Visibility, Option<i64>)> = tasks::Entity::find()
        .select_only()
        .columns([Column::Id, Column::Description, Column::Visibility, Column::OwnerNumber])
        .filter(Column::Id.is_in(ids))
        .into_tuple()
        .all(db)
        .await?;
    let name =
        |(id, description, visibility, owner)| (TaskId(id), TaskName::stored(description, visibility, owner));
    Ok(rows.into_iter().map(name).collect())
}

/// Returns the condition for tasks that the actor sees.
pub fn visible_to(actor: Actor) -> Condition {
    let Some(staff) = actor.staff else { return Condition::all() };
    Condition::any()
        .add(tasks::Column::Visibility.ne(Visibility::Private))
        .add(tasks::Column::OwnerNumber.eq(staff.0))
}

/// Returns the task, or `NotFound` if the actor doesn't see it.
pub fn seen_by(actor: Actor, task: tasks::Model) -> Result<tasks::Model, RecordsError> {
    if TaskName::new(&task).is_shown_to(actor) { Ok(task) } else { Err(RecordsError::NotFound("task")) }
}
