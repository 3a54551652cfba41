//! Four eyes: what needs a second person before it happens.

use crate::brake::{Brake, Brakes};
use crate::policy::Policy;
use crate::wider::is_wider;
use serde::{Deserialize, Serialize};

/// How many hours an approval may be used, counted from when it was asked for.
pub const APPROVAL_HOURS: i64 = 24;

/// How many hours after a role was given at the desk, or an account was made ready by an invitation, a member of staff
/// is no second person yet: nobody makes up their own.
pub const NEW_APPROVER_HOURS: i64 = 24;

/// How many hours four eyes stay in force after there are no longer two people who could, and a stricter setting after
/// it was weakened.
pub const COOLING_OFF_HOURS: i64 = 72;

/// Whether a second person is needed. A setting of the installation.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FourEyes {
    /// As soon as there are two people who could.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

impl FourEyes {
    /// Whether a second person is needed where this many people could be one.
    pub const fn apply(self, people_who_could: u64) -> bool {
        match self {
            Self::Auto => people_who_could >= 2,
            Self::On => true,
            Self::Off => false,
        }
    }
}

/// Why a run needs a second person.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WhyTwo {
    /// Nobody has confirmed a policy of this task yet: the run arms it.
    Arming,
    /// The policy reaches further than the one that was confirmed.
    Widening,
    /// The run goes over a brake.
    Brake(Brake),
}

impl WhyTwo {
    /// The reason in words, to follow “because”.
    pub fn words(self, brakes: Brakes) -> String {
        match self {
            Self::Arming => "no run of this task has been confirmed yet".to_owned(),
            Self::Widening => "the settings go further than the settings that were confirmed".to_owned(),
            Self::Brake(brake) => {
                let words = brake.words(brakes);
                let mut letters = words.chars();
                letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
            }
        }
    }
}

/// Why a run of this policy needs a second person, if it does. `confirmed` is the policy of its task that somebody
/// confirmed, `brake` the brake that the run goes over.
pub fn why_two(policy: &Policy, confirmed: Option<&Policy>, brake: Option<Brake>) -> Option<WhyTwo> {
    match confirmed {
        None => Some(WhyTwo::Arming),
        Some(confirmed) if is_wider(policy, confirmed) => Some(WhyTwo::Widening),
        Some(_) => brake.map(WhyTwo::Brake),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Conditions, Days};

    #[test]
    fn auto_is_on_when_two_people_could() {
        for (setting, people, needed) in [
            (FourEyes::Auto, 0, false),
            (FourEyes::Auto, 1, false),
            (FourEyes::Auto, 2, true),
            (FourEyes::On, 0, true),
            (FourEyes::Off, 9, false),
        ] {
            assert_eq!(setting.apply(people), needed, "{setting:?} with {people}");
        }
    }

    #[test]
    fn arming_widening_and_brakes_need_two() {
        let days = |days| Policy {
            conditions: Conditions { leaving: Days::new(days), ..Conditions::default() },
            ..Policy::default()
        };
        let (five, four) = (days(5), days(4));
        assert_eq!(why_two(&five, None, None), Some(WhyTwo::Arming));
        assert_eq!(why_two(&four, Some(&five), Some(Brake::People)), Some(WhyTwo::Widening));
        assert_eq!(why_two(&five, Some(&five), Some(Brake::Share)), Some(WhyTwo::Brake(Brake::Share)));
        assert_eq!(why_two(&five, Some(&four), None), None);
    }

    #[test]
    fn the_words_follow_because() {
        let words = WhyTwo::Brake(Brake::People).words(Brakes::default());
        assert_eq!(words, "more than 5,000 users would be anonymised");
    }
}
