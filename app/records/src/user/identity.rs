//! Compares the values that identify a user, and the dates that make a user eligible, before and after a change.

use db::entity::users;
use policy::erasure::{Fate, fate, is_placeholder};
use policy::user_field::{Protection, USER_FIELDS};
use policy::with_user_fields;

type Pair<'a> = (Option<&'a str>, Option<&'a str>);

/// Returns the old and the new text of a field. None for fields without text.
macro_rules! texts {
    (Flag, $old:expr, $new:expr) => {
        None
    };
    (Date, $old:expr, $new:expr) => {
        None
    };
    (PastDate, $old:expr, $new:expr) => {
        None
    };
    ($kind:ident, $old:expr, $new:expr) => {
        Some(($old.as_deref(), $new.as_deref()))
    };
}

macro_rules! pairs {
    ($($name:ident: $kind:ident, $protection:ident, $search:ident;)*) => {
        /// Returns the texts of the fields with one of these protections, before and after.
        fn pairs<'a>(
            old: &'a users::Model,
            new: &'a users::Model,
            protections: &'a [Protection],
        ) -> impl Iterator<Item = Pair<'a>> + 'a {
            let all: [(Protection, Option<Pair<'a>>); USER_FIELDS.len()] =
                [$((Protection::$protection, texts!($kind, old.$name, new.$name))),*];
            all.into_iter().filter(|(protection, _)| protections.contains(protection)).filter_map(|(_, pair)| pair)
        }
    };
}
with_user_fields!(pairs);

/// The protections of personal values.
const PERSONAL: &[Protection] = &[Protection::Identifying, Protection::Describing];

/// Returns the fate of each identifying value.
pub fn fates<'a>(old: &'a users::Model, new: &'a users::Model) -> impl Iterator<Item = Fate> + 'a {
    let birth_date = match (old.birth_date, new.birth_date) {
        (Some(_), None) => Fate::Removed,
        (Some(old), Some(new)) if old != new => Fate::Replaced,
        _ => Fate::Kept,
    };
    pairs(old, new, &[Protection::Identifying]).map(|(old, new)| fate(old, new)).chain([birth_date])
}

/// Returns whether a personal value is emptied or replaced. A legal hold protects all of them.
pub fn overwrites(old: &users::Model, new: &users::Model) -> bool {
    let is_lost = |(old, new): Pair<'_>| old.is_some() && old != new;
    pairs(old, new, PERSONAL).any(is_lost)
        || old.birth_date.is_some() && old.birth_date != new.birth_date
        || old.birth_period.is_some() && old.birth_period != new.birth_period
}

/// Returns whether every changed personal value has a new value, so that nothing is removed.
pub(crate) fn corrects(old: &users::Model, new: &users::Model) -> bool {
    let is_removed = |(old, new): Pair<'_>| old.is_some() && old != new && new.is_none_or(is_placeholder);
    !pairs(old, new, PERSONAL).any(is_removed) && (old.birth_date.is_none() || new.birth_date.is_some())
}

/// Returns whether a change makes a user eligible earlier, or no longer fictitious.
///
/// A match by an import doesn't count here: the safety limits of the run see how many users enter its scope.
pub fn is_eligible_earlier(old: &users::Model, new: &users::Model) -> bool {
    let active = |user: &users::Model| user.last_activity_on.max(user.created_on);
    let earlier =
        [(old.leaving_on, new.leaving_on), (old.marked_on, new.marked_on), (active(old), active(new))]
            .into_iter()
            .any(|(old, new)| new.is_some_and(|new| old.is_none_or(|old| new < old)));
    earlier || old.fictitious && !new.fictitious
}
