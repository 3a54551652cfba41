//! Compares the values that identify a user, and the dates that make a user eligible, before and after a change.

use crate::entity::users;
use policy::erasure::{Fate, fate, is_placeholder};

type Pair<'a> = (Option<&'a str>, Option<&'a str>);

/// Returns the pairs of values that name or reach a person.
fn identifying<'a>(old: &'a users::Model, new: &'a users::Model) -> [Pair<'a>; 11] {
    [
        (old.user_id.as_deref(), new.user_id.as_deref()),
        (old.first_name.as_deref(), new.first_name.as_deref()),
        (old.middle_name.as_deref(), new.middle_name.as_deref()),
        (old.last_name.as_deref(), new.last_name.as_deref()),
        (old.preferred_name.as_deref(), new.preferred_name.as_deref()),
        (old.email.as_deref(), new.email.as_deref()),
        (old.phone.as_deref(), new.phone.as_deref()),
        (old.mobile.as_deref(), new.mobile.as_deref()),
        (old.street.as_deref(), new.street.as_deref()),
        (old.barcode.as_deref(), new.barcode.as_deref()),
        (old.external_id.as_deref(), new.external_id.as_deref()),
    ]
}

/// Returns the pairs of other personal values.
fn describing<'a>(old: &'a users::Model, new: &'a users::Model) -> [Pair<'a>; 7] {
    [
        (old.title.as_deref(), new.title.as_deref()),
        (old.postcode.as_deref(), new.postcode.as_deref()),
        (old.city.as_deref(), new.city.as_deref()),
        (old.country.as_deref(), new.country.as_deref()),
        (old.gender.as_deref(), new.gender.as_deref()),
        (old.language.as_deref(), new.language.as_deref()),
        (old.notes.as_deref(), new.notes.as_deref()),
    ]
}

/// Returns the fate of each identifying value.
pub(crate) fn fates<'a>(old: &'a users::Model, new: &'a users::Model) -> impl Iterator<Item = Fate> + 'a {
    let birth_date = match (old.birth_date, new.birth_date) {
        (Some(_), None) => Fate::Removed,
        (Some(old), Some(new)) if old != new => Fate::Replaced,
        _ => Fate::Kept,
    };
    identifying(old, new).into_iter().map(|(old, new)| fate(old, new)).chain([birth_date])
}

/// Returns whether a personal value is emptied or replaced. A legal hold protects all of them.
pub(crate) fn overwrites(old: &users::Model, new: &users::Model) -> bool {
    let is_lost = |(old, new): Pair<'_>| old.is_some() && old != new;
    identifying(old, new).into_iter().any(is_lost)
        || describing(old, new).into_iter().any(is_lost)
        || old.birth_date.is_some() && old.birth_date != new.birth_date
        || old.birth_period.is_some() && old.birth_period != new.birth_period
}

/// Returns whether every changed personal value has a new value, so that nothing is removed.
pub(crate) fn corrects(old: &users::Model, new: &users::Model) -> bool {
    let is_removed = |(old, new): Pair<'_>| old.is_some() && old != new && new.is_none_or(is_placeholder);
    !identifying(old, new).into_iter().any(is_removed)
        && !describing(old, new).into_iter().any(is_removed)
        && (old.birth_date.is_none() || new.birth_date.is_some())
}

/// Returns whether a change makes a user eligible earlier, or no longer fictitious.
///
/// A match by an import doesn't count here: the safety limits of the run see how many users enter its scope.
pub(crate) fn is_eligible_earlier(old: &users::Model, new: &users::Model) -> bool {
    let active = |user: &users::Model| user.last_activity_on.max(user.created_on);
    let earlier =
        [(old.leaving_on, new.leaving_on), (old.marked_on, new.marked_on), (active(old), active(new))]
            .into_iter()
            .any(|(old, new)| new.is_some_and(|new| old.is_none_or(|old| new < old)));
    earlier || old.fictitious && !new.fictitious
}
