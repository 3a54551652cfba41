//! What other users have now, among the letters that are searched for.

use super::kind::ValueKind;
use super::search::Bearer;

/// How a user has a needle.
#[derive(Clone, Copy)]
pub(super) enum Has {
    /// It is part of a field.
    Part = 0,
    /// It is all of a field for it.
    Whole = 1,
    /// It is the whole name.
    Name = 2,
}

/// What other users have now: by user number, the needles that stand in their own fields.
///
/// `users` and `custom_values` are read before all other tables, each in the order of its rows. While a table is read,
/// only what its present row has can be asked for; afterwards everything.
#[derive(Default)]
pub(super) struct Theirs {
    /// User number and needle; how the user has it is in the two bits below the needle.
    sorted: Vec<(i64, u32)>,
    /// The same of the table that is read now.
    added: Vec<(i64, u32)>,
}

impl Theirs {
    /// Notes how a user has a needle.
    pub(super) fn add(&mut self, user: i64, needle: u32, has: Has) {
        let one = (user, needle << 2 | has as u32);
        if !self.has_added(one) {
            self.added.push(one);
        }
    }

    /// Makes everything that was added so far ready to be asked for.
    pub(super) fn sort(&mut self) {
        if !self.added.is_empty() {
            self.sorted.append(&mut self.added);
            self.sorted.sort_unstable();
        }
    }

    /// Whether a needle is the whole name of this user.
    pub(super) fn is_name(&self, user: i64, needle: u32) -> bool {
        self.has(user, needle, Has::Name)
    }

    /// Whether a needle is the whole name of this user, or all of a field for it.
    pub(super) fn is_exactly(&self, user: i64, needle: u32) -> bool {
        self.has(user, needle, Has::Whole) || self.is_name(user, needle)
    }

    /// Whether a needle stands in a field of this user, in whatever is around it.
    pub(super) fn holds(&self, user: i64, needle: u32) -> bool {
        self.has(user, needle, Has::Part) || self.is_exactly(user, needle)
    }

    fn has(&self, user: i64, needle: u32, has: Has) -> bool {
        let one = (user, needle << 2 | has as u32);
        self.has_added(one) || self.sorted.binary_search(&one).is_ok()
    }

    /// What was added of a row is at the end.
    fn has_added(&self, one: (i64, u32)) -> bool {
        self.added.iter().rev().take_while(|(user, _)| *user == one.0).any(|added| *added == one)
    }
}

/// How many have the letters of a needle, and where it was found.
#[derive(Clone, Copy, Default)]
pub(super) struct Spread {
    /// Whether it counts in free text only, whichever of its bearers it is.
    pub(super) is_weak: bool,
    /// How many anonymised users had it.
    pub(super) bearers: u16,
    /// In how many fields for it other users have it now.
    pub(super) living: u16,
    /// How many findings there are of it: fields times the users to whom it points.
    pub(super) places: u32,
}

/// The most users who have a word, so that it still points to one of them.
const MAX_BEARERS: u16 = 20;
/// The most fields in which a word stands for each of its bearers: one that stands in more is a word of the language.
const MAX_WEAK_PLACES: u32 = 20;
/// The most places that are noted of a value for each of its bearers.
const MAX_PLACES: u32 = 200;

impl Spread {
    /// Counts the bearers; they come in the order of persons.
    pub(super) fn of(bearers: &[Bearer]) -> Self {
        let changes = bearers.windows(2).filter(|pair| pair[0].person != pair[1].person).count();
        Self {
            is_weak: bearers.iter().all(Bearer::is_weak),
            bearers: u16::try_from(changes + 1).unwrap_or(u16::MAX),
            ..Self::default()
        }
    }

    /// Whether a word of this kind points to somebody: few have it, and a last name nobody else.
    pub(super) fn points_to_one(&self, kind: ValueKind) -> bool {
        let all = self.bearers.saturating_add(self.living);
        if kind == ValueKind::LastName { all == 1 } else { all <= MAX_BEARERS }
    }

    /// Whether a word stands in so few fields that it is not one of the language.
    pub(super) fn is_rare(&self) -> bool {
        self.places <= MAX_WEAK_PLACES * u32::from(self.bearers)
    }

    /// Counts one more place. False if it need not be kept: there are too many.
    pub(super) fn count_place(&mut self, is_weak: bool) -> bool {
        self.places = self.places.saturating_add(1);
        let most = if is_weak { MAX_WEAK_PLACES } else { MAX_PLACES };
        self.places <= most * u32::from(self.bearers)
    }
}
