//! The notice about open access requests, on the record and before anonymising.

use super::address;
use crate::components::Day;
use crate::state::can_open;
use leptos::prelude::*;
use records::access_request::AccessRequest;

/// Renders the open requests among these. `before` is a sentence for what the page is about to do.
pub(crate) fn open_requests(
    requests: &[AccessRequest],
    before: Option<&'static str>,
) -> impl IntoView + use<> {
    let rows: Vec<_> = requests
        .iter()
        .filter(|request| request.is_open())
        .map(|request| {
            let (href, label) = (address(request.id), format!("Access request {}", request.id));
            let name = if can_open(&href) {
                view! { <a href=href>{label}</a> }.into_any()
            } else {
                label.into_any()
            };
            view! {
                <li>{name}", received on "<Day date=request.received_on />", to be answered by "<Day date=request.due_on /></li>
            }
        })
        .collect();
    (!rows.is_empty()).then(|| {
        view! {
            <section class="notice warning" aria-labelledby="open-access-requests">
                <h2 id="open-access-requests">"Open access request"</h2>
                {before.map(|before| view! { <p>{before}</p> })}
                <ul>{rows}</ul>
            </section>
        }
    })
}
