//! The details of a user's record. For an anonymised user only the remaining values are shown.

use super::imported_dates;
use super::tab::Tab;
use crate::components::{RecordDay, person_link};
use crate::pages::access_requests::{record_form, request_table};
use crate::pages::legal_holds::{hold_table, place_form};
use crate::state::actor;
use chrono::NaiveDate;
use leptos::prelude::*;
use policy::dates::joined;
use policy::user_field::{FieldKind, FieldValue, Section};
use policy::{Action, LegalHoldTarget};
use records::access_request::AccessRequest;
use records::user::UserRecord;
use safeguards::legal_hold::LegalHold;

/// One line: label and value.
type Fact = (&'static str, Option<AnyView>);

pub(super) fn view(
    user: &UserRecord,
    (holds, requests): (Vec<LegalHold>, Vec<AccessRequest>),
    can_see_data: bool,
    today: NaiveDate,
) -> impl IntoView + use<> {
    let all = !user.is_anonymised();
    let may_correct = all && actor().may(Action::Import);
    view! {
        <div class="beside">
            {group("Person", all, person(user))}
            {group("Library", all, library(user))}
            {group("Contact", all, fields(user, Section::Contact))}
            {group("Dates", all, record_dates(user))}
        </div>
        {may_correct.then(|| imported_dates::forms(user.number))}
        {custom(user)}
        {guarantees(user)}
        {legal_holds(user, holds, today)}
        {access_requests(user, requests, can_see_data, today)}
    }
}

/// Renders a group of facts. Lines without a value are shown only if `all` is set.
fn group(heading: &'static str, all: bool, facts: Vec<Fact>) -> impl IntoView {
    let lines: Vec<_> = facts
        .into_iter()
        .filter(|(_, value)| all || value.is_some())
        .map(|(label, value)| view! { <dt>{label}</dt><dd>{value}</dd> })
        .collect();
    (!lines.is_empty()).then(|| view! { <section><h2>{heading}</h2><dl class="facts">{lines}</dl></section> })
}

/// Returns the fields of a section.
fn fields(user: &UserRecord, section: Section) -> Vec<Fact> {
    // The head of the page shows whether the record is fictitious.
    user.shown_fields()
        .filter(|(field, _)| field.section == section && field.name != "fictitious")
        .map(|(field, value)| {
            let by_month = user.dates_by_month && section == Section::Dates;
            let shown = match value {
                FieldValue::Empty | FieldValue::Flag(false) => None,
                FieldValue::Text(text) if field.kind == FieldKind::Lines => {
                    Some(view! { <span class="lines">{text.to_owned()}</span> }.into_any())
                }
                FieldValue::Text(text) => Some(text.to_owned().into_any()),
                FieldValue::Date(date) => day(Some(date), by_month),
                FieldValue::Flag(true) => Some("Yes".into_any()),
            };
            (field.label, shown)
        })
        .collect()
}

fn day(date: Option<NaiveDate>, by_month: bool) -> Option<AnyView> {
    date.map(|date| view! { <RecordDay date=Some(date) by_month /> }.into_any())
}

fn person(user: &UserRecord) -> Vec<Fact> {
    let photo = user.has_photo.then(|| {
        let picture = format!("/users/{}/photo", user.number);
        view! { <img src=picture alt="Photo of the user" width="96" /> }.into_any()
    });
    let mut facts = fields(user, Section::Names);
    facts.extend(fields(user, Section::Person));
    facts.push(("Photo", photo));
    facts
}

const fn sign_in(user: &UserRecord) -> &'static str {
    if user.roles.is_empty() {
        "Has stored credentials, but only staff can sign in here"
    } else {
        "Can sign in"
    }
}

fn library(user: &UserRecord) -> Vec<Fact> {
    let roles: Vec<&str> = user.roles.iter().map(|role| role.label()).collect();
    let mut facts = vec![("User number", Some(user.number.to_string().into_any()))];
    facts.extend(fields(user, Section::Library));
    facts.extend([
        ("Roles", (!roles.is_empty()).then(|| joined(&roles, "and").into_any())),
        ("Guarantor", user.guarantor.as_ref().map(|person| person_link(person).into_any())),
        ("Sign-in", user.can_sign_in.then(|| sign_in(user).into_any())),
    ]);
    facts
}

fn record_dates(user: &UserRecord) -> Vec<Fact> {
    let by_month = user.dates_by_month;
    let mut facts = vec![("Created", day(user.created_on, by_month))];
    facts.extend(fields(user, Section::Dates));
    facts.extend([
        ("Last activity", day(user.last_activity_on, by_month)),
        ("Marked for deletion", day(user.marked_on, by_month)),
        ("Anonymising announced", day(user.announced_on, by_month)),
        ("Account kept", day(user.kept_on, by_month)),
    ]);
    facts
}

/// Returns the value unless it is empty.
fn non_empty(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

fn custom(user: &UserRecord) -> impl IntoView + use<> {
    let all = !user.is_anonymised();
    let lines: Vec<_> = user
        .custom
        .iter()
        .filter(|field| all || !field.value.is_empty())
        .map(|field| view! { <dt>{field.label.clone()}</dt><dd>{non_empty(&field.value)}</dd> })
        .collect();
    (!lines.is_empty()).then(|| view! { <h2>"Custom fields"</h2><dl class="facts">{lines}</dl> })
}

fn guarantees(user: &UserRecord) -> impl IntoView + use<> {
    let people: Vec<_> =
        user.guarantees_for.iter().map(|person| view! { <li>{person_link(person)}</li> }).collect();
    (!people.is_empty()).then(|| {
        view! {
            <h2 id="guarantees">"Guarantor for"</h2>
            <p class="hint">
                "A guarantor cannot be anonymised until these users have been, or have another guarantor. To \
                 change the guarantor, edit their records."
            </p>
            <ul>{people}</ul>
        }
    })
}

fn legal_holds(user: &UserRecord, holds: Vec<LegalHold>, today: NaiveDate) -> impl IntoView + use<> {
    let place = !user.is_anonymised() && actor().may(Action::PlaceLegalHolds);
    if holds.is_empty() && !place {
        return ().into_any();
    }
    let table = (!holds.is_empty()).then(|| hold_table(holds, today, false));
    let form =
        place.then(|| place_form(LegalHoldTarget::User(user.number), &Tab::Details.address(user.number)));
    view! {
        <h2 id="legal-holds">"Legal holds"</h2>
        {table}
        {form}
    }
    .into_any()
}

fn access_requests(
    user: &UserRecord,
    requests: Vec<AccessRequest>,
    can_see_data: bool,
    today: NaiveDate,
) -> impl IntoView + use<> {
    let may = actor().may(Action::HandleAccessRequests);
    if !may {
        return ().into_any();
    }
    let record = !user.is_anonymised() && !user.fictitious;
    let table = (!requests.is_empty()).then(|| request_table(requests, today, false));
    let data = can_see_data.then(|| {
        let data = format!("/users/{}/data", user.number);
        view! { <p><a href=data>"Show everything held about this user"</a></p> }
    });
    let form = record.then(|| record_form(user.number, &Tab::Details.address(user.number)));
    view! {
        <h2 id="access-requests">"Access requests"</h2>
        {table}
        {data}
        {form}
    }
    .into_any()
}
