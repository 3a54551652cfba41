//! The user of a line of a file of loans, requests or charges.

use crate::reader::Line;
use chrono::NaiveDate;
use db::RecordsError;
use policy::form::{FieldErrors, Problem};
use policy::key_form::{self, normal};
use policy::suppression::KeyKind;
use safeguards::key_periods::{self, Borrower as Found, LoanUser, Lookup};
use safeguards::suppression::KeyForm;
use safeguards::suppression::check::Checker;
use sea_orm::DatabaseTransaction;
use std::collections::HashSet;

/// Why a line is rejected although a user has its key.
const UNKNOWN: &str = "Another user had this key on that day, and Lethe does not know who. Name the user by user number, \
                       or leave the line out";

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

    /// Returns the kind of key. `None` for the user number, which belongs to one user only.
    const fn kind(self) -> Option<KeyKind> {
        match self {
            Self::ExternalId => Some(KeyKind::ExternalId),
            Self::UserId => Some(KeyKind::UserId),
            Self::Barcode => Some(KeyKind::Barcode),
            Self::Number => None,
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
    pub(super) fn read(line: &Line, errors: &mut FieldErrors) -> Option<Self> {
        let mut found = None;
        for key in Key::ALL {
            let value = errors.take(key.column(), key_form::validate(line.cell(key.column())));
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

    /// Returns the key in its normal form. `None` for a user number.
    fn key_form(&self) -> Option<KeyForm> {
        Some((self.key.kind()?, normal(&self.value)))
    }

    /// Returns the user number. `None` for a key.
    fn number(&self) -> Option<i64> {
        (self.key == Key::Number).then(|| self.value.parse().ok()).flatten()
    }
}

/// Why a line has no user.
pub(super) enum Without {
    /// The user has been anonymised.
    Anonymised,
    /// The line is wrong, with this problem.
    Problem(&'static str),
}

/// Returns the user, or why there is none.
pub(super) fn user_or_why(found: Found) -> Result<LoanUser, Without> {
    match found {
        Found::User(user) => Ok(*user),
        Found::Anonymised => Err(Without::Anonymised),
        Found::Unknown => Err(Without::Problem(UNKNOWN)),
        Found::NoUser => Err(Without::Problem("There is no such user")),
    }
}

/// Finds the user of each line: the owner of its key on its day. Locks the users.
pub(super) async fn find(
    tx: &DatabaseTransaction,
    checker: &Checker,
    lines: &[(&Borrower, NaiveDate)],
) -> Result<Vec<Found>, RecordsError> {
    let lookups: Vec<Option<Lookup>> =
        lines.iter().map(|(borrower, day)| Some((borrower.key_form()?, *day))).collect();
    let keyed: Vec<Lookup> = lookups.iter().flatten().cloned().collect();
    let mut by_key = key_periods::borrowers(tx, checker, &keyed).await?.into_iter();
    let numbers: HashSet<i64> = lines.iter().filter_map(|(borrower, _)| borrower.number()).collect();
    let by_number = key_periods::numbered(tx, numbers).await?;
    let numbered = |borrower: &Borrower| {
        let user = borrower.number().and_then(|number| by_number.get(&number));
        user.map_or(Found::NoUser, |user| Found::for_user(user.clone()))
    };
    let found = lines.iter().zip(&lookups).map(|((borrower, _), lookup)| match lookup {
        Some(_) => by_key.next().unwrap_or(Found::NoUser),
        None => numbered(borrower),
    });
    Ok(found.collect())
}
