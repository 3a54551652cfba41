//! Four eyes: the actions that need a second person.

use crate::safety_limit::{SafetyLimit, SafetyLimits};
use crate::task_type::TaskSettings;
use serde::{Deserialize, Serialize};

/// Number of hours for which an approval is valid, counted from its request.
pub const APPROVAL_HOURS: i64 = 24;

/// Number of hours after which a member of staff can approve. They count from a role granted on the web, or an account
/// activated by an invitation.
///
/// Otherwise one person could create a second account and approve with it.
pub const NEW_APPROVER_HOURS: i64 = 24;

/// Number of hours for which a protection stays in force. It concerns four eyes after fewer than two people can
/// approve, and a stricter setting after it was weakened.
pub const COOLING_OFF_HOURS: i64 = 72;

/// The setting of an installation: whether a second person is needed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FourEyes {
    /// If at least two people can approve.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

impl FourEyes {
    /// Returns whether a second person is needed if this many people can approve.
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
pub enum ApprovalReason {
    /// No policy of this task has been confirmed yet.
    Arming,
    /// The policy extends beyond the confirmed one.
    Widening,
    /// The run exceeds a safety limit.
    SafetyLimit(SafetyLimit),
}

impl ApprovalReason {
    /// Returns the reason as text, to follow “because”.
    pub fn label(self, safety_limits: SafetyLimits) -> String {
        match self {
            Self::Arming => "no run of this task has been confirmed yet".to_owned(),
            Self::Widening => "the settings go further than the settings that were confirmed".to_owned(),
            Self::SafetyLimit(safety_limit) => {
                let words = safety_limit.label(safety_limits);
                let mut letters = words.chars();
                letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
            }
        }
    }
}

/// Returns why a run with these settings needs a second person, or `None`.
///
/// `confirmed` are the confirmed settings of its task, `safety_limit` the one that the run exceeds.
pub fn approval_reason(
    settings: &TaskSettings,
    confirmed: Option<&TaskSettings>,
    safety_limit: Option<SafetyLimit>,
) -> Option<ApprovalReason> {
    match confirmed {
        None => Some(ApprovalReason::Arming),
        Some(confirmed) if settings.extends_beyond(confirmed) => Some(ApprovalReason::Widening),
        Some(_) => safety_limit.map(ApprovalReason::SafetyLimit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Conditions, Days, Policy};

    #[test]
    fn auto_requires_approval_if_two_people_can_approve() {
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
    fn arming_widening_and_safety_limits_need_approval() {
        let days = |days| {
            TaskSettings::AnonymiseUserData(Policy {
                conditions: Conditions { leaving: Days::new(days), ..Conditions::default() },
                ..Policy::default()
            })
        };
        let (five, four) = (days(5), days(4));
        assert_eq!(approval_reason(&five, None, None), Some(ApprovalReason::Arming));
        assert_eq!(
            approval_reason(&four, Some(&five), Some(SafetyLimit::People)),
            Some(ApprovalReason::Widening)
        );
        assert_eq!(
            approval_reason(&five, Some(&five), Some(SafetyLimit::Share)),
            Some(ApprovalReason::SafetyLimit(SafetyLimit::Share))
        );
        assert_eq!(approval_reason(&five, Some(&four), None), None);
    }

    #[test]
    fn the_label_can_follow_because() {
        let words = ApprovalReason::SafetyLimit(SafetyLimit::People).label(SafetyLimits::default());
        assert_eq!(words, "more than 5,000 users would be anonymised");
    }
}
