//! The task centre.

mod actions;
mod delete;
mod form;
mod list;
mod listed;
mod owners;
mod possible_owners;
mod task;

pub use delete::{DeactivateTaskPage, DeleteTaskPage};
pub use form::{EditTaskPage, NewTaskPage};
pub use list::TaskListPage;
pub use listed::{ListedPreviewPage, preview_of_file};
pub use owners::TaskOwnersPage;
pub use task::TaskPage;

use crate::components::Crumb;

/// Returns the breadcrumbs of a page about a task.
fn crumbs(more: impl IntoIterator<Item = Crumb>) -> Vec<Crumb> {
    std::iter::once(("Task centre".to_owned(), "/tasks".to_owned())).chain(more).collect()
}
