//! The policy in a sentence, rebuilt while somebody types.

use crate::assess::first_day;
use crate::dates::{joined, shown};
use crate::numbers::counted;
use crate::policy::{Conditions, Days, Scope};
use chrono::{Datelike, NaiveDate};

/// What counts as activity (rule 4), as the page says it beside the field.
pub const ACTIVITY: &str = "Activity is a sign-in, a loan (issue or renewal), a return or a request, by the user or by \
     staff for the user. Users who were never active are counted from the day their record was created.";

fn days(days: Days) -> String {
    if days.get() == 0 {
        "before today".to_owned()
    } else {
        format!("more than {} ago", counted(i64::from(days.get()), "day", "days"))
    }
}

/// Who is selected: `Users who left more than 5 days ago and were marked for deletion more than 5 days ago;
/// imported users only.`
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
        return "Nobody: no condition is set. The task can only serve single users, anonymised from their record."
            .to_owned();
    }
    let mut sentence = "Users who ".to_owned();
    sentence.push_str(&parts.join(" and "));
    format!("{sentence}; {}.", scope.words())
}

/// An example that spares the reader the counting: `Somebody who left on 15 January is anonymised from
/// 21 January.` It uses 15 January of the year of `today`, or of the longest condition that is set.
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
    Some(format!("Somebody who {} on {} is anonymised from {}.", joined(&verbs, "and"), on(date), on(from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_says_who_and_from_when() {
        let conditions = Conditions { leaving: Days::new(5), marked: Days::new(5), activity: None };
        let today = NaiveDate::from_ymd_opt(2018, 1, 1).expect("a date");
        assert_eq!(
            selection(&conditions, Scope::Imported),
            "Users who left more than 5 days ago and were marked for deletion more than 5 days ago; imported users only."
        );
        assert_eq!(
            example(&Conditions { leaving: Days::new(5), ..Conditions::default() }, today).as_deref(),
            Some("Somebody who left on 15 January is anonymised from 21 January.")
        );
        assert_eq!(
            example(&Conditions { activity: Days::new(365), ..Conditions::default() }, today).as_deref(),
            Some("Somebody who was last active on 15 January is anonymised from 16 Jan 2019.")
        );
        assert!(selection(&Conditions::default(), Scope::All).starts_with("Nobody"));
        assert_eq!(example(&Conditions::default(), today), None);
    }
}
