//! Safety limits: when a scheduled run stops until a member of staff confirms it with the number of users.

use crate::limits::Limits;
use crate::numbers::grouped;
use crate::stored::coded_enum;
use serde::{Deserialize, Serialize};

/// The safety limits of scheduled runs. A setting of the installation.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SafetyLimits {
    /// Maximum number of users.
    pub people: i64,
    /// Maximum share of all users, in per cent.
    pub percent: i64,
    /// Maximum multiple of the median of the task's previous runs.
    pub times_median: i64,
}

impl Default for SafetyLimits {
    fn default() -> Self {
        Self { people: 5_000, percent: 10, times_median: 3 }
    }
}

/// Number of users up to which shares don't apply, so that runs of small libraries aren't stopped.
const MAX_USERS_WITHOUT_PERCENT: i64 = 20;

coded_enum! {
    /// The safety limit that stopped a run.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum SafetyLimit: "safety limit" {
        /// The policy isn't confirmed, or extends beyond the confirmed one.
        NotConfirmed = "not_confirmed",
        /// Too many users.
        People = "people",
        /// Too large a share of all users.
        Share = "share",
        /// Many more users than in previous runs.
        Median = "median",
        /// Too many users whose dates staff changed manually.
        ManualChanges = "manual_changes",
        /// A file exceeds a safety limit of imports.
        Import = "import",
    }
}

impl SafetyLimit {
    /// Returns why the run was stopped, as a sentence.
    pub fn label(self, safety_limits: SafetyLimits) -> String {
        match self {
            Self::NotConfirmed => {
                "These settings have not been confirmed yet, or they go further than the settings that were \
                 confirmed"
                    .to_owned()
            }
            Self::People => {
                format!("More than {} users would be anonymised", grouped(safety_limits.people))
            }
            Self::Share => {
                format!("More than {} per cent of all users would be anonymised", safety_limits.percent)
            }
            Self::Median => format!(
                "More than {} times as many users as usual in recent runs of this task would be anonymised",
                safety_limits.times_median
            ),
            Self::ManualChanges => {
                "Manual changes since the last confirmed run made more users eligible than expected"
                    .to_owned()
            }
            Self::Import => "A file exceeds a safety limit of imports".to_owned(),
        }
    }
}

impl SafetyLimits {
    /// Returns the safety limit that stops a run, if any, counting manual changes since the last confirmed run.
    ///
    /// `last` contains the numbers of users in the task's previous runs.
    pub fn with_manual(
        self,
        people: i64,
        users: i64,
        last: &[i64],
        manual: Manual,
        limits: Limits,
    ) -> Option<SafetyLimit> {
        if manual.by_staff > 0 && manual.by_staff + manual.gone_by_staff > limits.manual_per_run {
            return Some(SafetyLimit::ManualChanges);
        }
        self.exceeded_by(people, users, last).or_else(|| {
            let with_gone = self.exceeded_by(people + manual.gone, users, &[]);
            with_gone.filter(|_| manual.gone > 0)
        })
    }

    /// Returns the safety limit that stops a run of this many users, if any. `last` is the same as above.
    pub fn exceeded_by(self, people: i64, users: i64, last: &[i64]) -> Option<SafetyLimit> {
        if people > self.people {
            return Some(SafetyLimit::People);
        }
        if people <= MAX_USERS_WITHOUT_PERCENT {
            return None;
        }
        if people * 100 > users * self.percent {
            return Some(SafetyLimit::Share);
        }
        median(last)
            .filter(|median| people > (median * self.times_median).max(MAX_USERS_WITHOUT_PERCENT))
            .map(|_| SafetyLimit::Median)
    }
}

/// Manual changes since the last confirmed run.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Manual {
    /// Users of the run whose dates staff changed manually.
    pub by_staff: i64,
    /// Users whose dates staff changed manually and who are already anonymised.
    pub gone_by_staff: i64,
    /// All users already anonymised or cleared after a manual change or an import.
    pub gone: i64,
}

fn median(values: &[i64]) -> Option<i64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_safety_limit_stops_just_above_its_value() {
        let safety_limits = SafetyLimits { people: 1000, percent: 10, times_median: 3 };
        assert_eq!(safety_limits.exceeded_by(1000, 100_000, &[]), None);
        assert_eq!(safety_limits.exceeded_by(1001, 100_000, &[]), Some(SafetyLimit::People));
        assert_eq!(safety_limits.exceeded_by(100, 1000, &[]), None);
        assert_eq!(safety_limits.exceeded_by(101, 1000, &[]), Some(SafetyLimit::Share));
        assert_eq!(safety_limits.exceeded_by(300, 100_000, &[90, 100, 110]), None);
        assert_eq!(safety_limits.exceeded_by(301, 100_000, &[90, 100, 110]), Some(SafetyLimit::Median));
    }

    #[test]
    fn manual_changes_since_the_last_confirmed_run_count() {
        let (safety_limits, limits) =
            (SafetyLimits::default(), Limits { manual_per_run: 100, ..Limits::default() });
        let of = |people, by_staff, gone_by_staff, gone| {
            let manual = Manual { by_staff, gone_by_staff, gone };
            safety_limits.with_manual(people, 1_000, &[], manual, limits)
        };
        assert_eq!(of(90, 90, 0, 0), None);
        assert_eq!(of(90, 50, 51, 5), Some(SafetyLimit::ManualChanges));
        assert_eq!(of(90, 0, 500, 0), None, "no user of this run was changed by hand");
        assert_eq!(of(90, 10, 10, 10), None);
        assert_eq!(of(90, 10, 10, 11), Some(SafetyLimit::Share));
        assert_eq!(of(101, 0, 0, 0), Some(SafetyLimit::Share));
    }

    #[test]
    fn shares_do_not_apply_to_a_few_users() {
        let safety_limits = SafetyLimits::default();
        assert_eq!(safety_limits.exceeded_by(20, 20, &[1, 1, 1]), None);
        assert_eq!(safety_limits.exceeded_by(21, 20, &[]), Some(SafetyLimit::Share));
        assert_eq!(safety_limits.exceeded_by(21, 100_000, &[0, 0, 0]), Some(SafetyLimit::Median));
        assert_eq!(safety_limits.exceeded_by(0, 0, &[]), None);
    }
}
