//! Decides which users an import must not change, and what counts towards its safety limits.

use db::bulk_insert::MAX_PARAMETERS;
use db::entity::{credentials, user_roles, users};
use policy::erasure::Erasure;
use records::user::{fates, is_eligible_earlier, overwrites as overwrites_record};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, Condition, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QuerySelect};
use std::collections::{BTreeMap, HashSet};

/// Why a line about a user under a legal hold is skipped.
pub(super) const LEGAL_HOLD: &str = "The line would empty or overwrite a value under a legal hold";

/// Returns the condition of users who have a role or a credential.
pub(super) fn is_staff() -> Condition {
    let with_role = Query::select().column(user_roles::Column::UserNumber).from(user_roles::Entity).take();
    let with_sign_in =
        Query::select().column(credentials::Column::UserNumber).from(credentials::Entity).take();
    Condition::any()
        .add(users::Column::Number.in_subquery(with_role))
        .add(users::Column::Number.in_subquery(with_sign_in))
}

/// Returns those of these users who are staff. A file must not change their records.
pub(super) async fn staff_among(
    tx: &DatabaseTransaction,
    numbers: impl Iterator<Item = i64>,
) -> Result<HashSet<i64>, DbErr> {
    let numbers: Vec<i64> = numbers.collect();
    let mut staff = HashSet::new();
    for some in numbers.chunks(MAX_PARAMETERS) {
        let of_these: Vec<i64> = users::Entity::find()
            .select_only()
            .column(users::Column::Number)
            .filter(users::Column::Number.is_in(some.iter().copied()))
            .filter(is_staff())
            .into_tuple()
            .all(tx)
            .await?;
        staff.extend(of_these);
    }
    Ok(staff)
}

/// Returns whether a line overwrites or removes a value that a legal hold protects.
///
/// `had` contains the values of those custom fields that the file has as columns.
pub(super) fn overwrites(
    (before, after): (&users::Model, &users::Model),
    (had, has): (Option<&BTreeMap<String, String>>, &BTreeMap<String, String>),
) -> bool {
    let loses_custom = || had.is_some_and(|had| had.iter().any(|(key, value)| has.get(key) != Some(value)));
    overwrites_record(before, after) || loses_custom()
}

/// The effect of a line on an existing user, as counted by the safety limits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Effect {
    /// Nothing that counts.
    None,
    /// Replaces this number of identifying values, which is too small to count.
    Replaces(usize),
    /// Removes values, replaces several, or makes the user eligible earlier, with this number of identifying
    /// values.
    Touches(usize),
}

/// Returns the effect of a line on a user whose `replaced_before` identifying values were replaced within a day.
pub(super) fn effect(before: &users::Model, after: &users::Model, replaced_before: usize) -> Effect {
    let erasure = Erasure::count(fates(before, after));
    let fields = erasure.removed + erasure.replaced;
    if erasure.counts_in_an_import(replaced_before) || is_eligible_earlier(before, after) {
        Effect::Touches(fields)
    } else if erasure.is_none() {
        Effect::None
    } else {
        Effect::Replaces(fields)
    }
}
