//! Validation of the task form, and the problems that it reports. One table of cases runs natively and in WebAssembly,
//! because browser and server execute the same code.
#![allow(
    clippy::expect_used,
    clippy::assigning_clones,
    clippy::type_complexity,
    reason = "tests: a table of cases reads better with plain assignments"
)]

use chrono::NaiveDateTime;
use policy::form::Problem;
use policy::schedule::{MonthDay, Weekday};
use policy::task_form::{Notice, Tab, TaskDraft, TaskForm, validate};
use policy::{
    Days, Field, MisfirePolicy, NoteTreatment, Policy, Schedule, Scope, TaskSettings, Treatment, UserNumber,
};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn now() -> NaiveDateTime {
    "2018-01-21T12:00:00".parse().expect("a time")
}

/// Returns a valid form: five days since the leaving date, every day at half past two.
fn valid_form() -> TaskForm {
    TaskForm {
        description: "Leavers".to_owned(),
        by_leaving: true,
        leaving_days: "5".to_owned(),
        schedule: "daily".to_owned(),
        ..TaskForm::new_task()
    }
}

fn policy_of(draft: &TaskDraft) -> &Policy {
    draft.settings.policy().expect("a task that anonymises")
}

fn changed(change: impl FnOnce(&mut TaskForm)) -> TaskForm {
    let mut form = valid_form();
    change(&mut form);
    form
}

const NOT_DAYS: Problem = Problem::NotDays { min: 0, max: 36_500 };

/// A change that makes the valid form invalid, the field with the problem, the problem, and its tab.
type Invalid = (&'static str, fn(&mut TaskForm), &'static str, Problem, Tab);

fn invalid_texts() -> Vec<Invalid> {
    let long = Problem::TooLong { max: 200 };
    let control = Problem::ControlCharacter;
    vec![
        (
            "no description",
            |f| f.description = String::new(),
            "description",
            Problem::required("a description"),
            Tab::General,
        ),
        (
            "blank description",
            |f| f.description = " \t ".to_owned(),
            "description",
            Problem::required("a description"),
            Tab::General,
        ),
        ("201 characters", |f| f.description = "ä".repeat(201), "description", long.clone(), Tab::General),
        ("1 MB", |f| f.description = "x".repeat(1_048_576), "description", long, Tab::General),
        ("NUL", |f| f.description = "a\0b".to_owned(), "description", control.clone(), Tab::General),
        (
            "escape",
            |f| f.description = "\u{1b}[31mred".to_owned(),
            "description",
            control.clone(),
            Tab::General,
        ),
        ("line break", |f| f.description = "a\nb".to_owned(), "description", control.clone(), Tab::General),
        (
            "right to left",
            |f| f.description = "a\u{202E}b".to_owned(),
            "description",
            control.clone(),
            Tab::General,
        ),
        (
            "isolate",
            |f| f.description = "a\u{2066}b".to_owned(),
            "description",
            control.clone(),
            Tab::General,
        ),
        ("no width", |f| f.description = "a\u{200B}b".to_owned(), "description", control, Tab::General),
    ]
}

fn invalid_choices() -> Vec<Invalid> {
    use Problem::{NotAUserNumber, UnknownChoice};
    vec![
        ("visibility", |f| f.visibility = "public".to_owned(), "visibility", UnknownChoice, Tab::General),
        ("no visibility", |f| f.visibility = String::new(), "visibility", UnknownChoice, Tab::General),
        ("owner by name", |f| f.owner = "me".to_owned(), "owner", NotAUserNumber, Tab::General),
        ("owner 0", |f| f.owner = "0".to_owned(), "owner", NotAUserNumber, Tab::General),
        ("owner -1", |f| f.owner = "-1".to_owned(), "owner", NotAUserNumber, Tab::General),
        ("owner beyond", |f| f.owner = "9".repeat(30), "owner", NotAUserNumber, Tab::General),
        (
            "category",
            |f| f.category = "backup".to_owned(),
            "category",
            Problem::not_chosen("a category"),
            Tab::Settings,
        ),
        (
            "task type",
            |f| f.task_type = "drop".to_owned(),
            "task_type",
            Problem::not_chosen("a task type"),
            Tab::Settings,
        ),
        ("scope", |f| f.scope = "everyone".to_owned(), "scope", UnknownChoice, Tab::Settings),
        (
            "circulation notes",
            |f| f.circulation_notes = "keep".to_owned(),
            "circulation_notes",
            UnknownChoice,
            Tab::Settings,
        ),
        (
            "unknown treatment",
            |f| _ = f.fields.insert("phone".to_owned(), "hash".to_owned()),
            "fields.phone",
            UnknownChoice,
            Tab::Settings,
        ),
        (
            "treatment of another field",
            |f| _ = f.fields.insert("phone".to_owned(), "decade".to_owned()),
            "fields.phone",
            UnknownChoice,
            Tab::Settings,
        ),
        (
            "field that is always removed",
            |f| _ = f.fields.insert("last_name".to_owned(), "keep".to_owned()),
            "fields",
            UnknownChoice,
            Tab::Settings,
        ),
        (
            "custom field",
            |f| _ = f.custom.insert("shoe_size".to_owned(), "round".to_owned()),
            "custom.shoe_size",
            UnknownChoice,
            Tab::Settings,
        ),
        ("missed", |f| f.missed = "twice".to_owned(), "missed", UnknownChoice, Tab::Schedule),
        ("no rule for missed runs", |f| f.missed = String::new(), "missed", UnknownChoice, Tab::Schedule),
        ("schedule", |f| f.schedule = "hourly".to_owned(), "schedule", UnknownChoice, Tab::Schedule),
    ]
}

fn invalid_conditions() -> Vec<Invalid> {
    vec![
        (
            "no condition",
            |f| (f.by_leaving, f.leaving_days) = (false, String::new()),
            "conditions",
            Problem::NoCondition,
            Tab::Settings,
        ),
        (
            "a number without a tick",
            |f| f.activity_days = "730".to_owned(),
            "activity_days",
            Problem::ConditionNotTicked,
            Tab::Settings,
        ),
        (
            "words without a tick",
            |f| f.marked_days = "not a number".to_owned(),
            "marked_days",
            Problem::ConditionNotTicked,
            Tab::Settings,
        ),
        ("blank days", |f| f.leaving_days = String::new(), "leaving_days", NOT_DAYS, Tab::Settings),
        ("36,501 days", |f| f.leaving_days = "36501".to_owned(), "leaving_days", NOT_DAYS, Tab::Settings),
        ("grouped days", |f| f.leaving_days = "1,000".to_owned(), "leaving_days", NOT_DAYS, Tab::Settings),
        ("negative days", |f| f.leaving_days = "-1".to_owned(), "leaving_days", NOT_DAYS, Tab::Settings),
        ("half days", |f| f.leaving_days = "0.5".to_owned(), "leaving_days", NOT_DAYS, Tab::Settings),
        ("days as a word", |f| f.leaving_days = "five".to_owned(), "leaving_days", NOT_DAYS, Tab::Settings),
        ("other digits", |f| f.leaving_days = "٥".to_owned(), "leaving_days", NOT_DAYS, Tab::Settings),
        (
            "activity",
            |f| (f.by_activity, f.activity_days) = (true, "x".to_owned()),
            "activity_days",
            NOT_DAYS,
            Tab::Settings,
        ),
        (
            "marked",
            |f| (f.by_marked, f.marked_days) = (true, "1 MB".repeat(262_144)),
            "marked_days",
            NOT_DAYS,
            Tab::Settings,
        ),
    ]
}

fn once(form: &mut TaskForm, date: &str) {
    (form.schedule, form.once_date) = ("once".to_owned(), date.to_owned());
}

fn monthly(form: &mut TaskForm, day: &str) {
    (form.schedule, form.month_day) = ("monthly".to_owned(), day.to_owned());
}

fn cron(form: &mut TaskForm, line: &str) {
    (form.schedule, form.cron) = ("cron".to_owned(), line.to_owned());
}

fn invalid_schedules() -> Vec<Invalid> {
    use Problem::{
        CronNeverMatches, CronTooOften, DateOutOfRange, NoWeekday, NotACronLine, NotADate, NotATime,
        OtherSchedule, UnknownChoice,
    };
    let tab = Tab::Schedule;
    vec![
        ("no time", |f| f.time = String::new(), "time", NotATime, tab),
        ("25 hours", |f| f.time = "25:00".to_owned(), "time", NotATime, tab),
        ("no date", |f| once(f, ""), "once_date", NotADate, tab),
        ("30 February", |f| once(f, "2018-02-30"), "once_date", NotADate, tab),
        ("1899", |f| once(f, "1899-12-31"), "once_date", DateOutOfRange, tab),
        ("2101", |f| once(f, "2101-01-01"), "once_date", DateOutOfRange, tab),
        ("no weekday", |f| f.schedule = "weekly".to_owned(), "weekdays", NoWeekday, tab),
        (
            "all weekdays unticked",
            |f| {
                f.schedule = "weekly".to_owned();
                f.weekdays.insert("mon".to_owned(), false);
            },
            "weekdays",
            NoWeekday,
            tab,
        ),
        ("day 0", |f| monthly(f, "0"), "month_day", UnknownChoice, tab),
        ("day 32", |f| monthly(f, "32"), "month_day", UnknownChoice, tab),
        ("no day", |f| monthly(f, ""), "month_day", UnknownChoice, tab),
        ("first", |f| monthly(f, "first"), "month_day", UnknownChoice, tab),
        ("no line", |f| cron(f, ""), "cron", NotACronLine, tab),
        ("four fields", |f| cron(f, "* * * *"), "cron", NotACronLine, tab),
        ("six fields", |f| cron(f, "0 * * * * *"), "cron", NotACronLine, tab),
        ("minute 60", |f| cron(f, "60 * * * *"), "cron", NotACronLine, tab),
        ("a macro", |f| cron(f, "@daily"), "cron", NotACronLine, tab),
        ("two lines", |f| cron(f, "0 2 * *\nmon; rm"), "cron", NotACronLine, tab),
        ("31 February", |f| cron(f, "30 2 31 2 *"), "cron", CronNeverMatches, tab),
        ("every minute", |f| cron(f, "* * * * *"), "cron", CronTooOften, tab),
        ("twice an hour", |f| cron(f, "0,30 * * * *"), "cron", CronTooOften, tab),
        ("date of another kind", |f| f.once_date = "22 Jan 2018".to_owned(), "once_date", OtherSchedule, tab),
        ("line of another kind", |f| f.cron = "nonsense".to_owned(), "cron", OtherSchedule, tab),
        ("day of another kind", |f| f.month_day = "31".to_owned(), "month_day", OtherSchedule, tab),
        (
            "weekday of another kind",
            |f| _ = f.weekdays.insert("mon".to_owned(), true),
            "weekdays",
            OtherSchedule,
            tab,
        ),
        (
            "time of another kind",
            |f| (f.schedule, f.time) = ("manual".to_owned(), "05:00".to_owned()),
            "time",
            OtherSchedule,
            tab,
        ),
        (
            "an unknown weekday",
            |f| _ = f.weekdays.insert("moon".to_owned(), false),
            "weekdays",
            UnknownChoice,
            tab,
        ),
    ]
}

#[test]
fn each_invalid_field_reports_its_problem() {
    let cases = [invalid_texts(), invalid_choices(), invalid_conditions(), invalid_schedules()].concat();
    for (name, change, field, problem, tab) in cases {
        let errors = validate(&changed(change), now()).expect_err(name);
        let found: Vec<_> = errors.0.iter().map(|error| (error.field.as_str(), &error.problem)).collect();
        assert_eq!(found, [(field, &problem)], "{name}");
        assert_eq!(Tab::for_field(field), tab, "{name}");
        assert!(!problem.to_string().is_empty());
    }
}

#[test]
fn all_problems_are_reported_at_once() {
    let fields = |form: &TaskForm| {
        let errors = validate(form, now()).expect_err("an empty form");
        errors.0.into_iter().map(|error| error.field).collect::<Vec<_>>()
    };
    let form = TaskForm { schedule: "weekly".to_owned(), by_marked: true, ..TaskForm::default() };
    let general = ["description", "visibility", "category", "task_type", "time", "weekdays", "missed"];
    assert_eq!(fields(&form), general, "without a task type its settings are unknown");
    let TaskForm { category, task_type, .. } = TaskForm::new_task();
    assert_eq!(
        fields(&TaskForm { category, task_type, ..form }),
        [
            "description",
            "visibility",
            "scope",
            "marked_days",
            "circulation_notes",
            "time",
            "weekdays",
            "missed"
        ]
    );
}

#[test]
fn an_edited_task_is_identified_by_id_and_version() {
    let draft = validate(&changed(|f| (f.id, f.version) = ("7".to_owned(), "3".to_owned())), now());
    assert_eq!(draft.expect("a valid form").edited, Some((7, 3)));
    for (id, version) in [("7", ""), ("", "3"), ("seven", "3"), ("7", "9999999999")] {
        let form = changed(|f| (f.id, f.version) = (id.to_owned(), version.to_owned()));
        assert!(
            validate(&form, now()).expect_err("an incomplete identity").message("id").is_some(),
            "{id:?} {version:?}"
        );
    }
}

/// Days as entered, and their values.
const DAYS: [(&str, u32); 5] = [("0", 0), (" 5 ", 5), ("007", 7), ("36499", 36_499), ("36500", 36_500)];

#[test]
fn days_from_0_to_36500_are_accepted() {
    for (typed, days) in DAYS {
        let draft = validate(&changed(|f| typed.clone_into(&mut f.leaving_days)), now()).expect(typed);
        assert_eq!(policy_of(&draft).conditions.leaving, Days::new(days));
        assert_eq!(policy_of(&draft).conditions.activity, None);
    }
}

/// The browser hides the fields of other kinds of schedule, and doesn't post them.
#[test]
fn hidden_fields_are_not_posted() {
    let form = changed(|f| {
        "1899".clone_into(&mut f.once_date);
        "nonsense".clone_into(&mut f.cron);
        "31".clone_into(&mut f.month_day);
        f.weekdays.insert("mon".to_owned(), true);
    });
    assert_eq!(validate(&form, now()).expect_err("all hidden fields are filled").0.len(), 4);
    assert_eq!(validate(&form.with_shown_fields(), now()), validate(&valid_form(), now()));
}

#[test]
fn a_task_without_conditions_must_be_manual_only() {
    let manual = changed(|f| {
        (f.by_leaving, f.leaving_days, f.schedule) = (false, String::new(), "manual".to_owned());
    });
    let draft = validate(&manual, now()).expect("a task for single users");
    assert!(policy_of(&draft).conditions.is_empty() && draft.schedule.is_manual_only());
    for kind in ["once", "daily", "weekly", "monthly", "cron"] {
        let form = changed(|f| {
            (f.by_leaving, f.leaving_days) = (false, String::new());
            kind.clone_into(&mut f.schedule);
            "2018-01-22".clone_into(&mut f.once_date);
            "0 2 * * *".clone_into(&mut f.cron);
            f.weekdays.insert("mon".to_owned(), true);
        });
        let form = form.with_shown_fields();
        let errors = validate(&form, now()).expect_err(kind);
        assert_eq!(errors.0.len(), 1, "{kind}");
        assert!(errors.message("conditions").is_some(), "{kind}");
    }
}

/// Date and time of a one-time run, and whether it is still in the future on 21 January 2018 at noon.
const ONCE: [(&str, &str, bool); 8] = [
    ("1900-01-01", "02:30", false),
    ("2018-01-20", "23:59", false),
    ("2018-01-21", "11:59", false),
    ("2018-01-21", "12:00", false),
    ("2018-01-21", "12:01", true),
    ("22 Jan 2018", "00:00", true),
    ("2100-12-31", "23:59", true),
    ("2018-02-28", "02:30", true),
];

#[test]
fn a_one_time_date_in_the_past_becomes_manual_only_with_a_notice() {
    for (date, time, to_come) in ONCE {
        let form = changed(|f| {
            once(f, date);
            time.clone_into(&mut f.time);
        });
        let draft = validate(&form, now()).expect(date);
        assert_eq!(matches!(draft.schedule, Schedule::Once { .. }), to_come, "{date} {time}");
        assert_eq!(draft.schedule.is_manual_only(), !to_come, "{date} {time}");
        assert_eq!(draft.notice, (!to_come).then_some(Notice::PastDate), "{date} {time}");
    }
}

#[test]
fn schedules_are_parsed() {
    let half_past_two = chrono::NaiveTime::from_hms_opt(2, 30, 0).expect("a time");
    let cases: [(fn(&mut TaskForm), Schedule); 6] = [
        (|f| f.schedule = "manual".to_owned(), Schedule::ManualOnly),
        (|_| {}, Schedule::Daily { time: half_past_two }),
        (
            |f| {
                f.schedule = "weekly".to_owned();
                f.weekdays.extend([("sun".to_owned(), true), ("mon".to_owned(), true)]);
            },
            Schedule::Weekly { days: vec![Weekday::Mon, Weekday::Sun], time: half_past_two },
        ),
        (|f| monthly(f, "31"), Schedule::Monthly { day: MonthDay::Day(31), time: half_past_two }),
        (|f| monthly(f, "last"), Schedule::Monthly { day: MonthDay::Last, time: half_past_two }),
        (|f| cron(f, " 30 2 * * mon "), Schedule::Cron { line: "30 2 * * mon".to_owned() }),
    ];
    for (change, schedule) in cases {
        assert_eq!(validate(&changed(change), now()).expect("a valid form").schedule, schedule);
    }
}

#[test]
fn a_valid_form_contains_all_choices() {
    let form = changed(|f| {
        f.owner = " 12 ".to_owned();
        f.scope = "all".to_owned();
        f.circulation_notes = "mark".to_owned();
        f.missed = "skip".to_owned();
        f.fields.insert("birth_date".to_owned(), "decade".to_owned());
        f.fields.remove("city");
        f.custom.extend([("a".to_owned(), "keep".to_owned()), ("b".to_owned(), "remove".to_owned())]);
    });
    let draft = validate(&form, now()).expect("a valid form");
    assert_eq!(draft.owner, Some(UserNumber(12)));
    assert_eq!(policy_of(&draft).scope, Scope::All);
    assert_eq!(policy_of(&draft).circulation_notes, NoteTreatment::Mark);
    assert_eq!(draft.missed, MisfirePolicy::Skip);
    assert_eq!(
        validate(&valid_form(), now()).expect("a valid form").missed,
        MisfirePolicy::Once,
        "the default"
    );
    assert_eq!(policy_of(&draft).treatment(Field::BirthDate), Treatment::Decade);
    assert_eq!(policy_of(&draft).treatment(Field::City), Treatment::Remove);
    assert_eq!(policy_of(&draft).keep_custom, ["a"]);
}

#[test]
fn unknown_fields_are_rejected() {
    for text in [r#"{"dry_run":true}"#, r#"{"description":1}"#, r#"{"active":"yes"}"#] {
        assert!(serde_json::from_str::<TaskForm>(text).is_err(), "{text}");
    }
    assert_eq!(serde_json::from_str::<TaskForm>("{}").expect("all fields are optional"), TaskForm::default());
}

#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use super::*;
    use chrono::{Duration, NaiveTime};
    use policy::task_form::{TaskDraft, Visibility};
    use policy::{Conditions, Policy};
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};

    const KEYS: [&str; 3] = ["locker", "shoe_size", "team"];

    fn time() -> impl Strategy<Value = NaiveTime> {
        (0..24_u32, 0..60_u32).prop_map(|(h, m)| NaiveTime::from_hms_opt(h, m, 0).expect("a time"))
    }

    fn schedule() -> impl Strategy<Value = Schedule> {
        prop_oneof![
            Just(Schedule::ManualOnly),
            (1..30_000_000_i64).prop_map(|minutes| Schedule::Once { at: now() + Duration::minutes(minutes) }),
            time().prop_map(|time| Schedule::Daily { time }),
            (subsequence(Weekday::ALL.to_vec(), 1..=7), time())
                .prop_map(|(days, time)| Schedule::Weekly { days, time }),
            (prop_oneof![Just(MonthDay::Last), (1..=31_u8).prop_map(MonthDay::Day)], time())
                .prop_map(|(day, time)| Schedule::Monthly { day, time }),
            select(vec!["30 2 * * mon", "15 0-6 1,15 * *"])
                .prop_map(|line| Schedule::Cron { line: line.to_owned() }),
        ]
    }

    fn a_policy() -> impl Strategy<Value = Policy> {
        let days = || option::of((0..=Days::MAX).prop_map(|days| Days::new(days).expect("in range")));
        let fields: Vec<_> =
            Field::ALL.into_iter().map(|field| (Just(field), select(field.treatments().to_vec()))).collect();
        (
            fields,
            subsequence(KEYS.to_vec(), 0..=KEYS.len()),
            select(Scope::ALL.to_vec()),
            (days(), days(), days()),
            select(NoteTreatment::ALL.to_vec()),
        )
            .prop_map(|(fields, kept, scope, (leaving, activity, marked), circulation_notes)| {
                Policy {
                    fields: fields.into_iter().collect(),
                    keep_custom: kept.into_iter().map(str::to_owned).collect(),
                    scope,
                    conditions: Conditions { leaving, activity, marked },
                    circulation_notes,
                }
            })
    }

    fn draft() -> impl Strategy<Value = TaskDraft> {
        (
            option::of((1..i64::MAX, 1..i32::MAX)),
            "[\\p{L}\\d“”!<>&'\"][\\p{L} \\d,;=]{0,150}[\\p{L}.)]",
            any::<bool>(),
            select(Visibility::ALL.to_vec()),
            option::of((1..i64::MAX).prop_map(UserNumber)),
            a_policy(),
            (schedule(), select(MisfirePolicy::ALL.to_vec())),
        )
            .prop_map(
                |(edited, description, active, visibility, owner, policy, (schedule, missed))| TaskDraft {
                    edited,
                    description,
                    active,
                    visibility,
                    owner,
                    schedule: if policy.conditions.is_empty() { Schedule::ManualOnly } else { schedule },
                    settings: TaskSettings::AnonymiseUserData(policy),
                    missed,
                    notice: None,
                },
            )
    }

    proptest! {
        #[test]
        fn the_form_of_a_saved_task_validates_to_the_same_task(draft in draft()) {
            let form = TaskForm::from_draft(&draft, &KEYS.map(str::to_owned));
            prop_assert_eq!(validate(&form, now()), Ok(draft));
        }

        #[test]
        fn any_input_is_accepted_or_rejected_with_a_problem(
            text in any::<String>(), kind in select(vec!["once", "daily", "weekly", "monthly", "cron"]),
        ) {
            let form = TaskForm {
                description: text.clone(),
                owner: text.clone(),
                leaving_days: text.clone(),
                once_date: text.clone(),
                time: text.clone(),
                month_day: text.clone(),
                cron: text,
                schedule: kind.to_owned(),
                ..valid_form()
            };
            if let Ok(draft) = validate(&form.with_shown_fields(), now()) {
                prop_assert!(!policy_of(&draft).conditions.is_empty());
            }
        }
    }
}
