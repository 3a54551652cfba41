//! Runs and previews.

mod cancel;
mod certificate;
mod list;
mod members;
mod preview;
mod result;
mod run;
mod start;

pub use certificate::CertificatePage;
pub use list::RunListPage;
pub(crate) use list::run_table;
pub use run::RunPage;

use leptos::prelude::*;
use policy::RunState;

/// Renders the state of a run as a tag. A run with open findings is never shown as plain success.
pub(crate) fn state_tag(state: RunState, open_findings: i64) -> impl IntoView {
    let class = match state {
        RunState::Succeeded | RunState::Cancelled if open_findings > 0 => "tag due",
        RunState::Queued | RunState::Running | RunState::Cancelling => "tag ready",
        RunState::Interrupted
        | RunState::StoppedByLimit
        | RunState::Missed
        | RunState::CompletedWithFailures => "tag due",
        RunState::Cancelled => "tag",
        RunState::Succeeded => "tag proven",
        RunState::Failed => "tag bad",
    };
    view! { <span class=class>{state.words_with(open_findings)}</span> }
}
