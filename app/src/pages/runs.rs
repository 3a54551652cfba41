//! Runs and previews.

mod announcement_preview;
mod announcement_result;
mod cancel;
mod certificate;
mod comparison;
mod discard;
mod exclusion;
mod import_preview;
mod import_result;
mod list;
mod member_table;
mod members;
mod members_csv;
mod preview;
mod result;
mod run;
mod run_parts;
mod start;

pub use certificate::CertificatePage;
pub(crate) use certificate::treated_fields;
pub use list::RunListPage;
pub(crate) use list::run_table;
pub use members_csv::members_csv;
pub use run::RunPage;

use crate::components::Crumb;
use crate::state::actor;
use leptos::prelude::*;
use policy::{RunState, TaskId};
use trail::task_name::TaskName;

/// The place of the users on the page of a run.
const PLACE: &str = "#people";

/// Returns the breadcrumbs of a page about a run of a task. They contain the task if the actor may see it.
fn crumbs(task: Option<&(TaskId, TaskName)>) -> Vec<Crumb> {
    let seen = task.filter(|(_, name)| name.is_shown_to(actor()));
    let task = seen.map(|(id, name)| (name.description_for(actor()), format!("/tasks/{id}")));
    std::iter::once(("Task centre".to_owned(), "/tasks".to_owned())).chain(task).collect()
}

/// Renders the state of a run as a tag. A run with open findings is never shown as plain success.
pub(crate) fn state_tag(state: RunState, open_findings: i64) -> impl IntoView {
    let class = match state {
        RunState::Succeeded | RunState::Cancelled if open_findings > 0 => "tag due",
        RunState::Queued | RunState::Running | RunState::Cancelling => "tag ready",
        RunState::Interrupted
        | RunState::StoppedByLimit
        | RunState::Missed
        | RunState::CompletedWithFailures => "tag due",
        RunState::Cancelled | RunState::NothingToImport => "tag",
        RunState::Succeeded => "tag proven",
        RunState::Failed => "tag bad",
    };
    view! { <span class=class>{state.label_with_findings(open_findings)}</span> }
}
