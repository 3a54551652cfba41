//! One request for approval: its consequence and the number of users, shown before it is approved.

use super::actions::ApproveForm;
use super::table::{asker, status_tag, subject};
use super::{ApproveRequest, DeclineRequest};
use crate::components::{
    FieldProblem, PageLayout, PostButton, ProblemSummary, ReauthHint, Timestamp, guarded_page, path_param,
};
use crate::error::{AppError, field_errors};
use crate::form::{Token, action, error_for, failed_submission};
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::numbers::{counted, grouped};
use policy::{ApprovalId, RunId, TaskType, import_limits};
use safeguards::approval::{self, About, Approval, ApprovalStatus};

/// Shows one request for approval.
#[component]
pub fn ApprovalPage() -> impl IntoView {
    let id = path_param::<ApprovalId>("approval request");
    guarded_page(async move {
        let request = approval::read(&store(), id?).await?;
        let crumbs = vec![("Approvals".to_owned(), "/approvals".to_owned())];
        let asked = asker(&request);
        let facts = view! {
            <dl class="facts">
                <dt>"Subject"</dt><dd>{subject(&request.about)}</dd>
                <dt>"Requested by"</dt><dd>{asked} " " <Timestamp at=request.asked_at /></dd>
                <dt>"Status"</dt><dd>{status_tag(request.status)}</dd>
                <dt>"Until"</dt><dd><Timestamp at=request.expires_at /></dd>
            </dl>
        };
        Ok(view! {
            <PageLayout title=format!("Approval request {}", request.id) crumbs>
                <ProblemSummary error=[ApproveRequest::PATH, DeclineRequest::PATH].into_iter().find_map(error_for) />
                {facts}
                {decide(&request)}
            </PageLayout>
        })
    })
}

/// Renders the forms that decide, or why this member of staff cannot decide.
fn decide(request: &Approval) -> AnyView {
    let actor = actor();
    if request.status != ApprovalStatus::Waiting {
        return view! { <p>"This request is no longer waiting for a decision."</p> }.into_any();
    }
    if request.is_of(actor.staff) {
        return view! { <p>"You requested this approval or created the preview. Another member of staff must \
                           decide."</p> }
            .into_any();
    }
    if !actor.may(request.needs()) {
        return view! { <p>"Your roles do not allow you to decide about this request."</p> }.into_any();
    }
    let here = format!("/approvals/{}", request.id);
    let values = vec![("approval", request.id.to_string())];
    view! {
        {approve(request, &here)}
        <details class="more">
            <summary>"Decline request"</summary>
            <p>"Nothing will be changed. Approval can be requested again."</p>
            <PostButton function=DeclineRequest::PATH page=here values label="Decline this request" />
        </details>
    }
    .into_any()
}

fn approve(request: &Approval, here: &str) -> impl IntoView + use<> {
    let (typed, error) = match failed_submission::<ApproveForm>(ApproveRequest::PATH) {
        Some((form, error)) => (form.confirm, Some(error)),
        None => (String::new(), error_for(ApproveRequest::PATH)),
    };
    let (what, button) = consequence(&request.about);
    let confirm = match &request.about {
        About::Run { people: users, .. } | About::Import { users, .. } => {
            Some(number_field(*users, typed, error.as_ref()))
        }
        About::Reapply
        | About::LegalHoldRelease { .. }
        | About::MoreChanges
        | About::ApiChanges
        | About::SuppressionKey
        | About::StaffAnonymising { .. } => None,
    };
    view! {
        <section class="confirm" aria-labelledby="approve">
            <h2 id="approve">"Approve request"</h2>
            {what}
            <form method="post" action=action(ApproveRequest::PATH, here)>
                <Token />
                <ReauthHint page=here.to_owned() />
                <input type="hidden" name="form[approval]" value=request.id.to_string() />
                {confirm}
                <div class="buttons">
                    <button class="danger" type="submit">{button}</button>
                    <a href="/approvals">"Back to approvals"</a>
                </div>
            </form>
        </section>
    }
}

fn number_field(people: i64, typed: String, error: Option<&AppError>) -> impl IntoView + use<> {
    let errors = field_errors(error);
    let invalid = errors.message("confirm").map(|_| "true");
    view! {
        <div class="field">
            <label for="confirm">"To confirm, type " {grouped(people)}</label>
            <input id="confirm" name="form[confirm]" type="text" inputmode="numeric" autocomplete="off"
                value=typed aria-describedby="confirm-problem" aria-invalid=invalid />
            <FieldProblem field="confirm" errors />
        </div>
    }
}

/// Returns the consequence of approving, and the label of its button.
fn consequence(about: &About) -> (AnyView, String) {
    match about {
        About::Run { preview, task_type: TaskType::ImportUsers, people, .. } => {
            let lines = counted(*people, "line", "lines");
            let link = view! { <a href=format!("/runs/{preview}")>"preview "{preview.to_string()}</a> };
            let what = view! {
                <p>
                    "Once you approve, another member of staff can start the run of " {link} ": it imports a file \
                     with " <b>{lines.clone()}</b> " that exceeds a safety limit. Check the preview first: it shows \
                     which limit, and what the file would change."
                </p>
            };
            (what.into_any(), format!("Approve import of {lines}"))
        }
        About::Run { preview, task_type: TaskType::AnnounceAnonymising, people, .. } => {
            announcement(*preview, *people)
        }
        About::Run { preview, people, .. } => {
            let users = counted(*people, "user", "users");
            let link = view! { <a href=format!("/runs/{preview}")>"preview "{preview.to_string()}</a> };
            let what = view! {
                <p>
                    "Once you approve, another member of staff can start the run of " {link} ": "
                    <b>{users.clone()}</b> " will be anonymised. UserID, names and e-mail are removed. "
                    <b>"This cannot be undone."</b>
                </p>
                <p>"Check the preview first: it shows which users, and why."</p>
            };
            (what.into_any(), format!("Approve run for {users}"))
        }
        About::Reapply => {
            let what = view! {
                <p>
                    "Once you approve, the current rules are applied to users who were anonymised under \
                     earlier ones. Further fields may be removed. " <b>"This cannot be undone."</b>
                </p>
            };
            (what.into_any(), "Approve run".to_owned())
        }
        About::LegalHoldRelease { hold } => {
            let what = view! {
                <p>
                    "Your approval releases " <a href=format!("/legal-holds/{hold}")>"legal hold "{hold.to_string()}</a>
                    " at once. The users it protected can then be anonymised, also by scheduled tasks. "
                    <b>"Anonymised users cannot be restored."</b>
                </p>
            };
            (what.into_any(), format!("Approve and release legal hold {hold}"))
        }
        About::MoreChanges => {
            let what = view! {
                <p>
                    "Once you approve, the member of staff who made the request can change more users than \
                     the safety limits allow: anonymise single users, mark users for deletion, or set \
                     earlier leaving dates. "
                    <b>"Anonymised users cannot be restored."</b>
                </p>
            };
            (what.into_any(), "Approve more manual changes".to_owned())
        }
        About::ApiChanges => api_changes(),
        About::SuppressionKey => {
            let what = view! {
                <p>
                    "Your approval destroys the key of the " <a href="/suppression">"suppression list"</a>
                    " at once and empties the list. Imports can then create the anonymised users again. "
                    <b>"This cannot be undone."</b>
                </p>
            };
            (what.into_any(), "Approve and destroy key".to_owned())
        }
        About::Import { users, counted_by, sha256 } => {
            let count = import_limits::counted_by(*counted_by, *users);
            let what = view! {
                <p>
                    "Once you approve, the file can be imported once. It "
                    <b>{import_limits::effect(*counted_by, *users)}</b> ". " <b>"This cannot be undone."</b>
                </p>
                <p>"Approve only if the file has this SHA-256 (" <code>"sha256sum FILE"</code> "): " <code>{sha256.clone()}</code></p>
            };
            (what.into_any(), format!("Approve import for {count}"))
        }
        About::StaffAnonymising { user } => {
            let record = view! { <a href=format!("/users/{user}")>"user "{user.to_string()}</a> };
            let what = view! {
                <p>
                    "Once you approve, another member of staff can anonymise " {record}
                    ". The sign-in, sessions and roles of this user end first. UserID, names and e-mail are \
                     removed. " <b>"This cannot be undone."</b>
                </p>
            };
            (what.into_any(), format!("Approve anonymising user {user}"))
        }
    }
}

fn announcement(preview: RunId, people: i64) -> (AnyView, String) {
    let users = counted(people, "user", "users");
    let link = view! { <a href=format!("/runs/{preview}")>"preview "{preview.to_string()}</a> };
    let what = view! {
        <p>
            "Once you approve, another member of staff can start the run of " {link} ": " <b>{users.clone()}</b>
            " will get an e-mail that announces the anonymising. Check the preview first: it shows which users, and \
             the text. " <b>"A sent e-mail cannot be taken back."</b>
        </p>
    };
    (what.into_any(), format!("Approve e-mail to {users}"))
}

fn api_changes() -> (AnyView, String) {
    // An approval allows at least one user.
    let most = store().settings.limits.import_users.max(1);
    let what = view! {
        <p>
            "Once you approve, identity systems can change up to "
            <b>{counted(most, "more user", "more users")}</b>
            " than the safety limits allow, within 24 hours: set leaving dates, or remove and replace identifying \
             values. Check in the identity system why so many users change. "
            <b>"Replaced values cannot be restored."</b>
        </p>
    };
    (what.into_any(), "Approve more changes by identity systems".to_owned())
}
