//! The form that confirms anonymising a single user or member of staff: reason, case reference, the typed number, and
//! the button.

use crate::components::{FieldProblem, ReauthHint, user_address};
use crate::error::field_errors;
use crate::form::{Token, action, failed_submission};
use leptos::prelude::*;
use policy::form::FieldErrors;
use policy::{ErasureReason, TaskId};
use records::user::UserRecord;
use serde::{Deserialize, Serialize};
use task_centre::run::{SingleOrder, SinglePlan};

/// The user, the typed number, and the task whose settings were shown.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnonymiseForm {
    pub(super) user: i64,
    pub(super) task: i64,
    pub(super) version: i32,
    #[serde(default)]
    pub(super) erasure_reason: String,
    #[serde(default)]
    pub(super) case_reference: String,
    #[serde(default)]
    pub(super) confirm: String,
}

impl AnonymiseForm {
    /// Returns the order of the form.
    pub(super) fn order(&self) -> SingleOrder<'_> {
        SingleOrder {
            typed: &self.confirm,
            reason: &self.erasure_reason,
            case_reference: &self.case_reference,
            shown: Some((TaskId(self.task), self.version)),
        }
    }
}

/// Renders the form for the typed number, which posts to `function` with the shown task.
pub(super) fn confirmation(
    user: &UserRecord,
    plan: &SinglePlan,
    function: &'static str,
    label: String,
) -> impl IntoView + use<> {
    let number = user.number.to_string();
    let task = plan.task.as_ref().map(|(id, _)| id.to_string()).unwrap_or_default();
    let here = format!("{}/anonymise", user_address(user.number));
    let (form, errors) = match failed_submission::<AnonymiseForm>(function) {
        Some((form, error)) => (form, field_errors(Some(&error))),
        None => (AnonymiseForm::default(), FieldErrors::default()),
    };
    view! {
        <form class="confirm" method="post" action=action(function, &here) novalidate>
            <Token />
            <h2>"This cannot be undone"</h2>
            <p>
                "No copy of the removed values is kept. Backups made before today keep the old values until \
                 they expire. After a restore Lethe anonymises this user again before it serves any page."
            </p>
            <ReauthHint page=here.clone() />
            <input type="hidden" name="form[user]" value=number.clone() />
            <input type="hidden" name="form[task]" value=task />
            <input type="hidden" name="form[version]" value=plan.version.to_string() />
            {reason(&form.erasure_reason, &errors)}
            {case_reference(form.case_reference, &errors)}
            {typed_number("User number", number, ".", form.confirm, errors)}
            <div class="buttons">
                <button class="danger" type="submit">{label}</button>
                <a href=user_address(user.number)>"Cancel"</a>
            </div>
        </form>
    }
}

/// Renders the field in which staff type the number of the user that is anonymised. `rest` follows the number in the hint.
pub(super) fn typed_number(
    label: &'static str,
    number: String,
    rest: &'static str,
    typed: String,
    errors: FieldErrors,
) -> impl IntoView {
    let wrong = errors.message("confirm").is_some().then_some("true");
    view! {
        <div class="field">
            <label for="confirm">{label}</label>
            <p class="hint" id="confirm-hint">"To confirm, type "<b>{number}</b>{rest}</p>
            <input id="confirm" name="form[confirm]" inputmode="numeric" autocomplete="off" value=typed
                aria-invalid=wrong aria-describedby="confirm-hint confirm-problem" />
            <FieldProblem field="confirm" errors />
        </div>
    }
}

/// Renders the choice of the reason.
fn reason(chosen: &str, errors: &FieldErrors) -> impl IntoView + use<> {
    let wrong = errors.message("erasure_reason").is_some().then_some("true");
    let options = ErasureReason::ALL
        .map(|reason| {
            let selected = reason.code() == chosen;
            view! { <option value=reason.code() selected=selected>{reason.label()}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for="erasure_reason">"Reason"</label>
            <select id="erasure_reason" name="form[erasure_reason]" aria-invalid=wrong
                aria-describedby="erasure_reason-problem">
                <option value="">"Choose a reason"</option>
                {options}
            </select>
            <FieldProblem field="erasure_reason" errors=errors.clone() />
        </div>
    }
}

/// Renders the field of the case reference.
pub(super) fn case_reference(typed: String, errors: &FieldErrors) -> impl IntoView + use<> {
    let wrong = errors.message("case_reference").is_some().then_some("true");
    view! {
        <div class="field">
            <label for="case_reference">"Case reference (optional)"</label>
            <p class="hint" id="case_reference-hint">
                "Number of the case in your files, like 2026-118. It stays on run, certificate and audit, so it must not \
                 contain a name, an e-mail address or an identifier of the user."
            </p>
            <input id="case_reference" name="form[case_reference]" type="text" autocomplete="off" value=typed
                aria-invalid=wrong aria-describedby="case_reference-hint case_reference-problem" />
            <FieldProblem field="case_reference" errors=errors.clone() />
        </div>
    }
}
