//! The table of requests for approval.

use super::WithdrawRequest;
use crate::components::{DataTable, PostButton, Timestamp, person_link, text_columns};
use crate::state::actor;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::import_limits::effect;
use safeguards::approval::{About, Approval, ApprovalStatus};
use trail::Actor;

/// Renders the status of a request as a tag.
pub(super) fn status_tag(status: ApprovalStatus) -> impl IntoView {
    let class = match status {
        ApprovalStatus::Waiting => "tag ready",
        ApprovalStatus::Approved | ApprovalStatus::Used => "tag proven",
        ApprovalStatus::Declined => "tag bad",
        ApprovalStatus::Withdrawn
        | ApprovalStatus::NotNeeded
        | ApprovalStatus::Expired
        | ApprovalStatus::Outdated => "tag quiet",
    };
    view! { <span class=class>{status.label()}</span> }
}

/// Renders the requester: a member of staff, an identity system, or the command line.
pub(super) fn asker(request: &Approval) -> AnyView {
    match (&request.asked_by, &request.about) {
        (Some(person), _) => person_link(person).into_any(),
        (None, About::ApiChanges) => "Identity system".into_any(),
        (None, _) => "Command line".into_any(),
    }
}

/// Renders the decision that this actor can take about a waiting request.
pub(crate) fn decisions(approval: &Approval, actor: Actor, page: &'static str) -> Option<AnyView> {
    if approval.status != ApprovalStatus::Waiting {
        return None;
    }
    let values = || vec![("approval", approval.id.to_string())];
    let asked = approval.asked_by.as_ref().map(|person| person.number);
    if asked.is_some() && asked == actor.staff {
        return Some(
            view! { <PostButton function=WithdrawRequest::PATH page values=values() label="Withdraw request" about=approval.id.to_string() /> }
                .into_any(),
        );
    }
    if approval.is_of(actor.staff) || !actor.may(approval.needs()) {
        return None;
    }
    let id = approval.id;
    Some(
        view! { <a class="button" href=format!("/approvals/{id}")>"Review request "{id.to_string()}</a> }
            .into_any(),
    )
}

pub(super) fn approval_table(rows: Vec<Approval>, actor: Actor) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|approval| {
            let decided = approval.decision.as_ref().map(|(_, by, at)| {
                view! { {by.as_ref().map(person_link)} " " <Timestamp at=*at /> }
            });
            view! {
                <tr>
                    <th scope="row">{subject(&approval.about)}</th>
                    <td>{asker(&approval)} " " <Timestamp at=approval.asked_at /></td>
                    <td>{status_tag(approval.status)}</td>
                    <td>{decided}</td>
                    <td><Timestamp at=approval.expires_at /></td>
                    <td>{decisions(&approval, actor, "/approvals")}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <DataTable label="Approvals" caption="Approval requests"
            columns=text_columns([
                "Request", "Requested by", "Status", "Decided, withdrawn or closed by", "Until", "Action",
            ])>
            {rows}
        </DataTable>
    }
}

pub(super) fn subject(about: &About) -> AnyView {
    match about {
        About::Run { preview, task, task_type, people } => {
            let task = task.as_ref().map(|(_, name)| format!(" of “{}”", name.description_for(actor())));
            let people = task_type.counted(*people);
            view! { <a href=format!("/runs/{preview}")>"Run of preview "{preview.to_string()}</a> {task} ": " {people} }
                .into_any()
        }
        About::Reapply => "Applying the current rules to users anonymised earlier".into_any(),
        About::LegalHoldRelease { hold } => {
            view! { <a href=format!("/legal-holds/{hold}")>"Release of legal hold "{hold.to_string()}</a> }
                .into_any()
        }
        About::MoreChanges => "More manual changes by the requester than the safety limits allow".into_any(),
        About::ApiChanges => "More changes by identity systems than the safety limits allow".into_any(),
        About::SuppressionKey => {
            view! { <a href="/suppression">"Destroying the key of the suppression list"</a> }.into_any()
        }
        About::Import { users, counted_by, sha256 } => {
            let short: String = sha256.chars().take(12).collect();
            view! { "Import of a file that " {effect(*counted_by, *users)} ": SHA-256 " <code>{short}"…"</code> }
                .into_any()
        }
        About::StaffAnonymising { user } => view! {
            <a href=format!("/users/{user}")>"Anonymising user "{user.to_string()}", a member of staff"</a>
        }
        .into_any(),
    }
}
