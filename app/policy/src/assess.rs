//! The verdict on one user on one day. Every way of anonymising asks this function, and nothing else.

use crate::policy::{Conditions, Days, Policy};
use crate::reason::{Blockers, Reason, VerdictKind};
use chrono::{Duration, NaiveDate};
use serde::{Deserialize, Serialize};

/// What the verdict depends on. Nothing here names the person.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "these are independent facts of a record")]
pub struct UserFacts {
    /// The user was anonymised before.
    pub anonymised: bool,
    /// The user has at least one role.
    pub staff: bool,
    /// The record is no person.
    pub fictitious: bool,
    /// An import created or last matched the user.
    pub imported: bool,
    /// The day the record was created.
    pub created_on: Option<NaiveDate>,
    /// The leaving date.
    pub leaving_on: Option<NaiveDate>,
    /// The day of the last sign-in, loan, return or request.
    pub last_activity_on: Option<NaiveDate>,
    /// The day the user was marked for deletion.
    pub marked_on: Option<NaiveDate>,
    /// What must be dealt with first.
    pub blockers: Blockers,
}

/// How a user came to be looked at.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// By a task, over all users: conditions and scope count.
    Bulk,
    /// One person, by hand, from the record or the command line (rule 7): they do not.
    Single,
    /// Again, after a restore brought back somebody who had been anonymised: nothing counts but that it was so.
    Replay,
    /// Again, because the rules got better: those who were anonymised under older ones.
    Reapply,
}

/// What the policy says of one user on one day.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Verdict {
    /// Will be anonymised.
    Eligible,
    /// The conditions are met from this day on, if nothing changes.
    NotYetUntil(NaiveDate),
    /// A condition cannot be met as the record stands.
    NotYet(Reason),
    /// Something must be dealt with first.
    Blocked(Blockers),
    /// Never anonymised by this policy.
    Excluded(Reason),
    /// Nothing is left to do.
    AlreadyAnonymised,
}

impl Verdict {
    /// The one reason under which the user is counted.
    pub fn reason(self) -> Reason {
        match self {
            Self::Eligible => Reason::Eligible,
            Self::NotYetUntil(_) => Reason::Waiting,
            Self::NotYet(reason) | Self::Excluded(reason) => reason,
            Self::Blocked(blockers) => blockers.first().map_or(Reason::Eligible, Reason::from),
            Self::AlreadyAnonymised => Reason::AlreadyAnonymised,
        }
    }

    /// Which of the five verdicts it is.
    pub fn kind(self) -> VerdictKind {
        self.reason().verdict()
    }
}

/// The first day on which somebody with this date is eligible: the day after `date + days` (rule 2).
/// None where the calendar ends.
pub fn first_day(date: NaiveDate, days: Days) -> Option<NaiveDate> {
    date.checked_add_signed(Duration::days(i64::from(days.get()) + 1))
}

/// What the policy says of a user today.
///
/// The order is fixed, so that everybody is counted once: already anonymised, staff, fictitious, outside the
/// scope, conditions, blockers.
pub fn assess(facts: &UserFacts, policy: &Policy, today: NaiveDate, selection: Selection) -> Verdict {
    match (selection, facts.anonymised) {
        // Who was anonymised under the present rules is left out by whoever asks for this selection.
        (Selection::Reapply, true) | (Selection::Replay, false) => return Verdict::Eligible,
        (Selection::Reapply, false) => return Verdict::Excluded(Reason::OutsideScope),
        (_, true) => return Verdict::AlreadyAnonymised,
        (_, false) => {}
    }
    if facts.staff {
        return Verdict::Excluded(Reason::Staff);
    }
    if facts.fictitious {
        return Verdict::Excluded(Reason::Fictitious);
    }
    if selection == Selection::Bulk {
        if !policy.scope.contains(facts.imported) {
            return Verdict::Excluded(Reason::OutsideScope);
        }
        if let Some(verdict) = unmet(facts, policy, today) {
            return verdict;
        }
    }
    if facts.blockers.is_empty() { Verdict::Eligible } else { Verdict::Blocked(facts.blockers) }
}

/// The verdict while the conditions are not met, if they are not.
fn unmet(facts: &UserFacts, policy: &Policy, today: NaiveDate) -> Option<Verdict> {
    let activity = facts.last_activity_on.or(facts.created_on);
    match first_eligible_day(&policy.conditions, facts.leaving_on, activity, facts.marked_on) {
        Err(reason) => Some(Verdict::NotYet(reason)),
        Ok(from) => (today < from).then_some(Verdict::NotYetUntil(from)),
    }
}

/// The first day on which all conditions that are set are met, or why there is no such day. `activity_on` is the
/// day of the last activity or, for somebody who was never active, the day the record was created (rule 3).
pub fn first_eligible_day(
    conditions: &Conditions,
    leaving_on: Option<NaiveDate>,
    activity_on: Option<NaiveDate>,
    marked_on: Option<NaiveDate>,
) -> Result<NaiveDate, Reason> {
    let mut latest = None;
    for (days, date, missing) in [
        (conditions.leaving, leaving_on, Reason::NoLeavingDate),
        (conditions.marked, marked_on, Reason::NotMarked),
        (conditions.activity, activity_on, Reason::NoActivityDate),
    ] {
        let Some(days) = days else { continue };
        latest = latest.max(Some(date.and_then(|date| first_day(date, days)).ok_or(missing)?));
    }
    latest.ok_or(Reason::NoConditions)
}
