//! What stands on each sheet of paper.

use leptos::prelude::*;
use policy::RunId;

/// Puts the library, the run, the date and the page number on each printed sheet of a page about a run. They stand in a
/// style sheet that the server makes: a page has no inline styles.
#[component]
pub(crate) fn PrintHeader(
    /// The run.
    run: RunId,
) -> impl IntoView {
    view! { <link rel="stylesheet" media="print" href=format!("/print.css?run={run}") /> }
}
