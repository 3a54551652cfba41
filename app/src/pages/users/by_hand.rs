//! Anonymising by hand: why there is no link, and what to do in the form instead.

use crate::pages::tasks::task_link;
use leptos::prelude::*;
use policy::dates::joined;
use policy::field::{ALWAYS_REMOVED, ALWAYS_REMOVED_TOO};
use policy::{Field, Policy, Treatment};
use records::user::UserRecord;
use records::{RecordsError, Store, run};

/// Whether a user is anonymised by hand only.
pub(super) fn applies(user: &UserRecord) -> bool {
    user.is_staff() || user.fictitious
}

/// Says why, and lists the same fields as a task does.
pub(super) async fn explanation(
    store: &Store,
    user: &UserRecord,
    open: bool,
) -> Result<impl IntoView + use<>, RecordsError> {
    let plan = run::plan_for_one(store, user.number).await?;
    let who = if user.fictitious { "This record is no person" } else { "This user has a role" };
    let settings = match &plan.task {
        Some(task) => view! { "the field settings of the task " {task_link(task)} }.into_any(),
        None => "the usual field settings (there is no task that serves single users)".into_any(),
    };
    let settings_list = list(&plan.policy);
    let of_staff = user.is_staff().then_some(
        " UserID and sign-in of staff are changed by who manages staff, and nobody changes their own.",
    );
    Ok(view! {
        <details class="more" open=open>
            <summary>"Anonymise by hand"</summary>
            <p>
                {who}". Such records are never anonymised by a task or by a link, so that nobody loses the library's \
                 own accounts by accident. To anonymise one, edit it here by "{settings}":"
            </p>
            <ul>{settings_list}</ul>
            <p>
                "Give it a last name that says nothing about the person, for example “Former member of staff”. \
                 Catalogue records show that name from then on. Notes on loans, renewals, requests and \
                 charges and the addresses and texts of messages sent are not changed by editing."
                {of_staff}
            </p>
        </details>
    })
}

/// What is to be done with a field in a form, where no half date can be typed: a birth date that a task would
/// generalise is removed. The dates of the record but one are no fields of the form.
fn typed(policy: &Policy, field: Field) -> Option<Treatment> {
    match policy.treatment(field) {
        _ if field == Field::RecordDates => None,
        Treatment::Year | Treatment::Decade => Some(Treatment::Remove),
        treatment => Some(treatment),
    }
}

fn list(policy: &Policy) -> Vec<AnyView> {
    let always: Vec<&str> = ALWAYS_REMOVED.iter().map(|(words, _)| *words).collect();
    let mut lines = vec![
        view! { <li><b>"Empty or replace: "</b>{joined(&always, "and")}". "{ALWAYS_REMOVED_TOO}</li> }
            .into_any(),
    ];
    for treatment in Treatment::ALL {
        let fields: Vec<&str> = Field::ALL
            .into_iter()
            .filter(|field| typed(policy, *field) == Some(treatment))
            .map(Field::words)
            .collect();
        if !fields.is_empty() {
            let line = view! { <li><b>{treatment.words()}": "</b>{joined(&fields, "and")}</li> };
            lines.push(line.into_any());
        }
    }
    lines
}
