//! The verdict on one user on one day. Every way of anonymising calls this function.

use crate::policy::{Conditions, Days, Policy};
use crate::reason::{Blockers, Reason, VerdictKind};
use chrono::{Duration, NaiveDate};
use serde::{Deserialize, Serialize};

/// The facts that the verdict depends on. They don't identify the user.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "these are independent facts of a record")]
pub struct UserFacts {
    /// Whether the user is already anonymised.
    pub anonymised: bool,
    /// Whether the user has at least one role.
    pub staff: bool,
    /// Whether the record isn't a person.
    pub fictitious: bool,
    /// Whether an import created or last matched the user.
    pub imported: bool,
    /// The day on which the record was created.
    pub created_on: Option<NaiveDate>,
    /// The leaving date.
    pub leaving_on: Option<NaiveDate>,
    /// The day of the last sign-in, loan or placed request.
    pub last_activity_on: Option<NaiveDate>,
    /// The day on which the user was marked for deletion.
    pub marked_on: Option<NaiveDate>,
    /// The day from which all conditions count at the earliest, as [`kept_since`] returns it.
    pub kept_since: Option<NaiveDate>,
    /// The blockers.
    pub blockers: Blockers,
}

/// Which rules of a policy apply to a user.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunMode {
    /// A task run on all users: conditions and scope apply.
    Bulk,
    /// A single user, from the record or the command line (rule 7): conditions and scope don't apply.
    Single,
    /// A user that a restore brought back after anonymising: no rules apply.
    Replay,
    /// A user anonymised under older rules. Newer rules are reapplied.
    Reapply,
}

/// The result of a policy for one user on one day.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Verdict {
    /// The user will be anonymised.
    Eligible,
    /// The conditions are met from this day on, if nothing changes.
    NotYetUntil(NaiveDate),
    /// A condition can't be met with the record's current dates.
    NotYet(Reason),
    /// Something must be dealt with first.
    Blocked(Blockers),
    /// This policy never anonymises the user.
    Excluded(Reason),
    /// There is nothing to do.
    AlreadyAnonymised,
}

impl Verdict {
    /// Returns the one reason under which the user is counted.
    pub fn reason(self) -> Reason {
        match self {
            Self::Eligible => Reason::Eligible,
            Self::NotYetUntil(_) => Reason::Waiting,
            Self::NotYet(reason) | Self::Excluded(reason) => reason,
            Self::Blocked(blockers) => blockers.first().map_or(Reason::Eligible, Reason::from),
            Self::AlreadyAnonymised => Reason::AlreadyAnonymised,
        }
    }

    /// Returns the kind of the verdict.
    pub fn kind(self) -> VerdictKind {
        self.reason().verdict()
    }
}

/// Returns the first day on which a user with this date is eligible: the day after `date + days` (rule 2).
///
/// Returns `None` if the day is beyond the calendar.
pub fn first_day(date: NaiveDate, days: Days) -> Option<NaiveDate> {
    date.checked_add_signed(Duration::days(i64::from(days.get()) + 1))
}

/// Returns the verdict on a user today.
///
/// The order of the checks is fixed, so that each user is counted once: already anonymised, staff, fictitious,
/// outside the scope, conditions, blockers.
pub fn assess(facts: &UserFacts, policy: &Policy, today: NaiveDate, mode: RunMode) -> Verdict {
    match (mode, facts.anonymised) {
        // The caller leaves out users who were anonymised under the current rules.
        (RunMode::Reapply, true) | (RunMode::Replay, false) => return Verdict::Eligible,
        (RunMode::Reapply, false) => return Verdict::Excluded(Reason::OutsideScope),
        (_, true) => return Verdict::AlreadyAnonymised,
        (_, false) => {}
    }
    if facts.staff {
        return Verdict::Excluded(Reason::Staff);
    }
    if facts.fictitious {
        return Verdict::Excluded(Reason::Fictitious);
    }
    if mode == RunMode::Bulk {
        if !policy.scope.contains(facts.imported) {
            return Verdict::Excluded(Reason::OutsideScope);
        }
        if let Some(verdict) = unmet(facts, policy, today) {
            return verdict;
        }
    }
    if facts.blockers.is_empty() { Verdict::Eligible } else { Verdict::Blocked(facts.blockers) }
}

/// Returns the verdict if a condition isn't met, else `None`.
fn unmet(facts: &UserFacts, policy: &Policy, today: NaiveDate) -> Option<Verdict> {
    let activity = inactive_since(facts.last_activity_on, facts.created_on);
    match first_eligible_day(
        &policy.conditions,
        facts.leaving_on,
        activity,
        facts.marked_on,
        facts.kept_since,
    ) {
        Err(reason) => Some(Verdict::NotYet(reason)),
        Ok(from) => (today < from).then_some(Verdict::NotYetUntil(from)),
    }
}

/// Returns the day from which inactivity counts: the later of the last activity and the creation of the record (rule 3).
pub fn inactive_since(
    last_activity_on: Option<NaiveDate>,
    created_on: Option<NaiveDate>,
) -> Option<NaiveDate> {
    last_activity_on.max(created_on)
}

/// Returns the day from which a kept account counts: the later of the user's answer and an activity since the account
/// was announced. `None` if the account was never kept.
pub fn kept_since(
    kept_on: Option<NaiveDate>,
    announced_on: Option<NaiveDate>,
    last_activity_on: Option<NaiveDate>,
) -> Option<NaiveDate> {
    let by_activity = last_activity_on.filter(|active| announced_on.is_some_and(|on| *active >= on));
    kept_on.max(by_activity)
}

/// Returns the first day on which all conditions are met, or the reason why there is none.
///
/// `inactive_since` and `kept_since` are the days that the functions of these names return.
pub fn first_eligible_day(
    conditions: &Conditions,
    leaving_on: Option<NaiveDate>,
    inactive_since: Option<NaiveDate>,
    marked_on: Option<NaiveDate>,
    kept_since: Option<NaiveDate>,
) -> Result<NaiveDate, Reason> {
    let counts_from = |date: NaiveDate| kept_since.map_or(date, |kept| date.max(kept));
    let mut latest = None;
    for (days, date, missing) in [
        (conditions.leaving, leaving_on, Reason::NoLeavingDate),
        (conditions.marked, marked_on, Reason::NotMarked),
        (conditions.activity, inactive_since, Reason::NoActivityDate),
    ] {
        let Some(days) = days else { continue };
        latest = latest.max(Some(date.and_then(|date| first_day(counts_from(date), days)).ok_or(missing)?));
    }
    latest.ok_or(Reason::NoConditions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_kept_by_an_answer_or_by_activity_since_the_announcement() {
        let day = |text: &str| Some(text.parse::<NaiveDate>().expect("a date"));
        let (before, announced, after) = (day("2026-01-31"), day("2026-02-01"), day("2026-02-02"));
        assert_eq!(kept_since(None, None, after), None, "an activity without an announcement");
        assert_eq!(kept_since(None, announced, before), None, "an activity before it");
        assert_eq!(kept_since(None, announced, announced), announced, "an activity on its day");
        assert_eq!(kept_since(before, announced, after), after);
        assert_eq!(kept_since(after, announced, announced), after);
        assert_eq!(kept_since(after, None, None), after);
    }

    #[test]
    fn a_kept_account_moves_every_condition_and_creates_no_date() {
        let date = |text: &str| text.parse::<NaiveDate>().expect("a date");
        let old = Some(date("2018-01-15"));
        let days = Days::new(5);
        for conditions in [
            Conditions { leaving: days, ..Conditions::default() },
            Conditions { marked: days, ..Conditions::default() },
            Conditions { activity: days, ..Conditions::default() },
        ] {
            let first = |kept| first_eligible_day(&conditions, old, old, old, kept);
            assert_eq!(first(None), Ok(date("2018-01-21")));
            assert_eq!(first(Some(date("2018-01-20"))), Ok(date("2018-01-26")));
            assert_eq!(first(Some(date("2017-01-20"))), Ok(date("2018-01-21")), "an older answer");
            let without = first_eligible_day(&conditions, None, None, None, Some(date("2018-01-20")));
            assert!(without.is_err(), "{conditions:?}");
        }
    }

    #[test]
    fn inactivity_counts_from_the_later_of_both_dates() {
        let day = |text: &str| Some(text.parse::<NaiveDate>().expect("a date"));
        let (old, new) = (day("2012-03-01"), day("2026-11-27"));
        assert_eq!(inactive_since(old, new), new, "a new record with an old activity");
        assert_eq!(inactive_since(new, old), new);
        assert_eq!(inactive_since(None, old), old);
        assert_eq!(inactive_since(old, None), old);
        assert_eq!(inactive_since(None, None), None);
    }
}
