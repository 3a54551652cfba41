//! Why a user is or isn't anonymised.

use serde::{Deserialize, Serialize};

/// An obstacle to be dealt with before anonymising (rule 6).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Blocker {
    /// The user has an open loan.
    OpenLoan,
    /// The user has an open request.
    OpenRequest,
    /// The user has an unsettled charge or credit.
    UnsettledCharge,
    /// The user is guarantor of an account that isn't anonymised.
    Guarantor,
    /// The user is under a legal hold.
    LegalHold,
}

impl Blocker {
    /// All blockers. If there are several, the first one in this order is counted.
    pub const ALL: [Self; 5] =
        [Self::OpenLoan, Self::OpenRequest, Self::UnsettledCharge, Self::Guarantor, Self::LegalHold];

    /// Returns the bit of this blocker in [`Blockers`].
    pub const fn bit(self) -> u8 {
        1 << self as u8
    }

    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::OpenLoan => "open loans",
            Self::OpenRequest => "open requests",
            Self::UnsettledCharge => "unsettled charge or credit",
            Self::Guarantor => "guarantor of an open account",
            Self::LegalHold => "legal hold",
        }
    }
}

/// A set of blockers.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Blockers(u8);

impl Blockers {
    /// No blocker.
    pub const NONE: Self = Self(0);

    /// Returns the set with these bits. Unknown bits are ignored.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 0b1_1111)
    }

    /// Returns the bits of the set, as stored.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Returns the set with this blocker added if `present`.
    #[must_use]
    pub const fn with(self, blocker: Blocker, present: bool) -> Self {
        if present { Self(self.0 | blocker.bit()) } else { self }
    }

    /// Returns whether there are no blockers.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the blockers in order.
    pub fn iter(self) -> impl Iterator<Item = Blocker> {
        Blocker::ALL.into_iter().filter(move |blocker| self.0 & blocker.bit() != 0)
    }

    /// Returns the blocker that is counted.
    pub fn first(self) -> Option<Blocker> {
        self.iter().next()
    }
}

/// The kinds of verdicts.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    /// The user will be anonymised.
    Eligible,
    /// The conditions aren't met yet.
    NotYet,
    /// Something must be dealt with first.
    Blocked,
    /// Tasks with this policy never anonymise the user.
    Excluded,
    /// There is nothing to do.
    AlreadyAnonymised,
}

impl VerdictKind {
    /// All kinds, in the order of the preview's bar.
    pub const ALL: [Self; 5] =
        [Self::Eligible, Self::NotYet, Self::Blocked, Self::Excluded, Self::AlreadyAnonymised];

    /// Returns the stable code used in URLs and JSON.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Eligible => "eligible",
            Self::NotYet => "not_yet",
            Self::Blocked => "blocked",
            Self::Excluded => "excluded",
            Self::AlreadyAnonymised => "already_anonymised",
        }
    }

    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Eligible => "Eligible",
            Self::NotYet => "Not yet",
            Self::Blocked => "Blocked",
            Self::Excluded => "Excluded",
            Self::AlreadyAnonymised => "Already anonymised",
        }
    }

    /// Returns the verdict with this code, or `None` if there is none.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// The reason under which a user is counted. Its number is stored.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(i16)]
pub enum Reason {
    /// All conditions are met and there are no blockers.
    Eligible = 0,
    /// The conditions will be met on a later day.
    Waiting = 10,
    /// There is no leaving date to count from.
    NoLeavingDate = 11,
    /// The user is not marked for deletion.
    NotMarked = 12,
    /// There is neither an activity nor a creation date to count from.
    NoActivityDate = 13,
    /// The policy has no conditions and selects no users.
    NoConditions = 14,
    /// The user has an open loan.
    OpenLoan = 20,
    /// The user has an open request.
    OpenRequest = 21,
    /// The user has an unsettled charge or credit.
    UnsettledCharge = 22,
    /// The user is guarantor of an account that isn't anonymised.
    Guarantor = 23,
    /// The user is under a legal hold.
    LegalHold = 24,
    /// The user has a role.
    Staff = 30,
    /// The record isn't a person.
    Fictitious = 31,
    /// The user is imported or not imported, contrary to the scope of the policy.
    OutsideScope = 32,
    /// Staff excluded the user from the run of this preview.
    ExcludedByStaff = 33,
    /// The user has no usable e-mail address and can't be announced.
    WithoutEmail = 34,
    /// The user is announced for the same day already.
    AlreadyAnnounced = 35,
    /// The user is already anonymised.
    AlreadyAnonymised = 40,
}

impl Reason {
    /// All reasons, grouped by verdict.
    pub const ALL: [Self; 18] = [
        Self::Eligible,
        Self::Waiting,
        Self::NoLeavingDate,
        Self::NotMarked,
        Self::NoActivityDate,
        Self::NoConditions,
        Self::OpenLoan,
        Self::OpenRequest,
        Self::UnsettledCharge,
        Self::Guarantor,
        Self::LegalHold,
        Self::Staff,
        Self::Fictitious,
        Self::OutsideScope,
        Self::ExcludedByStaff,
        Self::WithoutEmail,
        Self::AlreadyAnnounced,
        Self::AlreadyAnonymised,
    ];

    /// Returns the number that is stored.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// Returns the reason with this number, or `None` if there is none.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.number() == number)
    }

    /// Returns the stable code used in URLs and JSON.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Eligible => "eligible",
            Self::Waiting => "waiting",
            Self::NoLeavingDate => "no_leaving_date",
            Self::NotMarked => "not_marked",
            Self::NoActivityDate => "no_activity_date",
            Self::NoConditions => "no_conditions",
            Self::OpenLoan => "open_loan",
            Self::OpenRequest => "open_request",
            Self::UnsettledCharge => "unsettled_charge",
            Self::Guarantor => "guarantor",
            Self::LegalHold => "legal_hold",
            Self::Staff => "staff",
            Self::Fictitious => "fictitious",
            Self::OutsideScope => "outside_scope",
            Self::ExcludedByStaff => "excluded_by_staff",
            Self::WithoutEmail => "without_email",
            Self::AlreadyAnnounced => "already_announced",
            Self::AlreadyAnonymised => "already_anonymised",
        }
    }

    /// Returns the reason with this code, or `None` if there is none.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// Returns the verdict of this reason.
    pub const fn verdict(self) -> VerdictKind {
        match self {
            Self::Eligible => VerdictKind::Eligible,
            Self::Waiting
            | Self::NoLeavingDate
            | Self::NotMarked
            | Self::NoActivityDate
            | Self::NoConditions => VerdictKind::NotYet,
            Self::OpenLoan
            | Self::OpenRequest
            | Self::UnsettledCharge
            | Self::Guarantor
            | Self::LegalHold => VerdictKind::Blocked,
            Self::Staff
            | Self::Fictitious
            | Self::OutsideScope
            | Self::ExcludedByStaff
            | Self::WithoutEmail
            | Self::AlreadyAnnounced => VerdictKind::Excluded,
            Self::AlreadyAnonymised => VerdictKind::AlreadyAnonymised,
        }
    }

    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Eligible => "meets every condition",
            Self::Waiting => "waiting period not over yet",
            Self::NoLeavingDate => "no leaving date",
            Self::NotMarked => "not marked for deletion",
            Self::NoActivityDate => "no activity and no creation date",
            Self::NoConditions => "the task has no conditions",
            Self::OpenLoan => "open loans",
            Self::OpenRequest => "open requests",
            Self::UnsettledCharge => "unsettled charge or credit",
            Self::Guarantor => "guarantor of an open account",
            Self::LegalHold => "legal hold",
            Self::Staff => "has a role (staff)",
            Self::Fictitious => "fictitious user",
            Self::OutsideScope => "outside the scope of the task",
            Self::ExcludedByStaff => "excluded by staff",
            Self::WithoutEmail => "no usable e-mail address",
            Self::AlreadyAnnounced => "announced already",
            Self::AlreadyAnonymised => "already anonymised",
        }
    }
}

impl From<Blocker> for Reason {
    fn from(blocker: Blocker) -> Self {
        match blocker {
            Blocker::OpenLoan => Self::OpenLoan,
            Blocker::OpenRequest => Self::OpenRequest,
            Blocker::UnsettledCharge => Self::UnsettledCharge,
            Blocker::Guarantor => Self::Guarantor,
            Blocker::LegalHold => Self::LegalHold,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_numbers_lead_back() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_number(reason.number()), Some(reason));
            assert_eq!(Reason::from_code(reason.code()), Some(reason));
        }
    }

    #[test]
    fn blockers_are_a_set() {
        let all = Blockers::from_bits(u8::MAX);
        assert_eq!(all.iter().count(), Blocker::ALL.len());
        let two = Blockers::NONE.with(Blocker::LegalHold, true).with(Blocker::OpenRequest, true);
        assert_eq!(two.iter().collect::<Vec<_>>(), [Blocker::OpenRequest, Blocker::LegalHold]);
        assert_eq!(two.first(), Some(Blocker::OpenRequest));
        assert!(Blockers::NONE.with(Blocker::OpenLoan, false).is_empty());
    }
}
