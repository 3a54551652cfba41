//! The details of a user's record. For an anonymised user only the remaining values are shown.

use super::tab::Tab;
use crate::components::{RecordDay, person_link};
use crate::pages::legal_holds::{HoldTarget, hold_table, place_form};
use crate::state::actor;
use chrono::NaiveDate;
use leptos::prelude::*;
use policy::Action;
use policy::dates::joined;
use records::user::UserRecord;
use safeguards::legal_hold::Hold;
use trail::terms::Term;

/// One line: label and value.
type Fact = (&'static str, Option<AnyView>);

pub(super) fn view(user: &UserRecord, holds: Vec<Hold>, today: NaiveDate) -> impl IntoView + use<> {
    let all = !user.is_anonymised();
    view! {
        <div class="beside">
            {group("Person", all, person(user))}
            {group("Library", all, library(user))}
            {group("Contact", all, contact(user))}
            {group("Dates", all, record_dates(user))}
        </div>
        {custom(user)}
        {guarantees(user)}
        {legal_holds(user, holds, today)}
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

fn text(value: Option<&String>) -> Option<AnyView> {
    value.cloned().map(IntoAny::into_any)
}

fn term(value: Option<&Term>) -> Option<AnyView> {
    value.cloned().map(|term| term.name.into_any())
}

fn day(date: Option<NaiveDate>, by_month: bool) -> Option<AnyView> {
    date.map(|date| view! { <RecordDay date=Some(date) by_month /> }.into_any())
}

fn person(user: &UserRecord) -> Vec<Fact> {
    let photo = user.has_photo.then(|| {
        let picture = format!("/users/{}/photo", user.number);
        view! { <img src=picture alt="Photo of the user" width="96" /> }.into_any()
    });
    let birth = day(user.birth_date, false).or_else(|| text(user.birth_period.as_ref()));
    vec![
        ("Title", text(user.title.as_ref())),
        ("First name", text(user.first_name.as_ref())),
        ("Middle name", text(user.middle_name.as_ref())),
        ("Last name", text(user.last_name.as_ref())),
        ("Preferred name", text(user.preferred_name.as_ref())),
        ("Birth date", birth),
        ("Gender", text(user.gender.as_ref())),
        ("Language", text(user.language.as_ref())),
        ("Photo", photo),
    ]
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
    vec![
        ("User number", Some(user.number.to_string().into_any())),
        ("UserID", text(user.user_id.as_ref())),
        ("Barcode", text(user.barcode.as_ref())),
        ("External identifier", text(user.external_id.as_ref())),
        ("User category", term(user.category.as_ref())),
        ("Department", term(user.department.as_ref())),
        ("Branch", term(user.branch.as_ref())),
        ("Roles", (!roles.is_empty()).then(|| joined(&roles, "and").into_any())),
        ("Guarantor", user.guarantor.as_ref().map(|person| person_link(person).into_any())),
        ("Sign-in", user.can_sign_in.then(|| sign_in(user).into_any())),
    ]
}

fn contact(user: &UserRecord) -> Vec<Fact> {
    vec![
        ("E-mail", text(user.email.as_ref())),
        ("Phone", text(user.phone.as_ref())),
        ("Mobile", text(user.mobile.as_ref())),
        ("Street address", text(user.street.as_ref())),
        ("Postcode", text(user.postcode.as_ref())),
        ("City", text(user.city.as_ref())),
        ("Country", text(user.country.as_ref())),
        ("Notes", user.notes.clone().map(|notes| view! { <span class="lines">{notes}</span> }.into_any())),
    ]
}

fn record_dates(user: &UserRecord) -> Vec<Fact> {
    let by_month = user.dates_by_month;
    vec![
        ("Created", day(user.created_on, by_month)),
        ("Leaving date", day(user.leaving_on, by_month)),
        ("Last activity", day(user.last_activity_on, by_month)),
        ("Marked for deletion", day(user.marked_on, by_month)),
    ]
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

fn legal_holds(user: &UserRecord, holds: Vec<Hold>, today: NaiveDate) -> impl IntoView + use<> {
    let place = !user.is_anonymised() && actor().may(Action::PlaceLegalHolds);
    if holds.is_empty() && !place {
        return ().into_any();
    }
    let table = (!holds.is_empty()).then(|| hold_table(holds, today, false));
    let form = place.then(|| place_form(HoldTarget::User(user.number), &Tab::Details.address(user.number)));
    view! {
        <h2 id="legal-holds">"Legal holds"</h2>
        {table}
        {form}
    }
    .into_any()
}
