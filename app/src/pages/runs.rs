//! Runs and previews.

mod cancel;
mod certificate;
mod list;
mod people;
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

/// How a run ended, as a tag.
pub(crate) fn state_tag(state: RunState) -> impl IntoView {
    let class = match state {
        RunState::Queued | RunState::Running | RunState::Cancelling => "tag ready",
        RunState::Interrupted
        | RunState::StoppedByBrake
        | RunState::Missed
        | RunState::CompletedWithFailures => "tag due",
        RunState::Cancelled => "tag",
        RunState::Succeeded => "tag proven",
        RunState::Failed => "tag bad",
    };
    view! { <span class=class>{state.words()}</span> }
}
