//! The header of printed pages.

use super::Day;
use crate::state::store;
use leptos::prelude::*;
use policy::RunId;

/// Prints library, run, date and page number on each sheet of a page about a run. The server generates this style
/// sheet, because a page has no inline styles. Browsers without margin boxes print the first line instead.
#[component]
pub(crate) fn PrintHeader(
    /// The run.
    run: RunId,
) -> impl IntoView {
    let store = store();
    let library = store.settings.library_name.clone().map(|name| format!("{name} · "));
    let today = store.clock.today();
    view! {
        <link rel="stylesheet" media="print" href=format!("/print.css?run={run}") />
        <p class="printed">{library} "Run " {run.to_string()} " · printed on " <Day date=today /></p>
    }
}
