//! The policy as a sentence, updated while the form is edited.

use crate::assess::first_day;
use crate::dates::{joined, shown};
use crate::numbers::counted;
use crate::policy::{Conditions, Days, Scope};
use crate::task_form::{TaskForm, conditions_so_far};
use chrono::{Datelike, NaiveDate};

/// The definition of activity (rule 4), shown beside the field.
pub const ACTIVITY: &str = "Activity is a sign-in, a loan (issue or renewal) or a placed request, by the user or by staff \
     for the user. Returns, cancellations and payments are not activity. Staff may act for users who never come: such \
     users count as active. The days count from the later of the last activity and the creation of the record.";

/// Shown instead of the sentence while the conditions are invalid.
pub const INCOMPLETE: &str = "The rule is incomplete: correct the conditions to see which users it selects.";

/// Returns the sentence of a form, or that its rule is incomplete, but never a wider rule than the one entered.
pub fn of_form(form: &TaskForm) -> String {
    conditions_so_far(form)
        .map_or_else(|_| INCOMPLETE.to_owned(), |(conditions, scope)| selection(&conditions, scope))
}

/// Returns the example of a form, or `None` while its rule is incomplete.
pub fn example_of_form(form: &TaskForm, today: NaiveDate) -> Option<String> {
    conditions_so_far(form).ok().and_then(|(conditions, _)| example(&conditions, today))
}

fn days(days: Days) -> String {
    if days.get() == 0 {
        "before today".to_owned()
    } else {
        format!("more than {} ago", counted(i64::from(days.get()), "day", "days"))
    }
}

/// Returns which users are selected, as a sentence: `Users who left more than 5 days ago; imported users only.`
pub fn selection(conditions: &Conditions, scope: Scope) -> String {
    let parts: Vec<String> = [
        conditions.leaving.map(|n| format!("left {}", days(n))),
        conditions.marked.map(|n| format!("were marked for deletion {}", days(n))),
        conditions.activity.map(|n| format!("were last active {}", days(n))),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() {
        return "No users: no condition is set. This task can only be used to anonymise single users from \
                their record."
            .to_owned();
    }
    let mut sentence = "Users who ".to_owned();
    sentence.push_str(&parts.join(" and "));
    format!("{sentence}; {}.", scope.label())
}

/// Returns an example with a date: `A user who left on 15 January is anonymised from 21 January.`
///
/// It uses 15 January of the year of `today` and the longest condition. Returns `None` without conditions.
pub fn example(conditions: &Conditions, today: NaiveDate) -> Option<String> {
    let date = NaiveDate::from_ymd_opt(today.year(), 1, 15)?;
    let (verbs, longest): (Vec<&str>, Vec<Days>) = [
        (conditions.leaving, "left"),
        (conditions.marked, "was marked for deletion"),
        (conditions.activity, "was last active"),
    ]
    .into_iter()
    .filter_map(|(days, verb)| days.map(|days| (verb, days)))
    .unzip();
    let from = first_day(date, longest.into_iter().max()?)?;
    let on = |day: NaiveDate| {
        if day.year() == date.year() { day.format("%-d %B").to_string() } else { shown(day) }
    };
    Some(format!("A user who {} on {} is anonymised from {}.", joined(&verbs, "and"), on(date), on(from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_states_users_and_first_day() {
        let conditions = Conditions { leaving: Days::new(5), marked: Days::new(5), activity: None };
        let today = NaiveDate::from_ymd_opt(2018, 1, 1).expect("a date");
        assert_eq!(
            selection(&conditions, Scope::Imported),
            "Users who left more than 5 days ago and were marked for deletion more than 5 days ago; imported users only."
        );
        assert_eq!(
            example(&Conditions { leaving: Days::new(5), ..Conditions::default() }, today).as_deref(),
            Some("A user who left on 15 January is anonymised from 21 January.")
        );
        assert_eq!(
            example(&Conditions { activity: Days::new(365), ..Conditions::default() }, today).as_deref(),
            Some("A user who was last active on 15 January is anonymised from 16 Jan 2019.")
        );
        assert!(selection(&Conditions::default(), Scope::All).starts_with("No users"));
        assert_eq!(example(&Conditions::default(), today), None);
    }

    #[test]
    fn an_incomplete_rule_is_never_described_as_a_wider_one() {
        let today = NaiveDate::from_ymd_opt(2018, 1, 1).expect("a date");
        let form = |leaving: &str, by_activity: bool, activity: &str, scope: &str| TaskForm {
            by_leaving: true,
            leaving_days: leaving.to_owned(),
            by_activity,
            activity_days: activity.to_owned(),
            scope: scope.to_owned(),
            ..TaskForm::new_task()
        };
        for invalid in [
            form("30", true, "", "all"),
            form("30", true, "two years", "all"),
            form("30", true, "36501", "all"),
            form("30", false, "730", "all"),
            form("", false, "", "all"),
            form("30", false, "", "everyone"),
        ] {
            assert_eq!(of_form(&invalid), INCOMPLETE);
            assert_eq!(example_of_form(&invalid, today), None);
        }
        let valid = form("30", true, "730", "all");
        assert_eq!(
            of_form(&valid),
            "Users who left more than 30 days ago and were last active more than 730 days ago; all users."
        );
        assert!(example_of_form(&valid, today).is_some());
    }
}
