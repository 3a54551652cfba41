//! Validates a cron expression of five fields. Small enough for the browser.
//!
//! The `croner` library computes the times in [`crate::timezone`]; a test checks that both agree.

use crate::form::Problem;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// Maximum number of days in each month.
const MONTH_LENGTHS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Validates a cron expression: minute, hour, day of the month, month, day of the week.
///
/// Each field is a list of `*`, numbers, ranges and steps; months and days of the week may be named. Rejects an
/// expression that never matches, and one that matches more than once an hour (rule 13).
pub fn check(line: &str) -> Result<(), Problem> {
    let lower = line.trim().to_ascii_lowercase();
    let fields: Vec<&str> = lower.split_ascii_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields.as_slice() else { return Err(Problem::NotACronLine) };
    let read = |field: &str, least, most, names: &[&str]| {
        values(field, least, most, names).ok_or(Problem::NotACronLine)
    };
    let minutes = read(minute, 0, 59, &[])?;
    read(hour, 0, 23, &[])?;
    let days = read(day, 1, 31, &[])?;
    let months = read(month, 1, 12, &MONTHS)?;
    read(weekday, 0, 7, &DAYS)?;
    // Compare the minutes instead of counting them, because a list may repeat one.
    if minutes.iter().any(|minute| *minute != minutes[0]) {
        return Err(Problem::CronTooOften);
    }
    // If both a day of the month and a day of the week are given, either is sufficient.
    let length = |month: &u32| MONTH_LENGTHS.get(*month as usize - 1).copied().unwrap_or_default();
    let comes = *weekday != "*" || months.iter().any(|month| days.iter().any(|day| *day <= length(month)));
    if comes { Ok(()) } else { Err(Problem::CronNeverMatches) }
}

/// Returns the values of a field in no particular order, or `None` if it is invalid.
fn values(field: &str, least: u32, most: u32, names: &[&str]) -> Option<Vec<u32>> {
    let value = |text: &str| -> Option<u32> {
        if let Some(place) = names.iter().position(|name| *name == text) {
            return u32::try_from(place).ok().map(|place| place + least);
        }
        let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten().filter(|n| (least..=most).contains(n))
    };
    let mut found = Vec::new();
    for part in field.split(',') {
        let (base, step) = part.split_once('/').map_or((part, None), |(base, step)| (base, Some(step)));
        let (from, to) = match base.split_once('-') {
            Some((from, to)) => (value(from)?, value(to)?),
            None if base == "*" => (least, most),
            None if step.is_none() => (value(base)?, value(base)?),
            None => return None,
        };
        let step = match step {
            None => 1,
            Some(step) if (1..=2).contains(&step.len()) && step.bytes().all(|byte| byte.is_ascii_digit()) => {
                step.parse().ok().filter(|step: &usize| (1..=most as usize).contains(step))?
            }
            Some(_) => return None,
        };
        if from > to {
            return None;
        }
        found.extend((from..=to).step_by(step));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_fields_in_range() {
        for line in [
            "30 2 * * mon",
            "15 0-6 1,15 jan-jun 1-5",
            "0 0 * * 7",
            "59 23 31 12 0",
            " 0  4 * * * ",
            "0 * * * *",
            "0,0 * * * *",
            "5-5 */2 * * *",
            "0 0 29 2 *",
            "0 0 31 1,2 *",
            "0 0 31 */12,feb *",
            "0 0 31 2 mon",
            "0 0 */30 * *",
        ] {
            assert_eq!(check(line), Ok(()), "{line}");
        }
        for line in [
            "",
            "* * * *",
            "* * * * * *",
            "0 30 2 * * mon",
            "30 2 * * mon 2027",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "@daily",
            "a * * * *",
            "5/2 * * * *",
            "1, * * * *",
            "+1 * * * *",
            "0 0 L * *",
            "0 0 15W * *",
            "0 0 * * mon#2",
            "? * * * *",
        ] {
            assert_eq!(check(line), Err(Problem::NotACronLine), "{line}");
        }
    }

    #[test]
    fn an_expression_that_never_matches_or_matches_too_often_is_rejected() {
        for line in ["30 2 31 2 *", "0 0 30 2 *", "0 0 30-31 feb *", "0 0 31 2,4,6,9,11 *"] {
            assert_eq!(check(line), Err(Problem::CronNeverMatches), "{line}");
        }
        for line in [
            "* * * * *",
            "*/5 * * * *",
            "0,30 * * * *",
            "0,30 2 * * mon",
            "10-11 3 1 1 *",
            "*/59 4 * * *",
            "59,0 * * * *",
            "* 2 31 2 *",
        ] {
            assert_eq!(check(line), Err(Problem::CronTooOften), "{line}");
        }
    }
}
