//! The warnings of a preview, derived from its numbers: a level and sentences.

use crate::numbers::{counted, grouped};
use crate::safety_limit::{SafetyLimit, SafetyLimits};

/// Number of days within which an activity counts as recent.
pub const RECENT_DAYS: i64 = 30;

/// Number of eligible users up to which shares and comparisons don't warn: in a small library they mean little.
const MAX_USERS_WITHOUT_SHARE: i64 = 20;
/// Share of the library, in per cent, above which a preview is notable.
const NOTABLE_PERCENT: i64 = 5;
/// Share of the library, in per cent, above which a preview is serious even if no safety limit stops it.
const SERIOUS_PERCENT: i64 = 25;
/// Share of the eligible users, in per cent, from which unexpected dates are serious.
const SERIOUS_DATES_PERCENT: i64 = 10;
/// Multiple of the last run, in per cent, above which a preview is notable.
const NOTABLE_GROWTH_PERCENT: i64 = 150;
/// Multiple of the last run, in per cent, above which a preview is serious.
const SERIOUS_GROWTH_PERCENT: i64 = 300;

/// The numbers of a preview that can warn.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PreviewFacts {
    /// Number of users that a run would anonymise.
    pub eligible: i64,
    /// Number of all users of the library.
    pub users: i64,
    /// Number of eligible users with a leaving date after today.
    pub leaving_later: i64,
    /// Number of eligible users with an activity within the last [`RECENT_DAYS`] days.
    pub active_recently: i64,
    /// Number of users in the last run of the task. `None` if it has not run yet.
    pub last: Option<i64>,
    /// The safety limit that the run exceeds.
    pub safety_limit: Option<SafetyLimit>,
}

/// The level of a warning.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum WarningLevel {
    /// Nothing is unusual.
    Calm,
    /// Something to look at.
    Notice,
    /// Probably not what is meant.
    Serious,
}

impl WarningLevel {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Calm => "Nothing unusual",
            Self::Notice => "Check before you run",
            Self::Serious => "Serious: check every point before you run",
        }
    }
}

/// One thing that a preview warns of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PreviewWarning {
    /// The run exceeds a safety limit.
    Limit(SafetyLimit),
    /// A large share of the library, in per cent.
    Share(i64),
    /// Users whose leaving date is still to come.
    LeavingLater(i64),
    /// Users with a recent activity.
    ActiveRecently(i64),
    /// Many more users than in the last run.
    MoreThanLast(i64),
}

impl PreviewWarning {
    /// Returns the warning as a sentence without its full stop.
    pub fn label(self, safety_limits: SafetyLimits) -> String {
        match self {
            Self::Limit(limit) => limit.label(safety_limits),
            Self::Share(percent) => format!("This is about {percent} % of all users of the library"),
            Self::LeavingLater(users) => {
                format!("{} a leaving date that is still to come", counted(users, "user has", "users have"))
            }
            Self::ActiveRecently(users) => format!(
                "{} active within the last {RECENT_DAYS} days",
                counted(users, "user was", "users were")
            ),
            Self::MoreThanLast(last) => {
                format!("Many more users than in the last run of this task, which had {}", grouped(last))
            }
        }
    }
}

/// Returns what a preview warns of, the most serious first.
pub fn warnings(facts: &PreviewFacts) -> Vec<(WarningLevel, PreviewWarning)> {
    let limit = facts.safety_limit.map(|limit| (WarningLevel::Serious, PreviewWarning::Limit(limit)));
    let all = [limit, share(facts), leaving_later(facts), active_recently(facts), growth(facts)];
    let mut found: Vec<_> = all.into_iter().flatten().collect();
    found.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
    found
}

/// Returns the level of a preview with these warnings.
pub fn level(warnings: &[(WarningLevel, PreviewWarning)]) -> WarningLevel {
    warnings.iter().map(|(level, _)| *level).max().unwrap_or(WarningLevel::Calm)
}

/// Returns whether a number is more than a share of another one, in per cent.
const fn exceeds(number: i64, percent: i64, of: i64) -> bool {
    number.saturating_mul(100) > of.saturating_mul(percent)
}

fn share(facts: &PreviewFacts) -> Option<(WarningLevel, PreviewWarning)> {
    if facts.eligible <= MAX_USERS_WITHOUT_SHARE {
        return None;
    }
    let level = if exceeds(facts.eligible, SERIOUS_PERCENT, facts.users) {
        WarningLevel::Serious
    } else if exceeds(facts.eligible, NOTABLE_PERCENT, facts.users) {
        WarningLevel::Notice
    } else {
        return None;
    };
    // The limit says the same.
    if facts.safety_limit == Some(SafetyLimit::Share) && level == WarningLevel::Notice {
        return None;
    }
    let percent = facts.eligible.saturating_mul(100) / facts.users.max(1);
    Some((level, PreviewWarning::Share(percent)))
}

/// Returns the level of a number of eligible users with an unexpected date. `None` if there are none.
fn dates(users: i64, facts: &PreviewFacts) -> Option<WarningLevel> {
    match users {
        ..=0 => None,
        users if exceeds(users, SERIOUS_DATES_PERCENT, facts.eligible) => Some(WarningLevel::Serious),
        _ => Some(WarningLevel::Notice),
    }
}

fn leaving_later(facts: &PreviewFacts) -> Option<(WarningLevel, PreviewWarning)> {
    let level = dates(facts.leaving_later, facts)?;
    Some((level, PreviewWarning::LeavingLater(facts.leaving_later)))
}

fn active_recently(facts: &PreviewFacts) -> Option<(WarningLevel, PreviewWarning)> {
    let level = dates(facts.active_recently, facts)?;
    Some((level, PreviewWarning::ActiveRecently(facts.active_recently)))
}

fn growth(facts: &PreviewFacts) -> Option<(WarningLevel, PreviewWarning)> {
    let last = facts.last.filter(|_| facts.eligible > MAX_USERS_WITHOUT_SHARE)?;
    let level = if exceeds(facts.eligible, SERIOUS_GROWTH_PERCENT, last) {
        WarningLevel::Serious
    } else if exceeds(facts.eligible, NOTABLE_GROWTH_PERCENT, last) {
        WarningLevel::Notice
    } else {
        return None;
    };
    // The limit says the same.
    if facts.safety_limit == Some(SafetyLimit::Median) {
        return None;
    }
    Some((level, PreviewWarning::MoreThanLast(last)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use PreviewWarning::{ActiveRecently, LeavingLater, Limit, MoreThanLast, Share};
    use WarningLevel::{Calm, Notice, Serious};

    const QUIET: PreviewFacts = PreviewFacts {
        eligible: 100,
        users: 10_000,
        leaving_later: 0,
        active_recently: 0,
        last: None,
        safety_limit: None,
    };

    /// A change of the quiet numbers, the level, and the warnings.
    type Case = (fn(&mut PreviewFacts), WarningLevel, Vec<PreviewWarning>);

    #[test]
    fn each_number_warns_just_above_its_threshold() {
        let of = |change: fn(&mut PreviewFacts)| {
            let mut facts = QUIET;
            change(&mut facts);
            let found = warnings(&facts);
            (level(&found), found.into_iter().map(|(_, warning)| warning).collect::<Vec<_>>())
        };
        let cases: [Case; 17] = [
            (|_| (), Calm, vec![]),
            (|facts| facts.eligible = 0, Calm, vec![]),
            (|facts| facts.eligible = 500, Calm, vec![]),
            (|facts| facts.eligible = 501, Notice, vec![Share(5)]),
            (|facts| facts.eligible = 2_500, Notice, vec![Share(25)]),
            (|facts| facts.eligible = 2_501, Serious, vec![Share(25)]),
            (|facts| (facts.eligible, facts.users) = (20, 20), Calm, vec![]),
            (|facts| (facts.eligible, facts.users) = (21, 21), Serious, vec![Share(100)]),
            (|facts| facts.leaving_later = 1, Notice, vec![LeavingLater(1)]),
            (|facts| facts.leaving_later = 10, Notice, vec![LeavingLater(10)]),
            (|facts| facts.leaving_later = 11, Serious, vec![LeavingLater(11)]),
            (|facts| facts.active_recently = 10, Notice, vec![ActiveRecently(10)]),
            (|facts| facts.active_recently = 11, Serious, vec![ActiveRecently(11)]),
            (|facts| facts.last = Some(67), Calm, vec![]),
            (|facts| facts.last = Some(66), Notice, vec![MoreThanLast(66)]),
            (|facts| facts.last = Some(33), Serious, vec![MoreThanLast(33)]),
            (|facts| facts.last = Some(0), Serious, vec![MoreThanLast(0)]),
        ];
        for (place, (change, expected, found)) in cases.into_iter().enumerate() {
            assert_eq!(of(change), (expected, found), "case {place}");
        }
    }

    #[test]
    fn a_safety_limit_is_serious_and_said_once() {
        let shared =
            PreviewFacts { eligible: 1_200, safety_limit: Some(SafetyLimit::Share), last: Some(30), ..QUIET };
        assert_eq!(
            warnings(&shared),
            [(Serious, Limit(SafetyLimit::Share)), (Serious, MoreThanLast(30))],
            "the share is in the limit"
        );
        let more = PreviewFacts { safety_limit: Some(SafetyLimit::Median), last: Some(30), ..QUIET };
        assert_eq!(warnings(&more), [(Serious, Limit(SafetyLimit::Median))]);
    }

    #[test]
    fn the_most_serious_warning_comes_first_and_decides_the_level() {
        let facts = PreviewFacts { leaving_later: 1, active_recently: 90, ..QUIET };
        let found = warnings(&facts);
        assert_eq!(found, [(Serious, ActiveRecently(90)), (Notice, LeavingLater(1))]);
        assert_eq!(level(&found), Serious);
        assert_eq!(
            LeavingLater(1).label(SafetyLimits::default()),
            "1 user has a leaving date that is still to come"
        );
    }
}
