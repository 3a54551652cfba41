//! Compares the values that identify a user, and the dates that make a user eligible, before and after a change.

use db::entity::users;
use policy::erasure::{Fate, fate, is_placeholder};
use policy::user_field::{FieldValue, Protection};

type Pair<'a> = (FieldValue<'a>, FieldValue<'a>);

/// Returns the values of the fields with one of these protections, before and after.
fn pairs<'a>(
    old: &'a users::Model,
    new: &'a users::Model,
    protections: &'a [Protection],
) -> impl Iterator<Item = Pair<'a>> + 'a {
    old.fields()
        .zip(new.fields())
        .filter(|((field, _), _)| protections.contains(&field.protection))
        .map(|((_, old), (_, new))| (old, new))
}

/// The protections of personal values.
const PERSONAL: &[Protection] = &[Protection::Identifying, Protection::Describing];

/// Returns the fate of each identifying value.
pub fn fates<'a>(old: &'a users::Model, new: &'a users::Model) -> impl Iterator<Item = Fate> + 'a {
    pairs(old, new, &[Protection::Identifying]).map(|(old, new)| match (old, new) {
        (FieldValue::Date(_), FieldValue::Empty) => Fate::Removed,
        (FieldValue::Date(old), FieldValue::Date(new)) if old != new => Fate::Replaced,
        (old, new) => fate(old.text(), new.text()),
    })
}

/// Returns whether a personal value is emptied or replaced. A legal hold protects all of them.
pub fn overwrites(old: &users::Model, new: &users::Model) -> bool {
    pairs(old, new, PERSONAL).any(|(old, new)| old != FieldValue::Empty && old != new)
        || old.birth_period.is_some() && old.birth_period != new.birth_period
}

/// Returns whether every changed personal value has a new value, so that nothing is removed.
pub(crate) fn corrects(old: &users::Model, new: &users::Model) -> bool {
    !pairs(old, new, PERSONAL).any(|(old, new)| {
        let is_empty = new == FieldValue::Empty || new.text().is_some_and(is_placeholder);
        old != FieldValue::Empty && old != new && is_empty
    })
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
