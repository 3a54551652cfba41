//! The interactive parts of pages. The server renders them, and the browser hydrates them.
//!
//! The properties of an island appear in the HTML of the page: they contain no personal value.

#[cfg(feature = "hydrate")]
pub mod cards;
#[cfg(feature = "hydrate")]
mod dom;
#[cfg(feature = "hydrate")]
mod in_place;
mod pending;
mod profile_check;
mod run_progress;
mod session_warning;
mod task_form;
mod theme_switch;
#[cfg(feature = "hydrate")]
pub mod unsaved_changes;

pub use pending::Pending;
pub use profile_check::ProfileCheck;
pub use run_progress::{Progress, RunProgress, run_progress};
pub use session_warning::{SessionWarning, TimeLeft, session_time, stay_signed_in};
#[cfg(feature = "ssr")]
pub(crate) use task_form::coming;
pub use task_form::{NextRun, TaskFormIsland, affected_users, next_runs};
pub use theme_switch::ThemeSwitch;
