//! The form that records an access request, on the record of the user.

use super::actions::RecordAccessRequest;
use crate::components::{DateInput, FieldProblem, ProblemSummary};
use crate::error::field_errors;
use crate::form::{Token, action, error_for, failed_submission};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::UserNumber;
use policy::access_request::AccessRequestForm;

/// Renders the form in a closed disclosure. `page` is the page of the form.
pub(crate) fn record_form(user: UserNumber, page: &str) -> impl IntoView + use<> {
    let (form, error) = match failed_submission::<AccessRequestForm>(RecordAccessRequest::PATH) {
        Some((form, error)) => (form, Some(error)),
        None => (AccessRequestForm::default(), error_for(RecordAccessRequest::PATH)),
    };
    let errors = field_errors(error.as_ref());
    let open = error.is_some();
    view! {
        <details class="more" id="record-access-request" open=open>
            <summary>"Record an access request of this user"</summary>
            <ProblemSummary error />
            <form method="post" action=action(RecordAccessRequest::PATH, page) novalidate>
                <Token />
                <input type="hidden" name="form[user]" value=user.to_string() />
                <div class="field">
                    <label for="received_on">"Received"</label>
                    <p class="hint" id="received_on-hint">
                        "For example 15 Jan 2018. The library must answer within one month (GDPR Art. 12)."
                    </p>
                    <DateInput id="received_on" name="form[received_on]" value=form.received_on
                        wrong=errors.message("received_on").is_some() described="received_on-hint received_on-problem" />
                    <FieldProblem field="received_on" errors=errors.clone() />
                </div>
                <button class="primary" type="submit">"Record access request"</button>
            </form>
        </details>
    }
}
