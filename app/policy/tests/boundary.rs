//! Which users are eligible on which day: one table of cases, run natively and in WebAssembly.
#![allow(clippy::expect_used, reason = "tests")]

use chrono::NaiveDate;
use policy::reason::Blockers;
use policy::{Blocker, Conditions, Days, Policy, Reason, RunMode, Scope, UserFacts, Verdict, assess};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Number of days in the conditions of this table.
const N: u32 = 5;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn january(number: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2018, 1, number).expect("a day of January")
}

/// Returns a user whose three dates are all 15 January 2018, without exclusions and blockers.
fn left_on_the_15th() -> UserFacts {
    UserFacts {
        anonymised: false,
        staff: false,
        fictitious: false,
        imported: true,
        created_on: Some(day("2010-10-01")),
        leaving_on: Some(january(15)),
        last_activity_on: Some(january(15)),
        marked_on: Some(january(15)),
        kept_since: None,
        blockers: Blockers::NONE,
    }
}

fn set(leaving: bool, activity: bool, marked: bool) -> Conditions {
    let days = |set: bool| set.then(|| Days::new(N)).flatten();
    Conditions { leaving: days(leaving), activity: days(activity), marked: days(marked) }
}

fn by(conditions: Conditions) -> Policy {
    Policy { conditions, scope: Scope::All, ..Policy::default() }
}

#[test]
fn day_20_is_too_early_and_day_21_is_not() {
    let conditions = [
        ("leaving", set(true, false, false)),
        ("activity", set(false, true, false)),
        ("marked", set(false, false, true)),
    ];
    let days = [
        (15, Verdict::NotYetUntil(january(21))),
        (19, Verdict::NotYetUntil(january(21))),
        (20, Verdict::NotYetUntil(january(21))),
        (21, Verdict::Eligible),
        (22, Verdict::Eligible),
    ];
    for (name, conditions) in conditions {
        for (today, expected) in days {
            let verdict = assess(&left_on_the_15th(), &by(conditions), january(today), RunMode::Bulk);
            assert_eq!(verdict, expected, "{name} on {today} January");
        }
    }
}

#[test]
fn minimum_and_maximum_days_follow_the_same_rule() {
    for (days, last_too_early, first) in [
        (0, "2018-01-15", "2018-01-16"),
        (1, "2018-01-16", "2018-01-17"),
        (16, "2018-01-31", "2018-02-01"),
        (45, "2018-03-01", "2018-03-02"),
        (Days::MAX, "2117-12-22", "2117-12-23"),
    ] {
        let policy = by(Conditions { leaving: Days::new(days), ..Conditions::default() });
        let on = |today: &str| assess(&left_on_the_15th(), &policy, day(today), RunMode::Bulk);
        assert_eq!(on(last_too_early), Verdict::NotYetUntil(day(first)), "{days} days");
        assert_eq!(on(first), Verdict::Eligible, "{days} days");
    }
}

/// The possible states of a condition for a user.
const STATES: [(char, &str); 4] = [('-', "unset"), ('m', "met"), ('n', "not met"), ('?', "no date")];

/// The verdict for every state of the three conditions. Each state of the leaving date, in the order of [`STATES`], has
/// one line for each state of *marked*. A line has one letter for each state of *activity*.
///
/// E eligible, W the days have not passed, L no leaving date. M not marked, A no activity and no creation date, 0 the
/// policy has no conditions.
const VERDICTS: [[&str; 4]; 4] = [
    ["0EWA", "EEWA", "WWWA", "MMMM"],
    ["EEWA", "EEWA", "WWWA", "MMMM"],
    ["WWWA", "WWWA", "WWWA", "MMMM"],
    ["LLLL", "LLLL", "LLLL", "LLLL"],
];

#[test]
fn all_states_of_the_three_conditions_have_the_expected_verdict() {
    let today = january(21);
    let date = |state: char| match state {
        'm' => Some(january(15)),
        'n' => Some(january(16)),
        // The date of an unset condition must be ignored: it would not meet the condition.
        '-' => Some(january(20)),
        _ => None,
    };
    for (row, (leaving, leaving_state)) in STATES.into_iter().enumerate() {
        for (line, (marked, marked_state)) in STATES.into_iter().enumerate() {
            for (place, (activity, activity_state)) in STATES.into_iter().enumerate() {
                let facts = UserFacts {
                    leaving_on: date(leaving),
                    marked_on: date(marked),
                    last_activity_on: date(activity),
                    created_on: None,
                    ..left_on_the_15th()
                };
                let policy = by(set(leaving != '-', activity != '-', marked != '-'));
                let expected = match VERDICTS[row][line].as_bytes()[place] {
                    b'E' => Verdict::Eligible,
                    b'W' => Verdict::NotYetUntil(january(22)),
                    b'L' => Verdict::NotYet(Reason::NoLeavingDate),
                    b'M' => Verdict::NotYet(Reason::NotMarked),
                    b'A' => Verdict::NotYet(Reason::NoActivityDate),
                    _ => Verdict::NotYet(Reason::NoConditions),
                };
                assert_eq!(
                    assess(&facts, &policy, today, RunMode::Bulk),
                    expected,
                    "leaving {leaving_state}, marked {marked_state}, activity {activity_state}"
                );
            }
        }
    }
}

#[test]
fn a_policy_without_conditions_never_selects_a_user() {
    for scope in Scope::ALL {
        let policy = Policy { scope, ..Policy::default() };
        for imported in [true, false] {
            let facts = UserFacts { imported, ..left_on_the_15th() };
            for today in ["1900-01-01", "2018-01-21", "2100-12-31"] {
                assert_ne!(assess(&facts, &policy, day(today), RunMode::Bulk), Verdict::Eligible);
            }
        }
    }
}

#[test]
fn inactivity_counts_from_the_later_of_activity_and_creation() {
    let policy = by(set(false, true, false));
    for (created, last_activity, expected) in [
        (Some(january(15)), None, Verdict::Eligible),
        (Some(january(16)), None, Verdict::NotYetUntil(january(22))),
        (Some(january(1)), Some(january(16)), Verdict::NotYetUntil(january(22))),
        // A record that was created after the activity of an earlier one is new.
        (Some(january(20)), Some(january(15)), Verdict::NotYetUntil(january(26))),
        (None, None, Verdict::NotYet(Reason::NoActivityDate)),
    ] {
        let facts = UserFacts { created_on: created, last_activity_on: last_activity, ..left_on_the_15th() };
        let verdict = assess(&facts, &policy, january(21), RunMode::Bulk);
        assert_eq!(verdict, expected, "created {created:?}, active {last_activity:?}");
    }
}

/// A fact about a user who would be eligible otherwise, with the verdicts in bulk and for a single user.
type Fact = (&'static str, fn(&mut UserFacts), Verdict, Verdict);

fn blocked(blockers: &[Blocker]) -> Verdict {
    Verdict::Blocked(blockers.iter().fold(Blockers::NONE, |set, blocker| set.with(*blocker, true)))
}

#[test]
fn exclusions_and_blockers_apply_in_order() {
    const E: Verdict = Verdict::Eligible;
    const STAFF: Verdict = Verdict::Excluded(Reason::Staff);
    const FICTITIOUS: Verdict = Verdict::Excluded(Reason::Fictitious);
    const DONE: Verdict = Verdict::AlreadyAnonymised;
    let outside = Verdict::Excluded(Reason::OutsideScope);
    let cases: [Fact; 16] = [
        ("nothing", |_| {}, E, E),
        ("anonymised", |f| f.anonymised = true, DONE, DONE),
        ("staff", |f| f.staff = true, STAFF, STAFF),
        ("fictitious", |f| f.fictitious = true, FICTITIOUS, FICTITIOUS),
        ("not imported", |f| f.imported = false, outside, E),
        (
            "active yesterday, without a condition on activity",
            |f| f.last_activity_on = Some(january(20)),
            E,
            E,
        ),
        ("left yesterday", |f| f.leaving_on = Some(january(20)), Verdict::NotYetUntil(january(26)), E),
        ("never left", |f| f.leaving_on = None, Verdict::NotYet(Reason::NoLeavingDate), E),
        (
            "open loan",
            |f| f.blockers = Blockers::NONE.with(Blocker::OpenLoan, true),
            blocked(&[Blocker::OpenLoan]),
            blocked(&[Blocker::OpenLoan]),
        ),
        (
            "all blockers",
            |f| f.blockers = Blockers::from_bits(u8::MAX),
            blocked(&Blocker::ALL),
            blocked(&Blocker::ALL),
        ),
        ("anonymised before staff", |f| (f.anonymised, f.staff) = (true, true), DONE, DONE),
        ("staff before fictitious", |f| (f.staff, f.fictitious) = (true, true), STAFF, STAFF),
        ("fictitious before scope", |f| (f.fictitious, f.imported) = (true, false), FICTITIOUS, FICTITIOUS),
        ("scope before conditions", |f| (f.imported, f.leaving_on) = (false, None), outside, E),
        (
            "conditions before blockers",
            |f| (f.leaving_on, f.blockers) = (None, Blockers::NONE.with(Blocker::LegalHold, true)),
            Verdict::NotYet(Reason::NoLeavingDate),
            blocked(&[Blocker::LegalHold]),
        ),
        (
            "staff with a blocker",
            |f| (f.staff, f.blockers) = (true, Blockers::NONE.with(Blocker::OpenLoan, true)),
            STAFF,
            STAFF,
        ),
    ];
    let policy = Policy { scope: Scope::Imported, ..by(set(true, false, false)) };
    for (name, change, bulk, single) in cases {
        let mut facts = left_on_the_15th();
        change(&mut facts);
        assert_eq!(assess(&facts, &policy, january(21), RunMode::Bulk), bulk, "{name}, bulk");
        assert_eq!(assess(&facts, &policy, january(21), RunMode::Single), single, "{name}, by hand");
    }
}

#[test]
fn every_blocker_alone_blocks_bulk_and_single_alike() {
    for blocker in Blocker::ALL {
        let facts = UserFacts { blockers: Blockers::NONE.with(blocker, true), ..left_on_the_15th() };
        for mode in [RunMode::Bulk, RunMode::Single] {
            let verdict = assess(&facts, &by(set(true, false, false)), january(21), mode);
            assert_eq!(verdict, blocked(&[blocker]));
            assert_eq!(verdict.reason(), Reason::from(blocker));
        }
    }
}

#[test]
fn the_scope_selects_imported_or_other_users() {
    for (scope, imported, others) in
        [(Scope::Imported, true, false), (Scope::NotImported, false, true), (Scope::All, true, true)]
    {
        let policy = Policy { scope, ..by(set(true, false, false)) };
        for (is_imported, inside) in [(true, imported), (false, others)] {
            let facts = UserFacts { imported: is_imported, ..left_on_the_15th() };
            let eligible = assess(&facts, &policy, january(21), RunMode::Bulk) == Verdict::Eligible;
            assert_eq!(eligible, inside, "{scope:?}, imported: {is_imported}");
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use super::*;
    use chrono::Duration;
    use proptest::option;
    use proptest::prelude::*;

    fn date() -> impl Strategy<Value = NaiveDate> {
        (0..1_500_i64).prop_map(|days| day("2015-01-01") + Duration::days(days))
    }

    fn days() -> impl Strategy<Value = Option<Days>> {
        option::of((0..=400_u32).prop_map(|days| Days::new(days).expect("in range")))
    }

    fn facts() -> impl Strategy<Value = UserFacts> {
        let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
        let dates = (
            option::of(date()),
            option::of(date()),
            option::of(date()),
            option::of(date()),
            option::of(date()),
        );
        (flags, dates, prop_oneof![Just(0), any::<u8>()]).prop_map(|(flags, dates, bits)| UserFacts {
            anonymised: flags.0,
            staff: flags.1,
            fictitious: flags.2,
            imported: flags.3,
            created_on: dates.0,
            leaving_on: dates.1,
            last_activity_on: dates.2,
            marked_on: dates.3,
            kept_since: dates.4,
            blockers: Blockers::from_bits(bits),
        })
    }

    fn a_policy() -> impl Strategy<Value = Policy> {
        (days(), days(), days(), prop::sample::select(Scope::ALL.to_vec())).prop_map(
            |(leaving, activity, marked, scope)| Policy {
                scope,
                conditions: Conditions { leaving, activity, marked },
                ..Policy::default()
            },
        )
    }

    proptest! {
        #[test]
        fn excluded_and_blocked_users_are_never_eligible(
            facts in facts(), policy in a_policy(), today in date(), single in any::<bool>(),
        ) {
            let mode = if single { RunMode::Single } else { RunMode::Bulk };
            let verdict = assess(&facts, &policy, today, mode);
            if facts.anonymised || facts.staff || facts.fictitious || !facts.blockers.is_empty() {
                prop_assert_ne!(verdict, Verdict::Eligible);
            }
            if mode == RunMode::Bulk && policy.conditions.is_empty() {
                prop_assert_ne!(verdict, Verdict::Eligible);
            }
            prop_assert_eq!(verdict.kind() == policy::VerdictKind::Eligible, verdict == Verdict::Eligible);
        }

        #[test]
        fn eligible_means_that_the_days_of_every_condition_have_passed(
            facts in facts(), policy in a_policy(), today in date(),
        ) {
            // Half of the facts would be excluded anyway. Only the dates matter here.
            let facts = UserFacts {
                anonymised: false, staff: false, fictitious: false, blockers: Blockers::NONE, ..facts
            };
            let passed = |days: Option<Days>, date: Option<NaiveDate>| days.is_none_or(|days| {
                date.is_some_and(|date| {
                    Some(today) > Some(date).max(facts.kept_since).map(|date| date + Duration::days(i64::from(days.get())))
                })
            });
            let Conditions { leaving, activity, marked } = policy.conditions;
            let met = !policy.conditions.is_empty()
                && passed(leaving, facts.leaving_on)
                && passed(marked, facts.marked_on)
                && passed(activity, std::cmp::max(facts.last_activity_on, facts.created_on));
            let eligible = assess(&facts, &policy, today, RunMode::Bulk) == Verdict::Eligible;
            prop_assert_eq!(eligible, met && policy.scope.contains(facts.imported));
        }

        #[test]
        fn the_reported_first_day_is_exact(
            facts in facts(), policy in a_policy(), today in date(),
        ) {
            if let Verdict::NotYetUntil(first) = assess(&facts, &policy, today, RunMode::Bulk) {
                prop_assert!(first > today);
                let free = UserFacts { blockers: Blockers::NONE, ..facts };
                let before = assess(&free, &policy, first - Duration::days(1), RunMode::Bulk);
                prop_assert_eq!(before, Verdict::NotYetUntil(first));
                prop_assert_eq!(assess(&free, &policy, first, RunMode::Bulk), Verdict::Eligible);
            }
        }
    }
}
