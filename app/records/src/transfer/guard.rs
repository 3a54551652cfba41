//! Whom an import leaves alone, and what counts against its safety limits.

use crate::entity::{credentials, user_roles, users};
use crate::user::{fates, is_eligible_earlier, overwrites as overwrites_record};
use policy::erasure::Erasure;
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QuerySelect};
use std::collections::{BTreeMap, HashSet};

/// Those of these users who have a role, or something to sign in with: no file changes their records.
pub(super) async fn staff_among(
    tx: &DatabaseTransaction,
    numbers: impl Iterator<Item = i64>,
) -> Result<HashSet<i64>, DbErr> {
    let numbers: Vec<i64> = numbers.collect();
    let with_role: Vec<i64> = user_roles::Entity::find()
        .select_only()
        .column(user_roles::Column::UserNumber)
        .filter(user_roles::Column::UserNumber.is_in(numbers.iter().copied()))
        .into_tuple()
        .all(tx)
        .await?;
    let with_sign_in: Vec<i64> = credentials::Entity::find()
        .select_only()
        .column(credentials::Column::UserNumber)
        .filter(credentials::Column::UserNumber.is_in(numbers))
        .into_tuple()
        .all(tx)
        .await?;
    Ok(with_role.into_iter().chain(with_sign_in).collect())
}

/// Whether a line overwrites or removes what a legal hold keeps. Of custom fields, `had` are those of the columns in the
/// file.
pub(super) fn overwrites(
    (before, after): (&users::Model, &users::Model),
    (had, has): (Option<&BTreeMap<String, String>>, &BTreeMap<String, String>),
) -> bool {
    let loses_custom = || had.is_some_and(|had| had.iter().any(|(key, value)| has.get(key) != Some(value)));
    overwrites_record(before, after) || loses_custom()
}

/// What a line does to an existing user, as the limits count it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Effect {
    /// Nothing that counts.
    None,
    /// It replaces this many identifying values, too few to count.
    Replaces(usize),
    /// It removes some, replaces several, or makes the user eligible earlier: this many identifying values.
    Touches(usize),
}

/// Returns what a line does to a user who got `replaced_before` other identifying values within a day.
pub(super) fn effect(before: &users::Model, after: &users::Model, replaced_before: usize) -> Effect {
    let erasure = Erasure::of(fates(before, after));
    let fields = erasure.removed + erasure.replaced;
    if erasure.counts_in_an_import(replaced_before) || is_eligible_earlier(before, after) {
        Effect::Touches(fields)
    } else if erasure.is_none() {
        Effect::None
    } else {
        Effect::Replaces(fields)
    }
}
