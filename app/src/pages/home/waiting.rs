//! Work that waits for the signed-in member of staff.

use leptos::prelude::*;
use operations::dashboard::{Waiting, WaitingKind};
use policy::numbers::grouped;

/// Renders what waits, with a link to each list.
pub(super) fn section(waiting: &[Waiting]) -> impl IntoView + use<> {
    let tiles = waiting.iter().map(|one| {
        let (href, label) = link(*one);
        view! { <li><a href=href><b class="number">{grouped(one.count)}</b><span>{label}</span></a></li> }
    });
    let content = if waiting.is_empty() {
        view! { <p class="empty">"Nothing is waiting for you."</p> }.into_any()
    } else {
        view! { <ul class="tiles">{tiles.collect_view()}</ul> }.into_any()
    };
    view! {
        <section aria-labelledby="waiting"><h2 id="waiting">"Waiting for you"</h2> {content}</section>
    }
}

fn link(Waiting { kind, count, run }: Waiting) -> (String, &'static str) {
    let (list, one, many) = match kind {
        WaitingKind::Approvals => {
            ("/approvals", "request to approve or decline", "requests to approve or decline")
        }
        WaitingKind::Runs => {
            ("/runs?state=stopped_by_limit", "stopped run to confirm", "stopped runs to confirm")
        }
        WaitingKind::HeldLines => ("/users/held-lines", "held line to decide", "held lines to decide"),
        WaitingKind::Findings => ("/residue", "finding to decide", "findings to decide"),
        WaitingKind::AccessRequests => {
            ("/access-requests", "access request to answer soon", "access requests to answer soon")
        }
        WaitingKind::LegalHolds => ("/legal-holds?show=due", "legal hold to review", "legal holds to review"),
    };
    let href = run.map_or_else(|| list.to_owned(), |run| format!("/runs/{run}"));
    (href, if count == 1 { one } else { many })
}
