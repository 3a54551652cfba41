//! The form that corrects the date of the last activity.

use super::tab::Tab;
use crate::components::{DateInput, FieldProblem, ProblemSummary, flash};
use crate::error::{AppError, field_errors};
use crate::form::{Token, action, error_for, failed_submission};
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::UserNumber;
use records::user;
use serde::{Deserialize, Serialize};

/// The form as entered.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LastActivityForm {
    user: i64,
    last_activity_on: String,
}

/// Corrects the date of the last activity.
#[server(prefix = "/do", endpoint = "correct_last_activity", input = PostUrl)]
pub(super) async fn correct_last_activity(form: LastActivityForm) -> Result<(), AppError> {
    let number = UserNumber(form.user);
    if !user::correct_last_activity(&store(), actor(), number, &form.last_activity_on).await? {
        return Err(AppError::unchanged("This user already has this last activity"));
    }
    flash::redirect(&format!("{}&done=last-activity-corrected", Tab::Details.address(number)));
    Ok(())
}

/// Renders the form in a closed disclosure.
pub(super) fn form(number: UserNumber) -> impl IntoView + use<> {
    let (form, error) = match failed_submission::<LastActivityForm>(CorrectLastActivity::PATH) {
        Some((form, error)) => (form, Some(error)),
        None => (LastActivityForm::default(), error_for(CorrectLastActivity::PATH)),
    };
    let errors = field_errors(error.as_ref());
    let open = error.is_some();
    view! {
        <details class="more" id="correct-last-activity" open=open>
            <summary>"Correct the last activity of this user"</summary>
            <ProblemSummary error />
            <form method="post" action=action(CorrectLastActivity::PATH, &Tab::Details.address(number)) novalidate>
                <Token />
                <input type="hidden" name="form[user]" value=number.to_string() />
                <div class="field">
                    <label for="last_activity_on">"Last activity"</label>
                    <p class="hint" id="last_activity_on-hint">
                        "For example 15 Jan 2018. Use it if another system delivered a wrong date: imports only move \
                         the date forward. The audit records the correction."
                    </p>
                    <DateInput id="last_activity_on" name="form[last_activity_on]" value=form.last_activity_on
                        wrong=errors.of("last_activity_on").is_some()
                        described="last_activity_on-hint last_activity_on-problem" />
                    <FieldProblem field="last_activity_on" errors=errors.clone() />
                </div>
                <button class="primary" type="submit">"Correct last activity"</button>
            </form>
        </details>
    }
}
