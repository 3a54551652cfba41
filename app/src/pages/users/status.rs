//! The top of a user's record: the legal holds that cover the user, and what each active task will do.

use crate::components::{Day, task_link};
use crate::state::store;
use leptos::prelude::*;
use policy::forecast::{Forecast, Sentence};
use records::user::UserRecord;
use safeguards::legal_hold::LegalHold;
use task_centre::outlook::Outlook;

/// Renders the legal holds in force.
pub(super) fn holds(holds: &[LegalHold]) -> impl IntoView + use<> {
    let rows: Vec<_> = holds
        .iter()
        .filter(|hold| hold.is_in_force())
        .map(|hold| {
            let covers = match hold.on {
                policy::LegalHoldTarget::User(_) => None,
                policy::LegalHoldTarget::Category(ref category) => {
                    Some(format!(", on the category {}", category.name))
                }
            };
            view! {
                <li>
                    <a href=format!("/legal-holds/{}", hold.id)>"Legal hold "{hold.id.to_string()}</a>": "
                    {hold.reason.label()}{covers}", review on "<Day date=hold.review_on />
                </li>
            }
        })
        .collect();
    (!rows.is_empty()).then(|| {
        view! {
            <section class="notice warning" aria-labelledby="covering-holds">
                <h2 id="covering-holds">"Under legal hold"</h2>
                <p>"This user cannot be anonymised by any means until each legal hold is released."</p>
                <ul>{rows}</ul>
            </section>
        }
    })
}

/// Renders one sentence for each active task.
pub(super) fn outlook(user: &UserRecord, tasks: &[Outlook]) -> impl IntoView + use<> {
    if tasks.is_empty() {
        let none =
            "No active task anonymises users. This user stays until a member of staff anonymises the record.";
        return view! { <p class="hint" id="outlook">{none}</p> }.into_any();
    }
    let today = store().clock.today();
    let sentences: Vec<_> = tasks
        .iter()
        .map(|task| {
            let blocked_by = match task.forecast {
                Forecast::From { blockers, .. } => user.counts.of_blockers(blockers),
                Forecast::Never(_) => String::new(),
            };
            let Sentence { before, after } =
                task.forecast.sentence(today, task.start, task.waits, &blocked_by);
            view! { <li>{before}{task_link(&(task.task, task.name.clone()))}{after}</li> }
        })
        .collect();
    view! { <ul class="outlook" id="outlook" aria-label="What the tasks will do">{sentences}</ul> }.into_any()
}
