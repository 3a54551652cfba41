//! The numbers of users that a rule affects, now and later, with warnings. Shown while a task is edited.

use crate::assess::{RunMode, UserFacts, Verdict, assess};
use crate::dates::shown;
use crate::numbers::{counted, grouped, percent};
use crate::policy::{Policy, Scope};
use crate::preview_warning::{PreviewFacts, RECENT_DAYS, WarningLevel, level, warnings};
use crate::reason::Blocker;
use crate::safety_limit::SafetyLimits;
use chrono::{Duration, NaiveDate};
use serde::{Deserialize, Serialize};

/// The days ahead for which users are counted besides today.
pub const DAYS_AHEAD: [i64; 2] = [30, 365];

/// Numbers of users under a rule. Users are counted once: under eligible, later or their first blocker.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AffectedUsers {
    /// All users of the library.
    pub users: i64,
    /// Users who are eligible today.
    pub now: i64,
    /// Users who are eligible after each of [`DAYS_AHEAD`], including those of today, if nothing changes.
    pub later: [i64; 2],
    /// Users who meet the conditions today but are blocked, by their first blocker, in the order of
    /// [`Blocker::ALL`].
    pub blocked: [i64; 5],
    /// Eligible users whose leaving date lies in the future.
    pub leaving_later: i64,
    /// Eligible users who were active within the last [`RECENT_DAYS`] days.
    pub active_recently: i64,
    /// Eligible users that the saved rule does not select. None without a saved rule.
    pub newly_selected: Option<i64>,
    /// Users who are not anonymised, by scope in the order of [`Scope::ALL`].
    pub by_scope: [i64; 3],
}

impl AffectedUsers {
    /// Counts users under a rule. `saved` is the rule of the saved task, if there is one.
    pub fn count(
        all: impl Iterator<Item = UserFacts>,
        rule: &Policy,
        saved: Option<&Policy>,
        today: NaiveDate,
    ) -> Self {
        let mut counts = Self { newly_selected: saved.map(|_| 0), ..Self::default() };
        let later = DAYS_AHEAD.map(|days| today + Duration::days(days));
        for facts in all {
            counts.add_to_scopes(&facts);
            counts.users += 1;
            match assess(&facts, rule, today, RunMode::Bulk) {
                Verdict::Eligible => counts.add_eligible(&facts, saved, today),
                // The conditions are checked before the blockers.
                Verdict::NotYetUntil(from) if facts.blockers.is_empty() => {
                    for (count, day) in counts.later.iter_mut().zip(later) {
                        *count += i64::from(from <= day);
                    }
                }
                Verdict::Blocked(blockers) => {
                    let first = blockers.first().map_or(0, |blocker| blocker as usize);
                    if let Some(count) = counts.blocked.get_mut(first) {
                        *count += 1;
                    }
                }
                _ => {}
            }
        }
        counts
    }

    fn add_to_scopes(&mut self, facts: &UserFacts) {
        for (count, scope) in self.by_scope.iter_mut().zip(Scope::ALL) {
            *count += i64::from(!facts.anonymised && scope.contains(facts.imported));
        }
    }

    fn add_eligible(&mut self, facts: &UserFacts, saved: Option<&Policy>, today: NaiveDate) {
        self.now += 1;
        for count in &mut self.later {
            *count += 1;
        }
        self.leaving_later += i64::from(facts.leaving_on.is_some_and(|on| on > today));
        let recent = today - Duration::days(RECENT_DAYS);
        self.active_recently += i64::from(facts.last_activity_on.is_some_and(|on| on >= recent));
        if let (Some(count), Some(saved)) = (&mut self.newly_selected, saved) {
            *count += i64::from(assess(facts, saved, today, RunMode::Bulk) != Verdict::Eligible);
        }
    }

    /// Returns the numbers that a preview of the rule would warn of. `last` contains the numbers of users in the task's
    /// previous runs, the newest first.
    ///
    /// Manual changes and recent partial runs are left out, so a preview may exceed a safety limit that these numbers do
    /// not.
    fn facts(&self, limits: SafetyLimits, last: &[i64]) -> PreviewFacts {
        PreviewFacts {
            eligible: self.now,
            users: self.users,
            leaving_later: self.leaving_later,
            active_recently: self.active_recently,
            last: last.first().copied(),
            safety_limit: limits.exceeded_by(self.now, self.users, last),
        }
    }
}

/// The numbers as texts, for the task form.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AffectedTexts {
    /// The day and the number of users eligible on it: today and after each of [`DAYS_AHEAD`].
    pub days: Vec<(String, String)>,
    /// The blockers of users who meet the conditions.
    pub blocked: String,
    /// The warnings. Those of a preview, and the users that the saved rule does not select.
    pub warnings: Vec<String>,
    /// The label of the level of the warnings.
    pub level: String,
    /// Whether the warnings are serious.
    pub is_serious: bool,
    /// The number of users of each scope, in the order of [`Scope::ALL`].
    pub scopes: [String; 3],
    /// When the users were read: `10:32:15`.
    pub counted_at: String,
}

impl AffectedTexts {
    /// Returns the texts of these numbers. `last` contains the numbers of users in the task's previous runs, the newest
    /// first.
    pub fn new(
        counts: &AffectedUsers,
        limits: SafetyLimits,
        last: &[i64],
        today: NaiveDate,
        counted_at: String,
    ) -> Self {
        let warned = warnings(&counts.facts(limits, last));
        let new = counts.newly_selected.filter(|users| *users > 0);
        let level = level(&warned).max(new.map_or(WarningLevel::Calm, |_| WarningLevel::Notice));
        let of_preview = warned.into_iter().map(|(_, warning)| format!("{}.", warning.label(limits)));
        let of_all = |users: i64| {
            let all = counted(counts.users, "user", "users");
            format!("{} of {all} ({})", grouped(users), percent(users, counts.users))
        };
        let later = DAYS_AHEAD.iter().zip(counts.later);
        let later = later
            .map(|(days, users)| (format!("By {}", shown(today + Duration::days(*days))), of_all(users)));
        Self {
            days: std::iter::once(("Today".to_owned(), of_all(counts.now))).chain(later).collect(),
            blocked: blocked(&counts.blocked),
            warnings: of_preview.chain(new.map(newly_selected)).collect(),
            level: level.label().to_owned(),
            is_serious: level == WarningLevel::Serious,
            scopes: counts.by_scope.map(|users| counted(users, "user", "users")),
            counted_at,
        }
    }
}

fn newly_selected(users: i64) -> String {
    let are = if users == 1 { "is" } else { "are" };
    format!("{} {are} not selected by the saved rule.", counted(users, "user", "users"))
}

/// Returns what blocks users who meet the conditions: `25 more users are blocked (open loans: 20, legal hold: 5).`
fn blocked(counts: &[i64; 5]) -> String {
    let sum: i64 = counts.iter().sum();
    if sum == 0 {
        return "No user who meets the rule is blocked.".to_owned();
    }
    let by: Vec<String> = Blocker::ALL
        .into_iter()
        .zip(counts)
        .filter(|(_, count)| **count > 0)
        .map(|(blocker, count)| format!("{}: {}", blocker.label(), grouped(*count)))
        .collect();
    let users = if sum == 1 { "user is" } else { "users are" };
    format!("{} more {users} blocked ({}).", grouped(sum), by.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Conditions, Days};
    use crate::reason::Blockers;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn left(on: &str) -> UserFacts {
        UserFacts {
            anonymised: false,
            staff: false,
            fictitious: false,
            imported: true,
            created_on: None,
            leaving_on: Some(day(on)),
            last_activity_on: None,
            marked_on: None,
            kept_since: None,
            blockers: Blockers::NONE,
        }
    }

    fn rule(leaving: u32) -> Policy {
        let conditions = Conditions { leaving: Days::new(leaving), ..Conditions::default() };
        Policy { conditions, scope: Scope::All, ..Policy::default() }
    }

    #[test]
    fn users_are_counted_today_and_later() {
        let today = day("2026-11-28");
        let on_loan = Blockers::NONE.with(Blocker::OpenLoan, true);
        let all = [
            left("2026-11-27"),
            left("2026-11-28"),
            left("2026-12-27"),
            left("2026-12-28"),
            left("2027-11-27"),
            left("2027-11-28"),
            UserFacts { blockers: on_loan, ..left("2020-01-01") },
            UserFacts { blockers: on_loan, ..left("2026-12-01") },
            UserFacts { anonymised: true, ..left("2020-01-01") },
            UserFacts { imported: false, staff: true, ..left("2020-01-01") },
        ];
        let counts = AffectedUsers::count(all.into_iter(), &rule(0), None, today);
        assert_eq!((counts.users, counts.now, counts.later), (10, 1, [3, 5]));
        assert_eq!(counts.blocked, [1, 0, 0, 0, 0]);
        assert_eq!(blocked(&counts.blocked), "1 more user is blocked (open loans: 1).");
        assert_eq!(
            blocked(&[1_200, 0, 0, 0, 5]),
            "1,205 more users are blocked (open loans: 1,200, legal hold: 5)."
        );
        assert_eq!(counts.by_scope, [8, 1, 9]);
        assert_eq!(counts.newly_selected, None);
    }

    #[test]
    fn unusual_users_are_counted() {
        let today = day("2026-11-28");
        let marked = |leaving: &str, active: &str| UserFacts {
            marked_on: Some(day("2026-01-01")),
            last_activity_on: Some(day(active)),
            ..left(leaving)
        };
        let all = [
            marked("2026-11-28", "2026-10-28"),
            marked("2026-11-29", "2026-10-29"),
            marked("2020-01-01", "2020-01-01"),
        ];
        let by_mark =
            Policy { conditions: Conditions { marked: Days::new(5), ..Conditions::default() }, ..rule(0) };
        let counts = AffectedUsers::count(all.into_iter(), &by_mark, Some(&rule(100)), today);
        assert_eq!((counts.now, counts.leaving_later, counts.active_recently), (3, 1, 1));
        assert_eq!(counts.newly_selected, Some(2));
        let limits = SafetyLimits { people: 2, ..SafetyLimits::default() };
        let texts = AffectedTexts::new(&counts, limits, &[], today, "10:32:15".to_owned());
        assert!(texts.is_serious);
        assert_eq!(
            texts.warnings,
            [
                "More than 2 users would be anonymised.",
                "1 user has a leaving date that is still to come.",
                "1 user was active within the last 30 days.",
                "2 users are not selected by the saved rule.",
            ]
        );
        let texts = AffectedTexts::new(&counts, SafetyLimits::default(), &[], today, String::new());
        assert_eq!(texts.warnings.len(), 3, "a preview warns of the same");
        assert_eq!(texts.days[0], ("Today".to_owned(), "3 of 3 users (100\u{a0}%)".to_owned()));
        assert_eq!(texts.days[1].0, "By 28 Dec 2026");
    }

    #[test]
    fn a_rule_without_conditions_affects_no_user() {
        let counts = AffectedUsers::count(
            [left("2020-01-01")].into_iter(),
            &Policy::default(),
            None,
            day("2026-11-28"),
        );
        assert_eq!((counts.users, counts.now, counts.later), (1, 0, [0, 0]));
        let texts =
            AffectedTexts::new(&counts, SafetyLimits::default(), &[], day("2026-11-28"), String::new());
        assert!(texts.warnings.is_empty() && !texts.is_serious);
    }
}
