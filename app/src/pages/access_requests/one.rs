//! One access request, and the form that closes it.

use super::actions::CloseAccessRequest;
use super::address;
use super::list::state_tag;
use crate::components::{
    Day, FieldProblem, PageAction, PageLayout, ProblemSummary, escaped, guarded_page, options, path_param,
    person_link, user_address,
};
use crate::error::field_errors;
use crate::form::{Token, action, error_for, failed_submission};
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::AccessRequestId;
use policy::access_request::{AccessRequestState, ClosingForm, DeclineReason};
use policy::form::FieldErrors;
use records::access_request::{self, AccessRequest};

/// Shows one access request.
#[component]
pub fn AccessRequestPage() -> impl IntoView {
    let id = path_param::<AccessRequestId>("access request");
    guarded_page(async move {
        let store = store();
        let request = access_request::read(&store, actor(), id?).await?;
        let crumbs = vec![("Access requests".to_owned(), "/access-requests".to_owned())];
        let tag = state_tag(&request, store.clock.today());
        let close = request.is_open().then(|| close_form(request.id));
        let data = format!("{}/data", user_address(request.user.number));
        let actions = if access_request::can_see_data(&store, actor(), request.user.number).await? {
            vec![
                PageAction::Link { label: "Show everything held".to_owned(), href: data.clone() },
                PageAction::Link { label: "Download as JSON".to_owned(), href: format!("{data}.json") },
            ]
        } else {
            let why = "The data of a member of staff needs the permission to manage staff.".to_owned();
            vec![PageAction::Unavailable { label: "Show everything held".to_owned(), why }]
        };
        Ok(view! {
            <PageLayout title=format!("Access request {}", request.id) crumbs actions>
                <p>{tag}</p>
                {facts(&request)}
                {close}
            </PageLayout>
        })
    })
}

fn facts(request: &AccessRequest) -> impl IntoView + use<> {
    let closed = request.closed_on.map(|on| {
        view! {
            <dt>"Closed"</dt>
            <dd><Day date=on /> {request.closed_by.as_ref().map(|by| view! { ", by " {person_link(by)} })}</dd>
        }
    });
    let reason = request.decline_reason.map(|reason| view! { <dt>"Reason"</dt><dd>{reason.label()}</dd> });
    let answer = request
        .answer
        .clone()
        .map(|answer| view! { <dt>"Answer"</dt><dd><span class="lines">{answer}</span></dd> });
    view! {
        <dl class="facts">
            <dt>"User"</dt><dd>{person_link(&request.user)}</dd>
            <dt>"Received"</dt><dd><Day date=request.received_on /></dd>
            <dt>"To be answered by"</dt><dd><Day date=request.due_on /></dd>
            <dt>"Recorded by"</dt><dd>{request.recorded_by.as_ref().map(person_link)}</dd>
            {closed}
            {reason}
            {answer}
        </dl>
    }
}

fn close_form(id: AccessRequestId) -> impl IntoView {
    let (form, error) = match failed_submission::<ClosingForm>(CloseAccessRequest::PATH) {
        Some((form, error)) => (form, Some(error)),
        None => (ClosingForm::default(), error_for(CloseAccessRequest::PATH)),
    };
    let errors = field_errors(error.as_ref());
    let states = AccessRequestState::CLOSED
        .map(|state| {
            let (field, code) = (format!("state-{}", state.code()), state.code());
            view! {
                <div class="choice">
                    <input id=field.clone() name="form[state]" type="radio" value=code checked=form.state == code />
                    <label for=field>{state.choice()}</label>
                </div>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="close">
            <h2 id="close">"Close access request"</h2>
            <p>
                "First show or download everything held, check the identity of the person, and hand it over. "
                "Remove what is about other people."
            </p>
            <ProblemSummary error />
            <form method="post" action=action(CloseAccessRequest::PATH, &address(id)) novalidate>
                <Token />
                <input type="hidden" name="form[request]" value=id.to_string() />
                <fieldset id="state" tabindex="-1">
                    <legend>"How it ended"</legend>
                    {states}
                    <FieldProblem field="state" errors=errors.clone() />
                </fieldset>
                {reason(&form.decline_reason, &errors)}
                <div class="field">
                    <label for="answer">"Answer (optional)"</label>
                    <p class="hint" id="answer-hint">
                        "For example how the data was handed over. Anonymising the user removes this text."
                    </p>
                    <textarea id="answer" name="form[answer]" rows="4"
                        aria-invalid=errors.message("answer").map(|_| "true")
                        aria-describedby="answer-hint answer-problem">{escaped(&form.answer)}</textarea>
                    <FieldProblem field="answer" errors=errors.clone() />
                </div>
                <button class="primary" type="submit">"Close access request"</button>
            </form>
        </section>
    }
}

fn reason(chosen: &str, errors: &FieldErrors) -> impl IntoView + use<> {
    let wrong = errors.message("decline_reason").map(|_| "true");
    let chosen = DeclineReason::from_code(chosen);
    view! {
        <div class="field">
            <label for="decline_reason">"Reason for declining"</label>
            <p class="hint" id="decline_reason-hint">"Only for a declined request. Give it to the person as well."</p>
            <select id="decline_reason" name="form[decline_reason]" aria-invalid=wrong
                aria-describedby="decline_reason-hint decline_reason-problem">
                {options(DeclineReason::ALL, chosen, "None", DeclineReason::code, DeclineReason::label)}
            </select>
            <FieldProblem field="decline_reason" errors=errors.clone() />
        </div>
    }
}
