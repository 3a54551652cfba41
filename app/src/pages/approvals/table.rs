//! A table of requests for approval.

use super::WithdrawRequest;
use crate::pages::users::person_link;
use crate::parts::{Moment, PostButton};
use crate::state::actor;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::numbers::counted;
use records::Actor;
use records::approval::{About, Approval, Standing};
use records::user::Person;

/// How a request stands, as a tag.
pub(super) fn standing_tag(standing: Standing) -> impl IntoView {
    let class = match standing {
        Standing::Waiting => "tag ready",
        Standing::Approved | Standing::Used => "tag proven",
        Standing::Declined => "tag bad",
        Standing::Withdrawn | Standing::NotNeeded | Standing::Expired => "tag quiet",
    };
    view! { <span class=class>{standing.words()}</span> }
}

/// Who asked: a member of staff, or whoever has the command line.
pub(super) fn asker(person: Option<&Person>) -> AnyView {
    person.map_or_else(|| "Command line".into_any(), |person| person_link(person).into_any())
}

/// What this actor can decide about a request that waits.
pub(crate) fn decisions(approval: &Approval, actor: Actor, page: &'static str) -> Option<AnyView> {
    if approval.standing != Standing::Waiting {
        return None;
    }
    let values = || vec![("approval", approval.id.to_string())];
    let asked = approval.asked_by.as_ref().map(|person| person.number);
    if asked.is_some() && asked == actor.staff {
        return Some(
            view! { <PostButton function=WithdrawRequest::PATH page values=values() words="Withdraw request" about=approval.id.to_string() /> }
                .into_any(),
        );
    }
    if approval.is_of(actor.staff) || !actor.may(approval.needs()) {
        return None;
    }
    let id = approval.id;
    Some(view! { <a class="button" href=format!("/approvals/{id}")>"Decide about request "{id.to_string()}</a> }.into_any())
}

pub(super) fn approval_table(rows: Vec<Approval>, actor: Actor) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|approval| {
            let decided = approval.decision.as_ref().map(|(_, by, at)| {
                view! { {by.as_ref().map(person_link)} " " <Moment at=*at /> }
            });
            view! {
                <tr>
                    <th scope="row">{about(&approval.about)}</th>
                    <td>{asker(approval.asked_by.as_ref())} " " <Moment at=approval.asked_at /></td>
                    <td>{standing_tag(approval.standing)}</td>
                    <td>{decided}</td>
                    <td><Moment at=approval.expires_at /></td>
                    <td>{decisions(&approval, actor, "/approvals")}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="scroll" role="region" aria-label="Approvals" tabindex="0">
            <table>
                <caption class="hidden">"Requests for approval"</caption>
                <thead>
                    <tr>
                        <th scope="col">"What"</th>
                        <th scope="col">"Asked by"</th>
                        <th scope="col">"Standing"</th>
                        <th scope="col">"Decided, withdrawn or closed by"</th>
                        <th scope="col">"Until"</th>
                        <th scope="col">"Decide"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

pub(super) fn about(about: &About) -> AnyView {
    match about {
        About::Run { preview, task, people } => {
            let task = task.as_ref().map(|(_, name)| format!(" of “{}”", name.words_for(actor())));
            let people = counted(*people, "user", "users");
            view! { <a href=format!("/runs/{preview}")>"Run of preview "{preview.to_string()}</a> {task} ": " {people} }
                .into_any()
        }
        About::Reapply => "Bringing people under the present rules".into_any(),
        About::HoldRelease { hold } => {
            view! { <a href=format!("/holds/{hold}")>"Release of legal hold "{hold.to_string()}</a> }
                .into_any()
        }
        About::MoreChanges => "More manual changes than the safety limits allow, by whoever asks".into_any(),
        About::Import { users, sha256 } => {
            let short: String = sha256.chars().take(12).collect();
            view! { "Import that counts " {counted(*users, "user", "users")} ": file with SHA-256 " <code>{short}"…"</code> }
                .into_any()
        }
        About::StaffAnonymising { user } => view! {
            <a href=format!("/users/{user}")>"Anonymising user "{user.to_string()}", a member of staff"</a>
        }
        .into_any(),
    }
}
