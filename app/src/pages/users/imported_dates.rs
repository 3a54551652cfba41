//! The forms that correct dates which imports deliver: the last activity and the creation of the record.

use super::tab::Tab;
use crate::components::{DateInput, FieldProblem, ProblemSummary, flash};
use crate::error::{AppError, field_errors};
use crate::form::{Token, action, error_for, failed_submission};
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::UserNumber;
use policy::form::FieldErrors;
use records::user::{self, ImportedDate};
use serde::{Deserialize, Serialize};

/// The form of the last activity, as entered.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LastActivityForm {
    user: i64,
    last_activity_on: String,
}

/// The form of the creation date, as entered.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CreatedForm {
    user: i64,
    created_on: String,
}

/// Corrects the date of the last activity.
#[server(prefix = "/do", endpoint = "correct_last_activity", input = PostUrl)]
pub(super) async fn correct_last_activity(form: LastActivityForm) -> Result<(), AppError> {
    let number = UserNumber(form.user);
    let which = ImportedDate::LastActivity;
    if !user::correct_date(&store(), actor(), number, which, &form.last_activity_on).await? {
        return Err(AppError::unchanged("This user already has this last activity"));
    }
    flash::redirect(&format!("{}&done=last-activity-corrected", Tab::Details.address(number)));
    Ok(())
}

/// Corrects the date on which the record was created.
#[server(prefix = "/do", endpoint = "correct_created", input = PostUrl)]
pub(super) async fn correct_created(form: CreatedForm) -> Result<(), AppError> {
    let number = UserNumber(form.user);
    if !user::correct_date(&store(), actor(), number, ImportedDate::Created, &form.created_on).await? {
        return Err(AppError::unchanged("This user already has this creation date"));
    }
    flash::redirect(&format!("{}&done=created-corrected", Tab::Details.address(number)));
    Ok(())
}

/// The texts of one form.
struct Texts {
    id: &'static str,
    field: &'static str,
    summary: &'static str,
    label: &'static str,
    hint: &'static str,
    button: &'static str,
}

const LAST_ACTIVITY: Texts = Texts {
    id: "correct-last-activity",
    field: "last_activity_on",
    summary: "Correct the last activity of this user",
    label: "Last activity",
    hint: "For example 15 Jan 2018. Use it if another system delivered a wrong date: imports only move the date forward. \
           The audit records the correction.",
    button: "Correct last activity",
};

const CREATED: Texts = Texts {
    id: "correct-created",
    field: "created_on",
    summary: "Correct the creation date of this record",
    label: "Created",
    hint: "For example 15 Jan 2018. Inactivity counts from it if no later activity is known. The next import overwrites it if its \
           file has this date. The audit records the correction.",
    button: "Correct creation date",
};

/// Renders both forms, each in a closed disclosure.
pub(super) fn forms(number: UserNumber) -> impl IntoView + use<> {
    let (activity, activity_error) = match failed_submission::<LastActivityForm>(CorrectLastActivity::PATH) {
        Some((form, error)) => (form.last_activity_on, Some(error)),
        None => (String::new(), error_for(CorrectLastActivity::PATH)),
    };
    let (created, created_error) = match failed_submission::<CreatedForm>(CorrectCreated::PATH) {
        Some((form, error)) => (form.created_on, Some(error)),
        None => (String::new(), error_for(CorrectCreated::PATH)),
    };
    view! {
        {form(number, CorrectLastActivity::PATH, &LAST_ACTIVITY, activity, activity_error)}
        {form(number, CorrectCreated::PATH, &CREATED, created, created_error)}
    }
}

fn form(
    number: UserNumber,
    function: &'static str,
    texts: &Texts,
    typed: String,
    error: Option<AppError>,
) -> impl IntoView + use<> {
    let Texts { id, field, summary, label, hint, button } = *texts;
    let errors: FieldErrors = field_errors(error.as_ref());
    let open = error.is_some();
    let wrong = errors.message(field).is_some();
    view! {
        <details class="more" id=id open=open>
            <summary>{summary}</summary>
            <ProblemSummary error />
            <form method="post" action=action(function, &Tab::Details.address(number)) novalidate>
                <Token />
                <input type="hidden" name="form[user]" value=number.to_string() />
                <div class="field">
                    <label for=field>{label}</label>
                    <p class="hint" id=format!("{field}-hint")>{hint}</p>
                    <DateInput id=field name=format!("form[{field}]") value=typed wrong
                        described=format!("{field}-hint {field}-problem") />
                    <FieldProblem field errors />
                </div>
                <button class="primary" type="submit">{button}</button>
            </form>
        </details>
    }
}
