//! Users: search, record, edit, anonymise.

mod actions;
mod activity;
mod anonymise;
mod details;
mod form;
mod impact;
mod inputs;
mod record;
mod search;
mod search_form;
mod staff;
mod tab;

pub use anonymise::AnonymiseUserPage;
pub use form::{EditUserPage, NewUserPage};
pub use record::UserPage;
pub use search::UserSearchPage;
pub(crate) use search_form::FindUsers;

use crate::components::{Crumb, Day};
use crate::state::can_open;
use chrono::NaiveDate;
use leptos::prelude::*;
use policy::{UserNumber, dates};
use trail::person::Person;

/// Returns the breadcrumbs of a page about users.
fn crumbs(more: impl IntoIterator<Item = Crumb>) -> Vec<Crumb> {
    std::iter::once(("Users".to_owned(), "/users".to_owned())).chain(more).collect()
}

/// Returns the address of a user's record.
pub(super) fn address(number: UserNumber) -> String {
    format!("/users/{number}")
}

/// Renders the name of a user, with a link to the record if the actor has access.
pub(crate) fn person_link(person: &Person) -> impl IntoView + use<> {
    let (address, name) = (address(person.number), person.name.clone());
    if !can_open(&address) {
        return name.into_any();
    }
    view! { <a href=address>{name}</a> " (user "{person.number.to_string()}")" }.into_any()
}

/// Returns the label of a code of the records: `text_message` is “Text message”.
pub(super) fn code_label(code: &str) -> String {
    let mut label = code.replace('_', " ");
    if let Some(first) = label.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    label
}

/// Shows a date of the record. For an anonymised user it may be the month only.
#[component]
pub(super) fn RecordDay(date: Option<NaiveDate>, by_month: bool) -> impl IntoView {
    match date {
        Some(date) if by_month => {
            let machine = date.format("%Y-%m").to_string();
            view! { <time datetime=machine>{dates::shown_month(date)}</time> }.into_any()
        }
        date => view! { <Day date /> }.into_any(),
    }
}
