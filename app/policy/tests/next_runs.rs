//! Due times of schedules across both clock changes of two years in eight zones, compared with an independent
//! calculation by `data/next_runs.py`.
#![allow(clippy::expect_used, reason = "tests")]

use chrono::{DateTime, FixedOffset, NaiveDateTime, Offset, SubsecRound, TimeDelta, Utc};
use chrono_tz::{IANA_TZDB_VERSION, Tz};
use policy::Schedule;
use policy::schedule::{MonthDay, Weekday};
use policy::timezone::next_occurrences;
use proptest::prelude::*;
use serde::Deserialize;

/// The output of the script.
#[derive(Deserialize)]
struct Table {
    /// The version of its time zone data.
    zones: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    zone: Tz,
    schedule: Schedule,
    after: DateTime<Utc>,
    /// Instants with the offset that applies then.
    next: Vec<DateTime<FixedOffset>>,
}

#[test]
fn due_times_match_an_independent_calculation() {
    let table: Table = serde_json::from_str(include_str!("data/next_runs.json")).expect("a table");
    if table.zones != IANA_TZDB_VERSION {
        eprintln!("time zone data: {} in the table, {IANA_TZDB_VERSION} in this program", table.zones);
    }
    let mut wrong = Vec::new();
    for Case { zone, schedule, after, next } in &table.cases {
        let found = next_occurrences(schedule, *zone, *after, next.len().max(1));
        let found: Vec<DateTime<FixedOffset>> = found
            .iter()
            .map(|run| run.at.with_timezone(&run.at.with_timezone(zone).offset().fix()))
            .collect();
        let shown =
            |runs: &[DateTime<FixedOffset>]| runs.iter().map(DateTime::to_rfc3339).collect::<Vec<_>>();
        if shown(&found) != shown(next) {
            wrong.push(format!(
                "{zone} {schedule:?} after {after}: {:?}, not {:?}",
                shown(&found),
                shown(next)
            ));
        }
    }
    let all = table.cases.len();
    assert!(all > 1_000);
    assert!(wrong.is_empty(), "{} of {all} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn zone() -> impl Strategy<Value = Tz> {
    prop::sample::select(vec![
        Tz::Europe__London,
        Tz::America__Santiago,
        Tz::Australia__Lord_Howe,
        Tz::Africa__Casablanca,
        Tz::Pacific__Apia,
    ])
}

fn schedule() -> impl Strategy<Value = Schedule> {
    let time = || {
        (0..24_u32, 0..60_u32).prop_map(|(h, m)| chrono::NaiveTime::from_hms_opt(h, m, 0).expect("a time"))
    };
    prop_oneof![
        time().prop_map(|time| Schedule::Daily { time }),
        time().prop_map(|time| Schedule::Weekly { days: vec![Weekday::Sun, Weekday::Fri], time }),
        (1..=31_u8, time()).prop_map(|(day, time)| Schedule::Monthly { day: MonthDay::Day(day), time }),
        time().prop_map(|time| Schedule::Monthly { day: MonthDay::Last, time }),
        prop::sample::select(vec!["* * * * *", "*/7 1-3 * * *", "30 2 29 2 *", "0 0 1,15 * fri"])
            .prop_map(|line| Schedule::Cron { line: line.to_owned() }),
    ]
}

fn instant() -> impl Strategy<Value = DateTime<Utc>> {
    // From 2010 on: Samoa skipped a whole day at the end of 2011.
    (1_262_304_000_000_i64..2_000_000_000_000)
        .prop_map(|at| DateTime::from_timestamp_millis(at).expect("near"))
}

proptest! {
    #[test]
    fn each_due_time_follows_from_the_previous_one(zone in zone(), schedule in schedule(), after in instant()) {
        let five = next_occurrences(&schedule, zone, after, 5);
        prop_assert_eq!(five.len(), 5);
        let mut last = after;
        for run in &five {
            prop_assert!(run.at > last);
            prop_assert_eq!(&next_occurrences(&schedule, zone, last, 1)[0], run);
            // The same local time has no other run: neither a moment earlier nor again later.
            prop_assert_eq!(&next_occurrences(&schedule, zone, run.at - TimeDelta::milliseconds(1), 1)[0], run);
            last = run.at;
        }
    }

    #[test]
    fn a_one_time_schedule_is_due_once_at_the_first_moment_of_its_local_time(zone in zone(), after in instant()) {
        let at: NaiveDateTime = after.with_timezone(&zone).naive_local().trunc_subsecs(0);
        let runs = next_occurrences(&Schedule::Once { at }, zone, after - TimeDelta::days(2), 5);
        prop_assert_eq!(runs.len(), 1);
        prop_assert_eq!(runs[0].at.with_timezone(&zone).naive_local(), at);
        prop_assert!(runs[0].at <= after);
        let again = next_occurrences(&Schedule::Once { at }, zone, after, 5);
        prop_assert!(again.is_empty());
    }
}
