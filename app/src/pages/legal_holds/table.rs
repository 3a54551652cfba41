//! The table of legal holds, for the list and for a user's record.

use crate::components::{DataTable, Day, person_link, text_columns};
use crate::url::percent_encoded;
use chrono::NaiveDate;
use leptos::prelude::*;
use policy::LegalHoldTarget;
use safeguards::legal_hold::LegalHold;
use trail::person::Person;
use trail::terms::Term;

/// Renders the target of a hold, with a link.
pub(super) fn target_link(on: &LegalHoldTarget<Person, Term>) -> AnyView {
    match on {
        LegalHoldTarget::User(person) => person_link(person).into_any(),
        LegalHoldTarget::Category(term) => {
            let list = format!("/users?category={}", percent_encoded(&term.code));
            view! { "All users in the category " <a href=list>{term.name.clone()}</a> }.into_any()
        }
    }
}

/// Renders the state of a hold as a tag.
pub(super) fn state_tag(hold: &LegalHold, today: NaiveDate) -> AnyView {
    let (class, label) = match hold {
        hold if !hold.is_in_force() => ("tag quiet", "Released"),
        hold if hold.is_due(today) => ("tag bad", "In force, review due"),
        _ => ("tag due", "In force"),
    };
    let asked = hold
        .release_request
        .is_some()
        .then(|| view! { " " <span class="tag ready">"Release requested"</span> });
    view! { <span class=class>{label}</span> {asked} }.into_any()
}

/// Renders the table. `names_target` names the target of each hold; a table about one user does not need it.
pub(crate) fn hold_table(holds: Vec<LegalHold>, today: NaiveDate, names_target: bool) -> impl IntoView {
    let rows = holds
        .into_iter()
        .map(|hold| {
            let target = match (&hold.on, names_target) {
                (LegalHoldTarget::User(_), false) => "This user".into_any(),
                (on, _) => target_link(on),
            };
            view! {
                <tr>
                    <th scope="row"><a href=format!("/legal-holds/{}", hold.id)>"Legal hold "{hold.id.to_string()}</a></th>
                    <td>{target}</td>
                    <td>{hold.reason.label()}</td>
                    <td>{state_tag(&hold, today)}</td>
                    <td><Day date=hold.review_on /></td>
                    <td>{hold.owner.as_ref().map(person_link)}</td>
                    <td><Day date=hold.placed_on /></td>
                    <td><Day date=hold.released_on /></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <DataTable label="Legal holds" caption="Legal holds"
            columns=text_columns([
                "Legal hold", "Covers", "Reason", "State", "Review date", "Owner", "Placed", "Released",
            ])>
            {rows}
        </DataTable>
    }
}
