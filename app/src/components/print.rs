//! What stands on each sheet of paper.

use super::Day;
use crate::state::store;
use leptos::prelude::*;
use policy::RunId;

/// Puts the library, the run, the date and the page number on each printed sheet of a page about a run. They stand in a
/// style sheet that the server makes: a page has no inline styles. Browsers without margin boxes print the first line
/// instead.
#[component]
pub(crate) fn PrintHeader(
    /// The run.
    run: RunId,
) -> impl IntoView {
    let store = store();
    let library = store.settings().library_name.clone().map(|name| format!("{name} · "));
    let today = store.clock().today();
    view! {
        <link rel="stylesheet" media="print" href=format!("/print.css?run={run}") />
        <p class="printed">{library} "Run " {run.to_string()} " · printed on " <Day date=today /></p>
    }
}
