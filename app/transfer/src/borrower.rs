//! The user of a line of a file of requests or charges.

use super::reader::Line;
use db::RecordsError;
use db::entity::users;
use policy::form::{FieldErrors, Problem};
use policy::text;
use safeguards::suppression::KeyValues;
use safeguards::suppression::check::Checker;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use std::collections::{HashMap, HashSet};

/// A column that identifies the user.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Key {
    ExternalId,
    UserId,
    Barcode,
    Number,
}

impl Key {
    /// The columns, in the order in which they are used.
    const ALL: [Self; 4] = [Self::ExternalId, Self::UserId, Self::Barcode, Self::Number];

    const fn column(self) -> &'static str {
        match self {
            Self::ExternalId => "external_id",
            Self::UserId => "user_id",
            Self::Barcode => "barcode",
            Self::Number => "user_number",
        }
    }

    fn of(self, user: &users::Model) -> Option<String> {
        match self {
            Self::ExternalId => user.external_id.clone(),
            Self::UserId => user.user_id.clone(),
            Self::Barcode => user.barcode.clone(),
            Self::Number => Some(user.number.to_string()),
        }
    }
}

/// The first non-empty column that identifies the user, and its value.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Borrower {
    key: Key,
    value: String,
}

impl Borrower {
    /// Reads the user of a line.
    pub(super) fn of(line: &Line, errors: &mut FieldErrors) -> Option<Self> {
        let mut found = None;
        for key in Key::ALL {
            let value = errors.take(key.column(), text::line(line.cell(key.column()), text::SHORT));
            let value = value.unwrap_or_default();
            if found.is_none() && !value.is_empty() {
                found = Some(Self { key, value });
            }
        }
        match &found {
            None if errors.is_empty() => {
                let what = "the user's external identifier, UserID, barcode or number";
                errors.add("user_id", Problem::required(what));
            }
            Some(Self { key: Key::Number, value }) if value.parse::<i64>().is_err() => {
                errors.add("user_number", Problem::NotAUserNumber);
            }
            _ => {}
        }
        found
    }

    /// Returns the name of the column.
    pub(super) const fn column(&self) -> &'static str {
        self.key.column()
    }

    /// Returns the key that the suppression list is compared with. A user number is not a key.
    fn keys(&self) -> KeyValues<'_> {
        let value = Some(self.value.as_str());
        match self.key {
            Key::ExternalId => KeyValues { external_id: value, ..KeyValues::default() },
            Key::UserId => KeyValues { user_id: value, ..KeyValues::default() },
            Key::Barcode => KeyValues { barcode: value, ..KeyValues::default() },
            Key::Number => KeyValues::default(),
        }
    }
}

/// The user whom a line is about.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// A user.
    User(Box<users::Model>),
    /// An anonymised user, or a key of one.
    Anonymised,
    /// There is no such user.
    Unknown,
}

/// Finds and locks the users of these lines.
pub(super) async fn find(
    tx: &DatabaseTransaction,
    checker: &Checker,
    borrowers: &[&Borrower],
) -> Result<Vec<Found>, RecordsError> {
    let mut users: HashMap<(Key, String), users::Model> = HashMap::new();
    for key in Key::ALL {
        let values: HashSet<&str> =
            borrowers.iter().filter(|one| one.key == key).map(|one| one.value.as_str()).collect();
        if values.is_empty() {
            continue;
        }
        let filter = match key {
            Key::ExternalId => users::Column::ExternalId.is_in(values),
            Key::UserId => users::Column::UserId.is_in(values),
            Key::Barcode => users::Column::Barcode.is_in(values),
            Key::Number => {
                users::Column::Number.is_in(values.iter().filter_map(|value| value.parse::<i64>().ok()))
            }
        };
        for user in users::Entity::find().filter(filter).lock_exclusive().all(tx).await? {
            if let Some(value) = key.of(&user) {
                users.insert((key, value), user);
            }
        }
    }
    let user_of = |one: &Borrower| users.get(&(one.key, one.value.clone()));
    let unknown: Vec<&Borrower> = borrowers.iter().copied().filter(|one| user_of(one).is_none()).collect();
    let mut suppressed: HashSet<&Borrower> = HashSet::new();
    if !unknown.is_empty() {
        let keys: Vec<KeyValues<'_>> = unknown.iter().map(|one| one.keys()).collect();
        let results = checker.check(tx, &keys).await?;
        let held = unknown.iter().zip(results).filter(|(_, result)| result.held_by.is_some());
        suppressed.extend(held.map(|(one, _)| *one));
    }
    let found = borrowers.iter().map(|one| match user_of(one) {
        Some(user) if user.anonymised_on.is_some() => Found::Anonymised,
        Some(user) => Found::User(Box::new(user.clone())),
        None if suppressed.contains(one) => Found::Anonymised,
        None => Found::Unknown,
    });
    Ok(found.collect())
}
