//! The forecast of a task for one user: from when the user will be anonymised, or why not.

use crate::assess::{RunMode, UserFacts, Verdict, assess};
use crate::dates;
use crate::policy::Policy;
use crate::reason::{Blockers, Reason};
use chrono::NaiveDate;
use serde::Serialize;

/// The result of a policy for one user from a day on, if nothing changes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Forecast {
    /// The conditions are met from this day on: today or later. The blockers must be dealt with first.
    From {
        /// The day.
        day: NaiveDate,
        /// The current blockers of the user.
        blockers: Blockers,
    },
    /// The policy never selects the user, as long as the record stays as it is.
    Never(Reason),
}

/// The way in which a task starts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NextStart {
    /// By hand only.
    ByHand,
    /// By its schedule. This is the day of its first run on or after the day of the forecast.
    On(NaiveDate),
    /// By its schedule, which ends before the day of the forecast.
    Over,
}

/// The sentence of a forecast, around the name of the task.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Sentence {
    /// The words before the name.
    pub before: String,
    /// The words after the name.
    pub after: String,
}

/// Returns the forecast of a policy for a user.
pub fn forecast(facts: &UserFacts, policy: &Policy, today: NaiveDate) -> Forecast {
    let unblocked = UserFacts { blockers: Blockers::NONE, ..*facts };
    match assess(&unblocked, policy, today, RunMode::Bulk) {
        Verdict::Eligible => Forecast::From { day: today, blockers: facts.blockers },
        Verdict::NotYetUntil(day) => Forecast::From { day, blockers: facts.blockers },
        verdict => Forecast::Never(verdict.reason()),
    }
}

impl Forecast {
    /// Returns the forecast as a sentence. `waits` says that the next scheduled run stops for a confirmation.
    /// `blocked_by` lists the blockers, or is empty.
    pub fn sentence(self, today: NaiveDate, start: NextStart, waits: bool, blocked_by: &str) -> Sentence {
        let day = match self {
            Self::Never(reason) => {
                let after = format!(": {}.", reason.label());
                return Sentence { before: "Will not be anonymised by ".to_owned(), after };
            }
            Self::From { day, .. } => day,
        };
        let from =
            |date| if date <= today { "now".to_owned() } else { format!("from {}", dates::shown(date)) };
        let (before, mut after) = match start {
            NextStart::ByHand => {
                (format!("Can be anonymised {} by ", from(day)), ", which is only started by hand".to_owned())
            }
            NextStart::Over => (
                format!("Can be anonymised {} by ", from(day)),
                ", started by hand: its schedule has no run from then on".to_owned(),
            ),
            NextStart::On(run) => {
                let met = match (day <= today, day < run) {
                    (true, _) => "its next run".to_owned(),
                    (_, true) => {
                        format!("its first run after the conditions are met on {}", dates::shown(day))
                    }
                    _ => String::new(),
                };
                let met = if met.is_empty() { met } else { format!(", {met}") };
                (format!("Will be anonymised from {} by ", dates::shown(run)), met)
            }
        };
        if waits && matches!(start, NextStart::On(_)) {
            after.push_str("; a member of staff must confirm the run first");
        }
        if !blocked_by.is_empty() {
            after = format!("{after}; blocked by {blocked_by}");
        }
        Sentence { before, after: format!("{after}.") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scope;
    use crate::policy::{Conditions, Days};
    use crate::reason::Blocker;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    const FACTS: UserFacts = UserFacts {
        anonymised: false,
        staff: false,
        fictitious: false,
        imported: true,
        created_on: None,
        leaving_on: None,
        last_activity_on: None,
        marked_on: None,
        kept_since: None,
        blockers: Blockers::NONE,
    };

    fn policy() -> Policy {
        Policy {
            scope: Scope::Imported,
            conditions: Conditions { leaving: Days::new(5), ..Conditions::default() },
            ..Policy::default()
        }
    }

    #[test]
    fn a_forecast_is_the_first_day_of_the_verdict_whatever_blocks() {
        let loan = Blockers::NONE.with(Blocker::OpenLoan, true);
        let left = UserFacts { leaving_on: Some(day("2018-01-15")), blockers: loan, ..FACTS };
        for (today, from) in
            [("2018-01-16", "2018-01-21"), ("2018-01-21", "2018-01-21"), ("2018-03-01", "2018-03-01")]
        {
            let forecast = forecast(&left, &policy(), day(today));
            assert_eq!(forecast, Forecast::From { day: day(from), blockers: loan }, "{today}");
        }
        for (facts, reason) in [
            (FACTS, Reason::NoLeavingDate),
            (UserFacts { staff: true, ..left }, Reason::Staff),
            (UserFacts { imported: false, ..left }, Reason::OutsideScope),
            (UserFacts { anonymised: true, ..left }, Reason::AlreadyAnonymised),
        ] {
            assert_eq!(forecast(&facts, &policy(), day("2018-03-01")), Forecast::Never(reason));
        }
    }

    #[test]
    fn a_sentence_names_day_start_and_blockers() {
        let today = day("2018-01-21");
        let from = |text| Forecast::From { day: day(text), blockers: Blockers::NONE };
        let text = |forecast: Forecast, start, waits, blocked| {
            let Sentence { before, after } = forecast.sentence(today, start, waits, blocked);
            format!("{before}T{after}")
        };
        for (forecast, start, waits, blocked, expected) in [
            (
                from("2028-01-04"),
                NextStart::On(day("2028-01-04")),
                false,
                "1 open loan",
                "Will be anonymised from 4 Jan 2028 by T; blocked by 1 open loan.",
            ),
            (
                from("2028-01-04"),
                NextStart::On(day("2028-01-31")),
                false,
                "",
                "Will be anonymised from 31 Jan 2028 by T, its first run after the conditions are met on 4 Jan 2028.",
            ),
            (
                from("2018-01-21"),
                NextStart::On(day("2018-01-31")),
                true,
                "",
                "Will be anonymised from 31 Jan 2018 by T, its next run; a member of staff must confirm the run first.",
            ),
            (
                from("2018-01-21"),
                NextStart::ByHand,
                true,
                "1 legal hold",
                "Can be anonymised now by T, which is only started by hand; blocked by 1 legal hold.",
            ),
            (
                from("2018-02-01"),
                NextStart::Over,
                false,
                "",
                "Can be anonymised from 1 Feb 2018 by T, started by hand: its schedule has no run from then on.",
            ),
            (
                Forecast::Never(Reason::Staff),
                NextStart::ByHand,
                false,
                "",
                "Will not be anonymised by T: has a role (staff).",
            ),
        ] {
            assert_eq!(text(forecast, start, waits, blocked), expected);
        }
    }
}
