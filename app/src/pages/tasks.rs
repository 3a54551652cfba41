//! The task centre.

mod actions;
mod delete;
mod form;
mod list;
mod task;

pub use delete::DeleteTaskPage;
pub use form::{EditTaskPage, NewTaskPage};
pub use list::TaskListPage;
pub use task::TaskPage;

use crate::parts::Crumb;

/// The way to a page about one task.
fn crumbs(more: impl IntoIterator<Item = Crumb>) -> Vec<Crumb> {
    std::iter::once(("Task centre".to_owned(), "/tasks".to_owned())).chain(more).collect()
}
