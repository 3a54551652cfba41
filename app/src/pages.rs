//! The pages: a folder for each noun, a file for each page, server functions beside the page that uses them.

mod home;
mod not_found;
pub(crate) mod outcomes;
mod register;
mod reports;
mod runs;
pub(crate) mod security;
mod tasks;

pub use home::HomePage;
pub use not_found::NotFoundPage;
pub use register::RegisterPage;
pub use reports::{ReportPage, ReportsPage, report_csv};
pub use runs::{RunListPage, RunPage};
pub use tasks::{DeleteTaskPage, EditTaskPage, NewTaskPage, TaskListPage, TaskPage};
