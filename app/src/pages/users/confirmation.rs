//! The form that confirms anonymising a single user or member of staff: the typed number, and the button.

use crate::components::{FieldProblem, ReauthHint, user_address};
use crate::error::field_errors;
use crate::form::{Token, action, failed_submission};
use leptos::prelude::*;
use policy::form::FieldErrors;
use records::user::UserRecord;
use serde::{Deserialize, Serialize};
use task_centre::run::SinglePlan;

/// The user, the typed number, and the task whose settings were shown.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnonymiseForm {
    pub(super) user: i64,
    pub(super) task: i64,
    pub(super) version: i32,
    #[serde(default)]
    pub(super) confirm: String,
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
    let (typed, errors) = match failed_submission::<AnonymiseForm>(function) {
        Some((form, error)) => (form.confirm, field_errors(Some(&error))),
        None => (String::new(), FieldErrors::default()),
    };
    let wrong = errors.of("confirm").is_some().then_some("true");
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
            <div class="field">
                <label for="confirm">"User number"</label>
                <p class="hint" id="confirm-hint">"To confirm, type "<b>{number.clone()}</b>"."</p>
                <input id="confirm" name="form[confirm]" inputmode="numeric" autocomplete="off" value=typed
                    aria-invalid=wrong aria-describedby="confirm-hint confirm-problem" />
                <FieldProblem field="confirm" errors />
            </div>
            <div class="buttons">
                <button class="danger" type="submit">{label}</button>
                <a href=user_address(user.number)>"Cancel"</a>
            </div>
        </form>
    }
}
