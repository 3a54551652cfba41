//! The interactive parts of pages. The server renders them, the browser wakes them.
//!
//! Whatever is handed to an island stands in the page's HTML: no personal value may be.

#[cfg(feature = "hydrate")]
mod in_place;
mod pending;
mod run_progress;
mod session_warning;
mod task_form;
mod theme_switch;

pub use pending::Pending;
pub use run_progress::{Progress, RunProgress, run_progress};
pub use session_warning::{SessionWarning, TimeLeft, session_time, stay_signed_in};
#[cfg(feature = "ssr")]
pub(crate) use task_form::coming;
pub use task_form::{NextRun, TaskFormIsland, next_runs};
pub use theme_switch::ThemeSwitch;

/// What stands in the address of a page that asks by itself, whether or not a user is there.
pub(crate) const BACKGROUND_QUERY: &str = "by=itself";
