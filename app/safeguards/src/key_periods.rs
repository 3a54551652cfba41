//! The owners of keys over time: the former keys of users, and the first days of new owners.
//!
//! A loan belongs to the user who owned its key on its day. Usually that is the current owner, and no row exists. When a
//! user loses a key, a row keeps until when it was theirs. When a user gets a key that another user had before, a row
//! keeps from when it is theirs. Anonymising deletes the rows of the user; the suppression list then recognises the keys.

mod borrower;

pub use borrower::{Borrower, LoanUser, Lookup, borrowers, numbered};

use super::suppression::KeyForm;
use super::suppression::check::Checker;
use chrono::NaiveDate;
use db::bulk_insert::{MAX_PARAMETERS, insert};
use db::entity::{key_periods, users};
use db::{RecordsError, dialect};
use policy::suppression::KeyKind;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter};
use std::collections::HashSet;

/// A user whose keys change.
#[derive(Clone, Debug)]
pub struct Change {
    /// The number of the user.
    pub user: i64,
    /// The first day on which the user can have had the new keys: today, or the day on which a new user was created.
    pub since: NaiveDate,
    lost: Vec<KeyForm>,
    gained: Vec<KeyForm>,
}

impl Change {
    /// Compares a record with its new values. Returns `None` if no key changes. A new user has no record before.
    pub fn compare(before: Option<&users::Model>, after: &users::Model, since: NaiveDate) -> Option<Self> {
        let forms = |user: &users::Model| -> Vec<KeyForm> {
            user.key_forms().map(|(kind, form)| (kind, form.to_owned())).collect()
        };
        let old = before.map(forms).unwrap_or_default();
        let new = forms(after);
        let lost: Vec<KeyForm> = old.iter().filter(|form| !new.contains(form)).cloned().collect();
        let gained: Vec<KeyForm> = new.into_iter().filter(|form| !old.contains(form)).collect();
        (!lost.is_empty() || !gained.is_empty()).then_some(Self { user: after.number, since, lost, gained })
    }

    /// Returns the change of a user who loses these keys.
    pub const fn of_lost(user: i64, since: NaiveDate, lost: Vec<KeyForm>) -> Self {
        Self { user, since, lost, gained: Vec::new() }
    }

    /// Returns whether the user loses a key of this kind.
    pub fn loses(&self, kind: KeyKind) -> bool {
        self.lost.iter().any(|(of, _)| *of == kind)
    }

    /// Returns whether the user gets a key.
    pub fn gains(&self) -> bool {
        !self.gained.is_empty()
    }
}

/// Records that users lose keys today and get others. Within one transaction, keys are lost before they are gained.
pub async fn record(
    tx: &DatabaseTransaction,
    checker: &Checker,
    today: NaiveDate,
    changes: &[Change],
) -> Result<(), RecordsError> {
    record_lost(tx, today, changes).await?;
    record_gained(tx, checker, changes).await
}

/// Records that users lose keys today. A second call for the same changes has no effect.
pub async fn record_lost(
    tx: &DatabaseTransaction,
    today: NaiveDate,
    changes: &[Change],
) -> Result<(), RecordsError> {
    let lost: Vec<(i64, &KeyForm)> =
        changes.iter().flat_map(|change| change.lost.iter().map(|key| (change.user, key))).collect();
    if lost.is_empty() {
        return Ok(());
    }
    let known = periods(tx, lost.iter().map(|(_, (_, form))| form.as_str())).await?;
    let (mut ended, mut fresh) = (Vec::new(), Vec::new());
    for (user, key) in lost {
        let theirs: Vec<_> = known.iter().filter(|row| row.user_number == user && is_of(row, key)).collect();
        if let Some(open) = theirs.iter().find(|row| row.owned_until.is_none()) {
            ended.push(open.id);
        } else if !theirs.iter().any(|row| row.owned_until == Some(today)) {
            fresh.push(row_of(user, key, (None, Some(today))));
        }
    }
    for some in ended.chunks(MAX_PARAMETERS) {
        key_periods::Entity::update_many()
            .col_expr(key_periods::Column::OwnedUntil, Expr::value(today))
            .filter(key_periods::Column::Id.is_in(some.iter().copied()))
            .exec(tx)
            .await?;
    }
    Ok(insert(tx, fresh).await?)
}

/// Records from when users own keys that others had before: another user, or an anonymised one.
async fn record_gained(
    tx: &DatabaseTransaction,
    checker: &Checker,
    changes: &[Change],
) -> Result<(), RecordsError> {
    let gained: Vec<(&Change, &KeyForm)> =
        changes.iter().flat_map(|change| change.gained.iter().map(move |key| (change, key))).collect();
    if gained.is_empty() {
        return Ok(());
    }
    let known = periods(tx, gained.iter().map(|(_, (_, form))| form.as_str())).await?;
    let keys: Vec<KeyForm> = gained.iter().map(|(_, key)| (*key).clone()).collect();
    let suppressed = checker.suppressed_since(tx, &keys).await?;
    let mut fresh = Vec::new();
    for (change, key) in gained {
        let others = known.iter().filter(|row| row.user_number != change.user && is_of(row, key));
        let before = others.filter_map(|row| row.owned_until).max().max(suppressed.get(key).copied());
        if let Some(before) = before {
            fresh.push(row_of(change.user, key, (Some(change.since.max(before)), None)));
        }
    }
    Ok(insert(tx, fresh).await?)
}

fn is_of(row: &key_periods::Model, (kind, form): &KeyForm) -> bool {
    row.kind == *kind && row.key_form == *form
}

fn row_of(
    user: i64,
    (kind, form): &KeyForm,
    (from, until): (Option<NaiveDate>, Option<NaiveDate>),
) -> key_periods::ActiveModel {
    key_periods::ActiveModel {
        id: NotSet,
        user_number: Set(user),
        kind: Set(*kind),
        key_form: Set(form.clone()),
        owned_from: Set(from),
        owned_until: Set(until),
    }
}

/// Returns the periods of keys with these normal forms.
async fn periods<'a>(
    db: &impl ConnectionTrait,
    forms: impl Iterator<Item = &'a str>,
) -> Result<Vec<key_periods::Model>, DbErr> {
    let forms: HashSet<&str> = forms.collect();
    let backend = db.get_database_backend();
    // Raw SQL: thousands of keys as one value.
    let sql = format!("SELECT * FROM key_periods WHERE {}", dialect::in_text_list(backend, "key_form"));
    let these = dialect::bind(backend, &sql, vec![dialect::text_list(forms)?]);
    key_periods::Entity::find().from_raw_sql(these).all(db).await
}

/// Returns the former keys of these users, for the suppression list.
pub async fn former_keys(
    tx: &DatabaseTransaction,
    users: impl Iterator<Item = i64>,
) -> Result<Vec<KeyForm>, DbErr> {
    let backend = tx.get_database_backend();
    // Raw SQL: a batch of users as one value.
    let sql = format!(
        "SELECT * FROM key_periods WHERE owned_until IS NOT NULL AND {}",
        dialect::in_list(backend, "user_number")
    );
    let theirs = dialect::bind(backend, &sql, vec![dialect::id_list(backend, users)]);
    let rows = key_periods::Entity::find().from_raw_sql(theirs).all(tx).await?;
    Ok(rows.into_iter().map(|row| (row.kind, row.key_form)).collect())
}
