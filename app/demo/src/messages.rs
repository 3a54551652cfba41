//! Messages of the library to users. Every message contains the name, and letters contain the address: anonymising
//! must remove both.

use super::person::Person;
use super::rng::SeededRng;
use chrono::{NaiveDate, NaiveTime};
use db::entity::messages;
use sea_orm::Set;

/// The occasion of a message.
#[derive(Clone, Copy)]
pub(super) enum Occasion<'a> {
    Welcome,
    /// A loan with this title is overdue.
    Overdue(&'a str),
    /// A request for this title is ready for collection at this branch.
    Pickup(&'a str, &'a str),
    /// The user leaves in a few weeks.
    Leaving,
}

/// Returns a message of this day.
pub(super) fn message(
    rng: &mut SeededRng,
    person: &Person,
    occasion: Occasion<'_>,
    day: NaiveDate,
) -> messages::ActiveModel {
    let name = person.called();
    let (kind, subject, text) = match occasion {
        Occasion::Welcome => (
            "welcome",
            format!("Welcome to the library, {name}"),
            format!("your library card {} is ready.", person.user.barcode.as_deref().unwrap_or("(none)")),
        ),
        Occasion::Overdue(title) => (
            "overdue",
            "Please return a loan".to_owned(),
            format!("“{title}” was due some days ago. Please return or renew it."),
        ),
        Occasion::Pickup(title, branch) => (
            "pickup",
            "Your request is ready".to_owned(),
            format!("“{title}” waits for you at the branch “{branch}”."),
        ),
        Occasion::Leaving => (
            "leaving",
            "Before you leave".to_owned(),
            "please return what you have borrowed before your last day.".to_owned(),
        ),
    };
    let (channel, recipient) = way(rng, person);
    let opening = match (channel, &recipient) {
        ("letter", Some(address)) => format!("{name}\n{address}\n\nDear {name},"),
        _ => format!("Dear {name},"),
    };
    let time = NaiveTime::from_hms_opt(6, 0, 0).unwrap_or_default()
        + chrono::Duration::seconds(rng.between(0, 50_000));
    messages::ActiveModel {
        user_number: Set(person.user.number),
        kind: Set(kind.to_owned()),
        channel: Set(channel.to_owned()),
        sent_at: Set(day.and_time(time).and_utc()),
        recipient: Set(recipient),
        subject: Set(Some(subject)),
        body: Set(Some(format!("{opening}\n\n{text}\n\nYour library"))),
        ..Default::default()
    }
}

/// Returns a channel of the user, with the address in the form of that channel.
fn way(rng: &mut SeededRng, person: &Person) -> (&'static str, Option<String>) {
    let user = &person.user;
    let [letter, text] = [rng.percent(15), rng.percent(8)];
    if let (Some(street), Some(city)) = (&user.street, &user.city)
        && (letter || user.email.is_none())
    {
        let postcode = user.postcode.as_deref().unwrap_or_default();
        let country = user.country.as_deref().unwrap_or_default();
        return ("letter", Some(format!("{street}\n{postcode} {city}\n{country}")));
    }
    if text && user.mobile.is_some() {
        return ("text", user.mobile.clone());
    }
    ("email", user.email.clone())
}
