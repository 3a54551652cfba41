//! The table of legal holds, for the list and for a user's record.

use crate::components::{DataTable, Day, person_link, text_columns};
use crate::url::percent_encoded;
use chrono::NaiveDate;
use leptos::prelude::*;
use safeguards::legal_hold::{Hold, HoldOn};

/// Renders the target of a hold, with a link.
pub(super) fn target_link(on: &HoldOn) -> AnyView {
    match on {
        HoldOn::User(person) => person_link(person).into_any(),
        HoldOn::Category(term) => {
            let list = format!("/users?category={}", percent_encoded(&term.code));
            view! { "All users in the category " <a href=list>{term.name.clone()}</a> }.into_any()
        }
    }
}

/// Renders the state of a hold as a tag.
pub(super) fn state_tag(hold: &Hold, today: NaiveDate) -> AnyView {
    let (class, label) = match hold {
        hold if !hold.is_in_force() => ("tag quiet", "Released"),
        hold if hold.is_due(today) => ("tag bad", "In force, review due"),
        _ => ("tag due", "In force"),
    };
    let asked =
        hold.asked.is_some().then(|| view! { " " <span class="tag ready">"Release requested"</span> });
    view! { <span class=class>{label}</span> {asked} }.into_any()
}

/// Renders the table. `names_target` names the target of each hold; a table about one user does not need it.
pub(crate) fn hold_table(holds: Vec<Hold>, today: NaiveDate, names_target: bool) -> impl IntoView {
    let rows = holds
        .into_iter()
        .map(|hold| {
            let target = match (&hold.on, names_target) {
                (HoldOn::User(_), false) => "This user".into_any(),
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
