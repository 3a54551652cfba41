//! One request for approval: what approving lets happen and to how many users, before it is approved.

use super::actions::ApproveForm;
use super::table::{about, asker, standing_tag};
use super::{ApproveRequest, DeclineRequest};
use crate::error::{AppError, field_errors};
use crate::parts::{
    FieldProblem, Frame, Moment, PostButton, ProblemSummary, SignInFirst, named_in_path, page,
};
use crate::state::{actor, store};
use crate::submission::{Token, action, refusal, submitted};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::ApprovalId;
use policy::numbers::{counted, grouped};
use records::approval::{self, About, Approval, Standing};

/// One request for approval.
#[component]
pub fn ApprovalPage() -> impl IntoView {
    let id = named_in_path::<ApprovalId>("request for approval");
    page(async move {
        let request = approval::read(&store(), id?).await?;
        let crumbs = vec![("Approvals".to_owned(), "/approvals".to_owned())];
        let asked = asker(request.asked_by.as_ref());
        let facts = view! {
            <dl class="facts">
                <dt>"What"</dt><dd>{about(&request.about)}</dd>
                <dt>"Asked by"</dt><dd>{asked} " " <Moment at=request.asked_at /></dd>
                <dt>"Standing"</dt><dd>{standing_tag(request.standing)}</dd>
                <dt>"Until"</dt><dd><Moment at=request.expires_at /></dd>
            </dl>
        };
        Ok(view! {
            <Frame title=format!("Request {}", request.id) crumbs>
                <ProblemSummary error=[ApproveRequest::PATH, DeclineRequest::PATH].into_iter().find_map(refusal) />
                {facts}
                {decide(&request)}
            </Frame>
        })
    })
}

/// The forms that decide, or why this member of staff cannot.
fn decide(request: &Approval) -> AnyView {
    let actor = actor();
    if request.standing != Standing::Waiting {
        return view! { <p>"This request does not wait for a decision any more."</p> }.into_any();
    }
    if request.is_of(actor.staff) {
        return view! { <p>"You asked for this, or made what is to be approved: somebody else has to decide."</p> }
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
            <p>"Nothing happens then. It can be asked for again."</p>
            <PostButton function=DeclineRequest::PATH page=here values words="Decline this request" />
        </details>
    }
    .into_any()
}

fn approve(request: &Approval, here: &str) -> impl IntoView + use<> {
    let (typed, error) = match submitted::<ApproveForm>(ApproveRequest::PATH) {
        Some((form, error)) => (form.confirm, Some(error)),
        None => (String::new(), refusal(ApproveRequest::PATH)),
    };
    let (what, button) = consequence(&request.about);
    let confirm = match &request.about {
        About::Run { people: users, .. } | About::Import { users, .. } => {
            Some(number_field(*users, typed, error.as_ref()))
        }
        About::Reapply | About::HoldRelease { .. } | About::MoreChanges | About::StaffAnonymising { .. } => {
            None
        }
    };
    view! {
        <section class="confirm" aria-labelledby="approve">
            <h2 id="approve">"Approve request"</h2>
            {what}
            <form method="post" action=action(ApproveRequest::PATH, here)>
                <Token />
                <SignInFirst page=here.to_owned() />
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
    let invalid = errors.of("confirm").map(|_| "true");
    view! {
        <div class="field">
            <label for="confirm">"Type the number of users: " {grouped(people)}</label>
            <input id="confirm" name="form[confirm]" type="text" inputmode="numeric" autocomplete="off"
                value=typed aria-describedby="confirm-problem" aria-invalid=invalid />
            <FieldProblem field="confirm" errors />
        </div>
    }
}

/// What approving leads to, and the words of its button.
fn consequence(about: &About) -> (AnyView, String) {
    match about {
        About::Run { preview, people, .. } => {
            let users = counted(*people, "user", "users");
            let link = view! { <a href=format!("/runs/{preview}")>"preview "{preview.to_string()}</a> };
            let what = view! {
                <p>
                    "After your approval another member of staff can start the run of " {link} ": "
                    <b>{users.clone()}</b> " will be anonymised. UserID, names and e-mail are removed. "
                    <b>"That cannot be undone."</b>
                </p>
                <p>"Look at the preview first: it says which users, and why."</p>
            };
            (what.into_any(), format!("Approve the run for {users}"))
        }
        About::Reapply => {
            let what = view! {
                <p>
                    "After your approval the present rules are applied to users who were anonymised under earlier ones: \
                     what these rules remove is removed. " <b>"That cannot be undone."</b>
                </p>
            };
            (what.into_any(), "Approve the run".to_owned())
        }
        About::HoldRelease { hold } => {
            let what = view! {
                <p>
                    "Your approval releases " <a href=format!("/holds/{hold}")>"legal hold "{hold.to_string()}</a>
                    " at once. Whom it protected can be anonymised then, also by tasks that run by themselves. "
                    <b>"Who is anonymised cannot be brought back."</b>
                </p>
            };
            (what.into_any(), format!("Approve and release legal hold {hold}"))
        }
        About::MoreChanges => {
            let what = view! {
                <p>
                    "After your approval the member of staff who asked can change more users than the safety limits allow: \
                     anonymise them singly, mark them for deletion, or give them earlier leaving dates. "
                    <b>"Users who are anonymised cannot be restored."</b>
                </p>
            };
            (what.into_any(), "Approve more manual changes".to_owned())
        }
        About::Import { users, sha256 } => {
            let count = counted(*users, "user", "users");
            let what = view! {
                <p>
                    "After your approval the file can be imported once. It removes or replaces what identifies "
                    <b>{count.clone()}</b> ", or makes them eligible earlier. " <b>"That cannot be undone."</b>
                </p>
                <p>"Approve only if the file has this SHA-256 (" <code>"sha256sum FILE"</code> "): " <code>{sha256.clone()}</code></p>
            };
            (what.into_any(), format!("Approve the import for {count}"))
        }
        About::StaffAnonymising { user } => {
            let record = view! { <a href=format!("/users/{user}")>"user "{user.to_string()}</a> };
            let what = view! {
                <p>
                    "After your approval another member of staff can anonymise " {record} ". Their sign-in, sessions and \
                     roles end first. UserID, names and e-mail are removed. " <b>"That cannot be undone."</b>
                </p>
            };
            (what.into_any(), format!("Approve anonymising user {user}"))
        }
    }
}
