//! The header of printed pages.

use super::{Day, Logo};
use crate::state::store;
use leptos::prelude::*;
use policy::RunId;
use trail::library;

/// Prints library, run, date and page number on each sheet of a page about a run. The server generates this style
/// sheet, because a page has no inline styles. Browsers without margin boxes print the first line instead.
#[component]
pub(crate) fn PrintHeader(
    /// The run.
    run: RunId,
) -> impl IntoView {
    let store = store();
    let today = store.clock.today();
    Suspend::new(async move {
        // If the database does not answer, the page itself reports it.
        let library = library::read(&store.db).await.unwrap_or_default();
        view! {
            <link rel="stylesheet" media="print" href=format!("/print.css?run={run}") />
            <p class="printed">
                {library.logo_digest.map(|digest| view! { <Logo digest /> })}
                {library.name.map(|name| format!("{name} · "))} "Run " {run.to_string()} " · printed on "
                <Day date=today />
            </p>
        }
    })
}
