//! Computes when a schedule is due: local times of an IANA zone as instants. Native only.
//!
//! Two rules apply to a clock change. A time that doesn't exist is due at the first moment after the gap. A time
//! that occurs twice is due once, at its first occurrence.

use crate::dates;
use crate::schedule::{MonthDay, Schedule, Weekday};
use chrono::{
    DateTime, Datelike, Duration, MappedLocalTime, NaiveDate, NaiveDateTime, Offset, TimeZone, Timelike, Utc,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::str::FromStr as _;

/// A time at which a task will start.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Occurrence {
    /// The instant.
    pub at: DateTime<Utc>,
    /// Formatted as on the page: `Sun 29 Mar 2026 03:00 BST (+01:00)`.
    pub shown: String,
    /// The effect of a clock change on it, as text.
    pub note: Option<String>,
}

/// Returns the next due times of a schedule, strictly after `after`.
pub fn next_occurrences(
    schedule: &Schedule,
    zone: Tz,
    after: DateTime<Utc>,
    count: usize,
) -> Vec<Occurrence> {
    times(schedule, zone, after).take(count).map(|(_, wall)| at_wall_time(zone, wall)).collect()
}

/// Returns an endless iterator over the due times of a schedule, strictly after `after`.
pub fn instants(
    schedule: &Schedule,
    zone: Tz,
    after: DateTime<Utc>,
) -> impl Iterator<Item = DateTime<Utc>> + use<'_> {
    times(schedule, zone, after).map(|(at, _)| at)
}

/// Formats a due time, with the effect of a clock change if it is still a due time of the schedule.
pub fn occurrence(schedule: &Schedule, zone: Tz, at: DateTime<Utc>) -> Occurrence {
    next_occurrences(schedule, zone, at - Duration::milliseconds(1), 1)
        .into_iter()
        .find(|next| next.at == at)
        .unwrap_or_else(|| Occurrence { at, shown: shown(&at.with_timezone(&zone)), note: None })
}

/// Returns each due time with its local time.
fn times(
    schedule: &Schedule,
    zone: Tz,
    after: DateTime<Utc>,
) -> impl Iterator<Item = (DateTime<Utc>, NaiveDateTime)> + use<'_> {
    // The instant of a local time is the first at which clocks show it or a later time. So it isn't after `after`
    // if clocks have shown that local time by then.
    let mut wall = after.with_timezone(&zone).naive_local();
    let mut last = after;
    std::iter::from_fn(move || {
        loop {
            wall = next_wall_time(schedule, wall)?;
            let (at, _) = instant(zone, wall);
            // All local times in a gap are due once, at its end.
            if at > last {
                last = at.to_utc();
                return Some((last, wall));
            }
        }
    })
}

/// Returns the first local time of a schedule strictly after `after`.
fn next_wall_time(schedule: &Schedule, after: NaiveDateTime) -> Option<NaiveDateTime> {
    let days = || (0..=366 * 4).filter_map(|n| after.date().checked_add_signed(Duration::days(n)));
    let first = |time, fits: &dyn Fn(NaiveDate) -> bool| {
        days().filter(|day| fits(*day)).map(|day: NaiveDate| day.and_time(time)).find(|wall| *wall > after)
    };
    match schedule {
        Schedule::ManualOnly => None,
        Schedule::Once { at } => (*at > after).then_some(*at),
        Schedule::Daily { time } => first(*time, &|_| true),
        Schedule::Weekly { days, time } => first(*time, &|day| days.contains(&weekday(day))),
        Schedule::Monthly { day: MonthDay::Day(n), time } => first(*time, &|day| day.day() == u32::from(*n)),
        Schedule::Monthly { day: MonthDay::Last, time } => {
            first(*time, &|day| day.succ_opt().is_none_or(|next| next.month() != day.month()))
        }
        Schedule::Cron { line } => croner::Cron::from_str(line)
            .ok()?
            .find_next_occurrence(&after.and_utc(), false)
            .ok()
            .map(|next| next.naive_utc()),
    }
}

fn weekday(day: NaiveDate) -> Weekday {
    Weekday::ALL[day.weekday().num_days_from_monday() as usize]
}

/// The effect of a clock change on a local time.
enum Change {
    None,
    Twice,
    Gap,
}

/// Returns the instant of a local time by the two rules above.
fn instant(zone: Tz, wall: NaiveDateTime) -> (DateTime<Tz>, Change) {
    match zone.from_local_datetime(&wall) {
        MappedLocalTime::Single(at) => (at, Change::None),
        MappedLocalTime::Ambiguous(first, _) => (first, Change::Twice),
        MappedLocalTime::None => (after_gap(zone, wall), Change::Gap),
    }
}

/// Returns the instant of a local time by the two rules above, with its formatted text.
pub fn at_wall_time(zone: Tz, wall: NaiveDateTime) -> Occurrence {
    let (at, change) = instant(zone, wall);
    let note = match change {
        Change::None => None,
        Change::Twice => {
            Some("clock change: this time occurs twice; the task runs once, the first time".to_owned())
        }
        Change::Gap => Some(format!(
            "clock change: {} does not exist on this day; the task runs at {}",
            wall.format("%H:%M"),
            at.format("%H:%M")
        )),
    };
    Occurrence { at: at.to_utc(), shown: shown(&at), note }
}

fn shown(at: &DateTime<Tz>) -> String {
    format!(
        "{} {} {} {} ({})",
        at.format("%a"),
        dates::shown(at.date_naive()),
        at.format("%H:%M"),
        at.format("%Z"),
        at.offset().fix()
    )
}

/// Returns the first moment after the gap that contains a local time. Gaps start and end on whole minutes.
fn after_gap(zone: Tz, wall: NaiveDateTime) -> DateTime<Tz> {
    let minute = wall.with_second(0).and_then(|wall| wall.with_nanosecond(0)).unwrap_or(wall);
    (1..=2 * 24 * 60)
        .find_map(|minutes| zone.from_local_datetime(&(minute + Duration::minutes(minutes))).earliest())
        .unwrap_or_else(|| zone.from_utc_datetime(&wall))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Problem;
    use chrono::NaiveTime;

    fn wall(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").expect("a wall time")
    }

    fn utc(text: &str) -> DateTime<Utc> {
        wall(text).and_utc()
    }

    fn shown(schedule: &Schedule, zone: Tz, after: &str, count: usize) -> Vec<String> {
        next_occurrences(schedule, zone, utc(after), count).into_iter().map(|next| next.shown).collect()
    }

    #[test]
    fn a_time_in_a_gap_is_due_at_its_end_with_a_note() {
        let daily = Schedule::Daily { time: NaiveTime::from_hms_opt(1, 30, 0).expect("a time") };
        let next = next_occurrences(&daily, Tz::Europe__London, utc("2026-03-28 12:00"), 2);
        assert_eq!(next[0].shown, "Sun 29 Mar 2026 02:00 BST (+01:00)");
        assert!(next[0].note.as_ref().is_some_and(|note| note.contains("01:30 does not exist")));
        assert_eq!(next[1].shown, "Mon 30 Mar 2026 01:30 BST (+01:00)");
    }

    #[test]
    fn a_time_that_occurs_twice_is_due_at_its_first_occurrence() {
        let daily = Schedule::Daily { time: NaiveTime::from_hms_opt(1, 30, 0).expect("a time") };
        assert_eq!(
            shown(&daily, Tz::Europe__London, "2026-10-24 12:00", 2),
            ["Sun 25 Oct 2026 01:30 BST (+01:00)", "Mon 26 Oct 2026 01:30 GMT (+00:00)"]
        );
    }

    #[test]
    fn days_of_week_and_month() {
        let time = NaiveTime::from_hms_opt(2, 0, 0).expect("a time");
        let weekly = Schedule::Weekly { days: vec![Weekday::Mon, Weekday::Fri], time };
        assert_eq!(
            shown(&weekly, Tz::UTC, "2026-11-24 00:00", 3),
            [
                "Fri 27 Nov 2026 02:00 UTC (+00:00)",
                "Mon 30 Nov 2026 02:00 UTC (+00:00)",
                "Fri 4 Dec 2026 02:00 UTC (+00:00)"
            ]
        );
        let last = Schedule::Monthly { day: MonthDay::Last, time };
        assert_eq!(
            shown(&last, Tz::UTC, "2028-01-31 02:00", 2),
            ["Tue 29 Feb 2028 02:00 UTC (+00:00)", "Fri 31 Mar 2028 02:00 UTC (+00:00)"]
        );
        let thirty_first = Schedule::Monthly { day: MonthDay::Day(31), time };
        assert_eq!(
            shown(&thirty_first, Tz::UTC, "2026-02-01 00:00", 2)[1],
            "Sun 31 May 2026 02:00 UTC (+00:00)"
        );
    }

    #[test]
    fn a_one_time_date_in_the_past_is_never_due() {
        let once = Schedule::Once { at: wall("2001-01-01 02:00") };
        assert!(next_occurrences(&once, Tz::UTC, utc("2026-11-24 00:00"), 5).is_empty());
        assert!(next_occurrences(&Schedule::ManualOnly, Tz::UTC, utc("2026-11-24 00:00"), 5).is_empty());
    }

    #[test]
    fn croner_parses_every_expression_that_the_form_accepts() {
        for line in [
            "30 2 * * mon",
            "15 0-6 1,15 jan-jun 1-5",
            "0 0 * * 7",
            "59 23 31 12 0",
            "0 4 * * *",
            "0 0 29 2 *",
            "0 0 31 2 mon",
            "0 0 31 */2 *",
        ] {
            assert_eq!(crate::cron::check(line), Ok(()), "{line}");
            let cron = Schedule::Cron { line: line.to_owned() };
            assert_eq!(next_occurrences(&cron, Tz::UTC, utc("2026-11-24 00:00"), 5).len(), 5, "{line}");
        }
    }

    /// The form's check of an expression must agree with the library's times.
    #[test]
    fn the_form_agrees_with_croner_on_rejected_expressions() {
        let after = utc("2026-11-24 00:00");
        let minutes = ["0", "7,7", "59", "*/30", "0,30", "5-6"];
        let days = ["*", "31", "30,31", "29", "*/31", "1-31/15"];
        let months = ["*", "2", "feb", "2,4", "apr-jun/2", "*/12"];
        let weekdays = ["*", "mon", "0,7", "*/2"];
        for (minute, day) in minutes.iter().flat_map(|minute| days.map(|day| (minute, day))) {
            for (month, weekday) in months.iter().flat_map(|month| weekdays.map(|weekday| (month, weekday))) {
                let line = format!("{minute} * {day} {month} {weekday}");
                let cron = Schedule::Cron { line: line.clone() };
                let next: Vec<_> =
                    next_occurrences(&cron, Tz::UTC, after, 3).iter().map(|next| next.at).collect();
                let too_often = next.windows(2).any(|pair| pair[1] - pair[0] < Duration::hours(1));
                let comes_often = minute.contains(['*', '-']) || *minute == "0,30";
                match crate::cron::check(&line) {
                    Ok(()) => assert!(next.len() == 3 && !too_often, "{line}"),
                    Err(Problem::CronNeverMatches) => assert!(next.is_empty(), "{line}"),
                    Err(Problem::CronTooOften) => {
                        assert!(comes_often && (next.is_empty() || too_often), "{line}");
                    }
                    Err(other) => panic!("{line}: {other}"),
                }
            }
        }
    }
}
