//! The task centre.

mod actions;
mod delete;
mod form;
mod list;
mod owners;
mod task;

pub use delete::{DeactivateTaskPage, DeleteTaskPage};
pub use form::{EditTaskPage, NewTaskPage};
pub use list::TaskListPage;
pub use owners::TaskOwnersPage;
pub use task::TaskPage;

use crate::components::Crumb;
use crate::state::{actor, can_open};
use leptos::prelude::*;
use policy::TaskId;
use trail::task_name::TaskName;

/// Returns the breadcrumbs of a page about a task.
fn crumbs(more: impl IntoIterator<Item = Crumb>) -> Vec<Crumb> {
    std::iter::once(("Task centre".to_owned(), "/tasks".to_owned())).chain(more).collect()
}

/// Returns the breadcrumbs of a page about a run of a task. They contain the task if the actor may see it.
pub(super) fn crumbs_over(task: Option<&(TaskId, TaskName)>) -> Vec<Crumb> {
    let seen = task.filter(|(_, name)| name.is_shown_to(actor()));
    crumbs(seen.map(|(id, name)| (name.words_for(actor()), format!("/tasks/{id}"))))
}

/// Renders the name of a task, with a link if the actor has access.
pub(super) fn task_link((id, name): &(TaskId, TaskName)) -> impl IntoView + use<> {
    let (href, label) = (format!("/tasks/{id}"), name.words_for(actor()));
    if !name.is_shown_to(actor()) || !can_open(&href) {
        return label.into_any();
    }
    view! { <a href=href>{label}</a> }.into_any()
}
