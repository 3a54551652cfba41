//! Brakes: when a scheduled run stops and waits for somebody to confirm it with the number of people.

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
}

impl Brake {
    /// All brakes, in the order in which they are looked at.
    pub const ALL: [Self; 4] = [Self::NotConfirmed, Self::People, Self::Share, Self::Median];

    /// The stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotConfirmed => "not_confirmed",
            Self::People => "people",
            Self::Share => "share",
            Self::Median => "median",
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
                "Nobody has confirmed these settings yet, or they reach further than those that were confirmed"
                    .to_owned()
            }
            Self::People => {
                format!("More than {} people would be anonymised", grouped(brakes.people))
            }
            Self::Share => {
                format!("More than {} per cent of all users would be anonymised", brakes.percent)
            }
            Self::Median => format!(
                "More than {} times as many people as usual in the last runs of this task would be anonymised",
                brakes.times_median
            ),
        }
    }
}

impl Brakes {
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
    fn a_handful_of_people_is_never_a_share() {
        let brakes = Brakes::default();
        assert_eq!(brakes.of(20, 20, &[1, 1, 1]), None);
        assert_eq!(brakes.of(21, 20, &[]), Some(Brake::Share));
        assert_eq!(brakes.of(21, 100_000, &[0, 0, 0]), Some(Brake::Median));
        assert_eq!(brakes.of(0, 0, &[]), None);
    }
}
