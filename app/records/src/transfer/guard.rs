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

/// How many identifying values a line removes, where it counts against the limits: it removes some, replaces several, or
/// makes the user eligible earlier.
pub(super) fn touches(before: &users::Model, after: &users::Model) -> Option<usize> {
    let erasure = Erasure::of(fates(before, after));
    let counts = erasure.counts_as_anonymising(0) || is_eligible_earlier(before, after);
    counts.then_some(erasure.removed + erasure.replaced)
}
