//! The pages: a folder for each noun, a file for each page, server functions beside the page that uses them.

mod catalogue;
mod home;
mod not_found;
pub(crate) mod outcomes;
mod register;
mod reports;
mod runs;
pub(crate) mod security;
mod tasks;
mod users;

pub use catalogue::{CatalogueListPage, CatalogueRecordPage};
pub use home::HomePage;
pub use not_found::NotFoundPage;
pub use register::RegisterPage;
pub use reports::{ReportPage, ReportsPage, report_csv};
pub use runs::{CertificatePage, RunListPage, RunPage};
pub use tasks::{DeleteTaskPage, EditTaskPage, NewTaskPage, TaskListPage, TaskPage};
pub use users::{AnonymiseUserPage, EditUserPage, NewUserPage, UserPage, UserSearchPage};
