//! The identity of a user, which distinguishes namesakes before an irreversible action.

use crate::components::{DataTable, RecordDay, person_link, text_columns};
use leptos::prelude::*;
use policy::numbers::counted;
use policy::user_field::FieldValue;
use records::user::{Namesakes, UserRecord};
use trail::person::Person;

/// The fields that tell namesakes apart, beside names and dates.
const FIELDS: [&str; 6] = ["user_id", "barcode", "birth_date", "category", "department", "city"];

/// Renders who the user is, and how many other users have the same name.
pub(super) fn facts(user: &UserRecord, namesakes: &Namesakes) -> impl IntoView + use<> {
    view! {
        <p class="headline">{user.name.clone()}</p>
        {facts_list(user)}
        {same_name(namesakes)}
    }
}

/// Renders the facts that tell namesakes apart.
fn facts_list(user: &UserRecord) -> impl IntoView + use<> {
    let facts = facts_of(user).into_iter().map(|(label, value)| view! { <dt>{label}</dt><dd>{value}</dd> });
    view! { <dl class="facts">{facts.collect_view()}</dl> }
}

/// Returns the facts that tell namesakes apart, with their labels.
fn facts_of(user: &UserRecord) -> Vec<(&'static str, AnyView)> {
    let missing = || "not known".into_any();
    let mut facts = vec![("User number", user.number.to_string().into_any())];
    for name in FIELDS {
        let Some((field, value)) = user.shown_fields().find(|(field, _)| field.name == name) else {
            continue;
        };
        facts.push(match value {
            _ if name == "city" => ("Address", address(user).map_or_else(missing, IntoAny::into_any)),
            FieldValue::Text(text) => (field.label, text.to_owned().into_any()),
            FieldValue::Date(date) => {
                (field.label, view! { <RecordDay date=Some(date) by_month=false /> }.into_any())
            }
            FieldValue::Empty | FieldValue::Flag(_) => (field.label, missing()),
        });
    }
    for (label, date) in [("Created", user.created_on), ("Last activity", user.last_activity_on)] {
        let by_month = user.dates_by_month;
        let shown = match date {
            Some(_) => view! { <RecordDay date by_month /> }.into_any(),
            None => missing(),
        };
        facts.push((label, shown));
    }
    facts
}

/// Renders the facts of two records side by side: the one that stays and the one that is anonymised.
pub(super) fn side_by_side(staying: &UserRecord, losing: &UserRecord) -> impl IntoView + use<> {
    let name = |user: &UserRecord| {
        let person = Person { number: user.number, name: user.name.clone() };
        person_link(&person).into_any()
    };
    let of_name = ("Name", name(staying), name(losing));
    let others = std::iter::zip(facts_of(staying), facts_of(losing))
        .map(|((label, staying), (_, losing))| (label, staying, losing));
    let rows = std::iter::once(of_name)
        .chain(others)
        .map(|(label, staying, losing)| {
            view! { <tr><th scope="row">{label}</th><td>{staying}</td><td>{losing}</td></tr> }
        })
        .collect_view();
    view! {
        <DataTable label="Both records" caption="Both records"
            columns=text_columns(["Field", "Stays", "Is anonymised"])>
            {rows}
        </DataTable>
    }
}

/// Returns the address in one line.
fn address(user: &UserRecord) -> Option<String> {
    let parts = [&user.street, &user.postcode, &user.city];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn same_name(namesakes: &Namesakes) -> impl IntoView + use<> {
    if namesakes.count == 0 {
        return view! { <p class="hint" id="namesakes">"No other user has this name."</p> }.into_any();
    }
    let count = i64::try_from(namesakes.count).unwrap_or(i64::MAX);
    let verb = counted(count, "other user has", "other users have");
    let links = namesakes.first.iter().map(|person| view! { <li>{person_link(person)}</li> }).collect_view();
    let more =
        (count > i64::try_from(namesakes.first.len()).unwrap_or(i64::MAX)).then_some("The first of them:");
    view! {
        <div class="notice warning" id="namesakes">
            <p><b>{verb}" the same name."</b>" Check that this is the right record. "{more}</p>
            <ul>{links}</ul>
        </div>
    }
    .into_any()
}
