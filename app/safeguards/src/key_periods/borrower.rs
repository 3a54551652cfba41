//! The user who owned a key on the day of a loan.

use super::periods;
use crate::suppression::KeyForm;
use crate::suppression::check::Checker;
use chrono::NaiveDate;
use db::entity::{key_periods, users};
use db::{RecordsError, dialect, lookup};
use policy::suppression::KeyKind;
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbErr, IdenStatic as _};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{HashMap, HashSet};

/// A key and the day of a loan.
pub type Lookup = (KeyForm, NaiveDate);

/// The columns of a user that an import of loans needs.
#[derive(Clone, Debug, Deserialize)]
pub struct LoanUser {
    /// The number of the user.
    pub number: i64,
    /// The category of the user.
    pub category: Option<String>,
    /// The department of the user.
    pub department: Option<String>,
    created_on: Option<NaiveDate>,
    anonymised_on: Option<NaiveDate>,
    /// The normal form of the key by which the user was found.
    #[serde(default)]
    key_form: Option<String>,
}

/// The first columns of a [`LoanUser`], in the order of its fields.
const COLUMNS: [&str; 5] = ["number", "category", "department", "created_on", "anonymised_on"];

/// The borrower of a loan.
#[derive(Clone, Debug)]
pub enum Borrower {
    /// This user.
    User(Box<LoanUser>),
    /// A user who has been anonymised.
    Anonymised,
    /// The key has an owner now, but another user had it on the day of the loan, and Lethe doesn't know who.
    Unknown,
    /// No user has or had the key.
    NoUser,
}

impl Borrower {
    /// Returns the borrower with this record.
    pub fn for_user(user: LoanUser) -> Self {
        if user.anonymised_on.is_some() { Self::Anonymised } else { Self::User(Box::new(user)) }
    }
}

/// The owner that the rows name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Owner {
    Current,
    Former(i64),
    Anonymised,
    Unknown,
    None,
}

/// Returns the borrower for each of these keys and days, in the same order. Locks the users.
pub async fn borrowers(
    tx: &DatabaseTransaction,
    checker: &Checker,
    lookups: &[Lookup],
) -> Result<Vec<Borrower>, RecordsError> {
    let keys: HashSet<KeyForm> = lookups.iter().map(|(key, _)| key.clone()).collect();
    let owners = current(tx, &keys).await?;
    let known = periods(tx, keys.iter().map(|(_, form)| form.as_str())).await?;
    let keys: Vec<KeyForm> = keys.into_iter().collect();
    let suppressed = checker.suppressed_since(tx, &keys).await?;
    let mut known_by_key: HashMap<KeyForm, Vec<&key_periods::Model>> = HashMap::new();
    for row in &known {
        known_by_key.entry((row.kind, row.key_form.clone())).or_default().push(row);
    }
    let found: Vec<Owner> = lookups
        .iter()
        .map(|(key, day)| {
            let now = owners.get(key).map(|user| (user.number, user.created_on));
            let of_key = known_by_key.get(key).map_or(&[][..], Vec::as_slice);
            owner_on(*day, now, of_key, suppressed.contains_key(key))
        })
        .collect();
    let former = found.iter().filter_map(|owner| match owner {
        Owner::Former(number) => Some(*number),
        _ => None,
    });
    let former: HashSet<i64> = former.collect();
    let former = numbered(tx, former).await?;
    let user =
        |user: Option<&LoanUser>| user.map_or(Borrower::NoUser, |user| Borrower::for_user(user.clone()));
    let borrowers = found.into_iter().zip(lookups).map(|(owner, (key, _))| match owner {
        Owner::Current => user(owners.get(key)),
        Owner::Former(number) => user(former.get(&number)),
        Owner::Anonymised => Borrower::Anonymised,
        Owner::Unknown => Borrower::Unknown,
        Owner::None => Borrower::NoUser,
    });
    Ok(borrowers.collect())
}

/// Returns the users who own keys now, by key. Locks them.
async fn current(
    tx: &DatabaseTransaction,
    keys: &HashSet<KeyForm>,
) -> Result<HashMap<KeyForm, LoanUser>, DbErr> {
    let mut owners = HashMap::with_capacity(keys.len());
    for kind in KeyKind::ALL {
        let Some(column) = users::key_column(kind) else { continue };
        let mut forms: Vec<&str> =
            keys.iter().filter(|(of, _)| *of == kind).map(|(_, form)| form.as_str()).collect();
        if forms.is_empty() {
            continue;
        }
        // In the order of the index, so that its pages are read once.
        forms.sort_unstable();
        let column = column.as_str();
        let theirs = dialect::in_text_list(tx.get_database_backend(), column);
        let found: Vec<LoanUser> =
            locked(tx, &[&COLUMNS[..], &[column]].concat(), (&theirs, dialect::text_list(forms)?)).await?;
        owners.extend(found.into_iter().filter_map(|mut user| Some(((kind, user.key_form.take()?), user))));
    }
    Ok(owners)
}

/// Returns the users with these numbers. Locks them.
pub async fn numbered(
    tx: &DatabaseTransaction,
    numbers: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, LoanUser>, DbErr> {
    let numbers: Vec<i64> = numbers.into_iter().collect();
    if numbers.is_empty() {
        return Ok(HashMap::new());
    }
    let backend = tx.get_database_backend();
    let theirs = (&*dialect::in_list(backend, "number"), dialect::id_list(backend, numbers));
    let found: Vec<LoanUser> = locked(tx, &COLUMNS, theirs).await?;
    Ok(found.into_iter().map(|user| (user.number, user)).collect())
}

/// Returns these columns of the users with this condition, whose value is the only one. Locks the users.
async fn locked<R: DeserializeOwned>(
    tx: &DatabaseTransaction,
    columns: &[&str],
    (theirs, value): (&str, Value),
) -> Result<Vec<R>, DbErr> {
    let lock = dialect::for_update(tx.get_database_backend());
    lookup::rows(tx, columns, (&format!("FROM users WHERE {theirs}{lock}"), vec![value])).await
}

/// Returns the owner of a key on a day. `now` is the current owner with the day on which the record was created.
fn owner_on(
    day: NaiveDate,
    now: Option<(i64, Option<NaiveDate>)>,
    periods: &[&key_periods::Model],
    is_suppressed: bool,
) -> Owner {
    if let Some((user, created_on)) = now {
        let theirs = periods.iter().find(|row| row.user_number == user && row.owned_until.is_none());
        // Without a row, only an anonymised user can have had the key before.
        let from = theirs.and_then(|row| row.owned_from).or(created_on.filter(|_| is_suppressed));
        if from.is_none_or(|from| day >= from) {
            return Owner::Current;
        }
    }
    let had_it = |row: &&&key_periods::Model| {
        row.owned_until.is_some_and(|until| day < until) && row.owned_from.is_none_or(|from| from <= day)
    };
    match periods.iter().filter(had_it).min_by_key(|row| row.owned_until) {
        Some(row) => Owner::Former(row.user_number),
        None if is_suppressed => Owner::Anonymised,
        None if now.is_some() => Owner::Unknown,
        None => Owner::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2018, 1, day).expect("a date")
    }

    fn period(user_number: i64, from: Option<u32>, until: Option<u32>) -> key_periods::Model {
        key_periods::Model {
            id: 0,
            user_number,
            kind: KeyKind::Barcode,
            key_form: "b1".to_owned(),
            owned_from: from.map(day),
            owned_until: until.map(day),
        }
    }

    #[test]
    fn a_loan_belongs_to_the_owner_of_its_day() {
        let (new, created) = (Some((2, Some(day(10)))), day(10));
        let taken_over = [period(1, None, Some(10)), period(2, Some(10), None)];
        let twice = [period(1, None, Some(5)), period(3, Some(5), Some(10)), period(2, Some(10), None)];
        let gap = [period(1, None, Some(5)), period(2, Some(10), None)];
        let only_new = [period(2, Some(10), None)];
        let retired = [period(1, None, Some(5))];
        for (on, now, periods, is_suppressed, owner) in [
            (created, new, &[][..], false, Owner::Current),
            // A library that imports old loans has no other owner.
            (day(1), new, &[], false, Owner::Current),
            (day(1), new, &[], true, Owner::Anonymised),
            (created, new, &[], true, Owner::Current),
            (day(9), new, &taken_over, false, Owner::Former(1)),
            (day(10), new, &taken_over, false, Owner::Current),
            (day(4), new, &twice, false, Owner::Former(1)),
            (day(5), new, &twice, false, Owner::Former(3)),
            (day(7), new, &gap, false, Owner::Unknown),
            (day(9), new, &only_new, true, Owner::Anonymised),
            (day(9), new, &only_new, false, Owner::Unknown),
            (day(4), None, &retired, false, Owner::Former(1)),
            (day(5), None, &retired, false, Owner::None),
            (day(5), None, &[], true, Owner::Anonymised),
            (day(5), None, &[], false, Owner::None),
        ] {
            let periods: Vec<&key_periods::Model> = periods.iter().collect();
            assert_eq!(owner_on(on, now, &periods, is_suppressed), owner, "{on} {periods:?} {is_suppressed}");
        }
    }
}
