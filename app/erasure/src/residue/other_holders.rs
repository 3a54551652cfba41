//! The current values of other users among the searched values.

use super::search::Holder;
use policy::residue::ValueKind;

/// The place in which a user has a needle.
#[derive(Clone, Copy)]
pub(super) enum Has {
    /// The needle is part of a field.
    Part = 0,
    /// The needle is a whole field meant for it.
    Whole = 1,
    /// The needle is the user's full name.
    Name = 2,
}

/// The needles that other users currently have in their own fields, by user number.
///
/// `users` and `custom_values` are read before all other tables, each in row order. While such a table is being
/// read, only the entries of the current row can be queried; afterwards, all can.
#[derive(Default)]
pub(super) struct OtherHolders {
    /// User number and needle. The two lowest bits encode [`Has`].
    sorted: Vec<(i64, u32)>,
    /// The same for the table that is being read.
    added: Vec<(i64, u32)>,
}

impl OtherHolders {
    /// Records that a user has a needle.
    pub(super) fn add(&mut self, user: i64, needle: u32, has: Has) {
        let one = (user, needle << 2 | has as u32);
        if !self.has_added(one) {
            self.added.push(one);
        }
    }

    /// Makes all entries added so far available to queries.
    pub(super) fn sort(&mut self) {
        if !self.added.is_empty() {
            self.sorted.append(&mut self.added);
            self.sorted.sort_unstable();
        }
    }

    /// Returns whether a needle is the full name of this user.
    pub(super) fn is_name(&self, user: i64, needle: u32) -> bool {
        self.has(user, needle, Has::Name)
    }

    /// Returns whether a needle is the full name of this user, or a whole field meant for it.
    pub(super) fn is_exactly(&self, user: i64, needle: u32) -> bool {
        self.has(user, needle, Has::Whole) || self.is_name(user, needle)
    }

    /// Returns whether a field of this user contains the needle.
    pub(super) fn holds(&self, user: i64, needle: u32) -> bool {
        self.has(user, needle, Has::Part) || self.is_exactly(user, needle)
    }

    fn has(&self, user: i64, needle: u32, has: Has) -> bool {
        let one = (user, needle << 2 | has as u32);
        self.has_added(one) || self.sorted.binary_search(&one).is_ok()
    }

    /// Searches the entries of the current row, which are at the end.
    fn has_added(&self, one: (i64, u32)) -> bool {
        self.added.iter().rev().take_while(|(user, _)| *user == one.0).any(|added| *added == one)
    }
}

/// Counts of a needle: the users who have it, and its findings.
#[derive(Clone, Copy, Default)]
pub(super) struct Spread {
    /// Whether it counts in free text only, for all of its holders.
    pub(super) is_weak: bool,
    /// Number of anonymised users who had it.
    pub(super) holders: u16,
    /// Number of fields in which other users currently have it.
    pub(super) living: u16,
    /// Number of findings: fields times users.
    pub(super) places: u32,
}

/// Maximum number of users with a word that still points to one of them.
const MAX_HOLDERS: u16 = 20;
/// Maximum number of fields with a word, for each holder. Beyond that, it is an ordinary word.
const MAX_WEAK_PLACES: u32 = 20;
/// Maximum number of findings of a value, for each holder.
const MAX_PLACES: u32 = 200;

impl Spread {
    /// Counts the holders, which must be ordered by user.
    pub(super) fn count(holders: &[Holder]) -> Self {
        let changes = holders.windows(2).filter(|pair| pair[0].person != pair[1].person).count();
        Self {
            is_weak: holders.iter().all(Holder::is_weak),
            holders: u16::try_from(changes + 1).unwrap_or(u16::MAX),
            ..Self::default()
        }
    }

    /// Returns whether a word of this kind still identifies a user: few users have it, or for a last name, exactly
    /// one.
    pub(super) fn is_identifying(&self, kind: ValueKind) -> bool {
        let all = self.holders.saturating_add(self.living);
        if kind == ValueKind::LastName { all == 1 } else { all <= MAX_HOLDERS }
    }

    /// Returns whether a word is rare enough not to be an ordinary word.
    pub(super) fn is_rare(&self) -> bool {
        self.places <= MAX_WEAK_PLACES * u32::from(self.holders)
    }

    /// Counts one more finding. Returns false if the maximum is exceeded.
    pub(super) fn count_place(&mut self, is_weak: bool) -> bool {
        self.places = self.places.saturating_add(1);
        let most = if is_weak { MAX_WEAK_PLACES } else { MAX_PLACES };
        self.places <= most * u32::from(self.holders)
    }
}
