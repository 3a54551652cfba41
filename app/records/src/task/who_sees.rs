//! Who sees a task: a private one is its owner's alone, by every way that there is.

use crate::actor::Actor;
use crate::entity::tasks;
use crate::error::RecordsError;
use policy::UserNumber;
use policy::task_form::Visibility;
use sea_orm::{ColumnTrait, Condition};
use serde::Serialize;

/// What stands in the place of the description of somebody else's private task.
const PRIVATE: &str = "A private task";

/// The description of a task. Who may see runs sees the figures of all of them, also of those of private tasks: what was
/// done to people is no secret among those who answer for it. What the owner calls the task is, so it can be read here
/// only by saying who asks.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct TaskName {
    words: String,
    #[serde(skip)]
    private: bool,
    #[serde(skip)]
    owner: Option<UserNumber>,
}

impl TaskName {
    pub(crate) fn of(task: &tasks::Model) -> Self {
        Self::stored(task.description.clone(), &task.visibility, task.owner_number)
    }

    /// From what is stored of a task.
    pub(crate) fn stored(words: String, visibility: &str, owner: Option<i64>) -> Self {
        let private = visibility == Visibility::Private.code();
        Self { words, private, owner: owner.map(UserNumber) }
    }

    /// Whether the task opens for them. For who has no sign-in every task does: whoever has the command line has the
    /// files of the library.
    pub fn is_shown_to(&self, actor: Actor) -> bool {
        !self.private || actor.staff.is_none() || self.owner == actor.staff
    }

    /// The description, for whom the task opens.
    pub fn words_for(&self, actor: Actor) -> String {
        if self.is_shown_to(actor) { self.words.clone() } else { PRIVATE.to_owned() }
    }
}

/// The tasks that somebody sees, for a list.
pub(super) fn visible_to(actor: Actor) -> Condition {
    let Some(staff) = actor.staff else { return Condition::all() };
    Condition::any()
        .add(tasks::Column::Visibility.ne(Visibility::Private.code()))
        .add(tasks::Column::OwnerNumber.eq(staff.0))
}

/// The task, if they see it. A task that they do not see is not there.
pub(super) fn seen_by(actor: Actor, task: tasks::Model) -> Result<tasks::Model, RecordsError> {
    if TaskName::of(&task).is_shown_to(actor) { Ok(task) } else { Err(RecordsError::NotFound("task")) }
}
