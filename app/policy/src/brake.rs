//! Brakes: when a scheduled run stops and waits for somebody to confirm it with the number of people.

use crate::limits::Limits;
use crate::numbers::grouped;
use serde::{Deserialize, Serialize};

/// How far a run may go by itself. Settings of the installation.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Brakes {
    /// More people than this.
    pub people: i64,
    /// More than this many per cent of all users.
    pub percent: i64,
    /// More than this many times the median of the task's last runs.
    pub times_median: i64,
}

impl Default for Brakes {
    fn default() -> Self {
        Self { people: 5_000, percent: 10, times_median: 3 }
    }
}

/// Up to this many people the shares say nothing: a run of a small library is not stopped by them.
const FEW: i64 = 20;

/// What stopped a run.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Brake {
    /// Nobody has confirmed this policy, or it was widened since.
    NotConfirmed,
    /// More people than a run may anonymise by itself.
    People,
    /// A greater share of all users than a run may anonymise by itself.
    Share,
    /// Many more people than in the last runs.
    Median,
    /// Staff changed the dates of more users by hand than one run may anonymise without a confirmation.
    ManualChanges,
}

impl Brake {
    /// All brakes, in the order in which they are looked at.
    pub const ALL: [Self; 5] =
        [Self::NotConfirmed, Self::People, Self::Share, Self::Median, Self::ManualChanges];

    /// The stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotConfirmed => "not_confirmed",
            Self::People => "people",
            Self::Share => "share",
            Self::Median => "median",
            Self::ManualChanges => "manual_changes",
        }
    }

    /// The brake with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|brake| brake.code() == code)
    }

    /// Why the run was stopped, in words.
    pub fn words(self, brakes: Brakes) -> String {
        match self {
            Self::NotConfirmed => {
                "These settings have not been confirmed yet, or they go further than the settings that were \
                 confirmed"
                    .to_owned()
            }
            Self::People => {
                format!("More than {} users would be anonymised", grouped(brakes.people))
            }
            Self::Share => {
                format!("More than {} per cent of all users would be anonymised", brakes.percent)
            }
            Self::Median => format!(
                "More than {} times as many users as usual in recent runs of this task would be anonymised",
                brakes.times_median
            ),
            Self::ManualChanges => {
                "Manual changes since the last confirmed run made more users eligible than expected"
                    .to_owned()
            }
        }
    }
}

impl Brakes {
    /// The brake that stops a run, if any. Manual changes since the last confirmed run count as part of it. `last` are
    /// the people of the task's last runs.
    pub fn with_manual(
        self,
        people: i64,
        users: i64,
        last: &[i64],
        manual: Manual,
        limits: Limits,
    ) -> Option<Brake> {
        if manual.by_hand > 0 && manual.by_hand + manual.gone_by_hand > limits.manual_per_run {
            return Some(Brake::ManualChanges);
        }
        self.of(people, users, last).or_else(|| {
            let with_gone = self.of(people + manual.gone, users, &[]);
            with_gone.filter(|_| manual.gone > 0)
        })
    }

    /// The brake that stops a run of this many people, if any. `last` are the people of the task's last runs.
    pub fn of(self, people: i64, users: i64, last: &[i64]) -> Option<Brake> {
        if people > self.people {
            return Some(Brake::People);
        }
        if people <= FEW {
            return None;
        }
        if people * 100 > users * self.percent {
            return Some(Brake::Share);
        }
        median(last).filter(|median| people > (median * self.times_median).max(FEW)).map(|_| Brake::Median)
    }
}

/// What manual changes since the last confirmed run add to a run.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Manual {
    /// Users of the run whose dates staff changed by hand.
    pub by_hand: i64,
    /// Users whose dates staff changed by hand and who are anonymised already.
    pub gone_by_hand: i64,
    /// All users who are anonymised or cleared already after a manual change or an import.
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
    fn each_brake_stops_just_above_its_limit() {
        let brakes = Brakes { people: 1000, percent: 10, times_median: 3 };
        assert_eq!(brakes.of(1000, 100_000, &[]), None);
        assert_eq!(brakes.of(1001, 100_000, &[]), Some(Brake::People));
        assert_eq!(brakes.of(100, 1000, &[]), None);
        assert_eq!(brakes.of(101, 1000, &[]), Some(Brake::Share));
        assert_eq!(brakes.of(300, 100_000, &[90, 100, 110]), None);
        assert_eq!(brakes.of(301, 100_000, &[90, 100, 110]), Some(Brake::Median));
    }

    #[test]
    fn manual_changes_since_the_last_confirmed_run_count() {
        let (brakes, limits) = (Brakes::default(), Limits { manual_per_run: 100, ..Limits::default() });
        let of = |people, by_hand, gone_by_hand, gone| {
            let manual = Manual { by_hand, gone_by_hand, gone };
            brakes.with_manual(people, 1_000, &[], manual, limits)
        };
        assert_eq!(of(90, 90, 0, 0), None);
        assert_eq!(of(90, 50, 51, 5), Some(Brake::ManualChanges));
        assert_eq!(of(90, 0, 500, 0), None, "no user of this run was changed by hand");
        assert_eq!(of(90, 10, 10, 10), None);
        assert_eq!(of(90, 10, 10, 11), Some(Brake::Share));
        assert_eq!(of(101, 0, 0, 0), Some(Brake::Share));
    }

    #[test]
    fn a_handful_of_people_is_never_a_share() {
        let brakes = Brakes::default();
        assert_eq!(brakes.of(20, 20, &[1, 1, 1]), None);
        assert_eq!(brakes.of(21, 20, &[]), Some(Brake::Share));
        assert_eq!(brakes.of(21, 100_000, &[0, 0, 0]), Some(Brake::Median));
        assert_eq!(brakes.of(0, 0, &[]), None);
    }
}
