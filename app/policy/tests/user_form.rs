//! Validation of the user form, and the problems that it reports. One table of cases runs natively and in WebAssembly.
#![allow(
    clippy::expect_used,
    clippy::assigning_clones,
    clippy::type_complexity,
    reason = "tests: a table of cases reads better with plain assignments"
)]

use policy::UserNumber;
use policy::form::{FieldErrors, Problem};
use policy::user_form::{UserDraft, UserForm};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Validates a form on 21 January 2018.
fn validate(form: &UserForm) -> Result<UserDraft, FieldErrors> {
    policy::user_form::validate(form, "2018-01-21".parse().expect("a date"))
}

fn valid_form() -> UserForm {
    UserForm { last_name: "Ng".to_owned(), ..UserForm::default() }
}

/// A single-line field: its name, its place in the form and its place in the draft.
type Line = (&'static str, fn(&mut UserForm) -> &mut String, fn(&UserDraft) -> &Option<String>);

macro_rules! lines {
    ($($name:ident),* $(,)?) => {
        [$((stringify!($name), |form| &mut form.$name, |draft| &draft.$name)),*]
    };
}

const LINES: [Line; 19] = lines![
    user_id,
    title,
    first_name,
    middle_name,
    last_name,
    preferred_name,
    phone,
    mobile,
    street,
    postcode,
    city,
    country,
    gender,
    language,
    barcode,
    external_id,
    category,
    department,
    branch,
];

/// Returns invalid values of a single-line field, each with its problem.
fn invalid_lines() -> [(String, Problem); 8] {
    let control = Problem::ControlCharacter;
    [
        ("x".repeat(201), Problem::TooLong { max: 200 }),
        ("x".repeat(1_048_576), Problem::TooLong { max: 200 }),
        ("a\0b".to_owned(), control.clone()),
        ("a\nb".to_owned(), control.clone()),
        ("a\u{85}b".to_owned(), control.clone()),
        ("\u{202E}gN".to_owned(), control.clone()),
        ("N\u{2067}g".to_owned(), control.clone()),
        ("N\u{FEFF}g".to_owned(), control),
    ]
}

#[test]
fn every_line_is_trimmed_limited_and_visible() {
    for (field, typed, read) in LINES {
        let mut form = valid_form();
        *typed(&mut form) = "  Đặng O’Neil-Щербакова 山田 <b>'\" ".to_owned();
        let draft = validate(&form).expect(field);
        assert_eq!(read(&draft).as_deref(), Some("Đặng O’Neil-Щербакова 山田 <b>'\""), "{field}");
        for (text, problem) in invalid_lines() {
            let mut form = valid_form();
            *typed(&mut form) = text;
            let errors = validate(&form).expect_err(field);
            assert_eq!(errors.0.len(), 1, "{field}");
            assert_eq!(errors.0[0].field, field);
            assert_eq!(errors.0[0].problem, problem, "{field}");
        }
    }
}

/// A change that makes the valid form invalid, the field with the problem, and the problem.
type Invalid = (fn(&mut UserForm), &'static str, Problem);

fn invalid() -> Vec<Invalid> {
    use Problem::{
        AmbiguousDate, ControlCharacter, DateOutOfRange, FutureDate, NotADate, NotAUserNumber, NotAnEmail,
        Reserved, TooLong,
    };
    vec![
        (|f| f.last_name = "  ".to_owned(), "last_name", Problem::required("a last name")),
        (|f| f.last_name = "Anonymised user 7F3KQ2".to_owned(), "last_name", Reserved),
        (|f| f.email = "nobody".to_owned(), "email", NotAnEmail),
        (|f| f.email = "a@b@c".to_owned(), "email", NotAnEmail),
        (|f| f.email = "a b@c.example".to_owned(), "email", NotAnEmail),
        (|f| f.email = format!("{}@b.example", "x".repeat(200)), "email", TooLong { max: 200 }),
        (|f| f.email = "a\r\nBcc: b@c.example".to_owned(), "email", ControlCharacter),
        (|f| f.notes = "x".repeat(4_001), "notes", TooLong { max: 4_000 }),
        (|f| f.notes = "x".repeat(1_048_576), "notes", TooLong { max: 4_000 }),
        (|f| f.notes = "a\0".to_owned(), "notes", ControlCharacter),
        (|f| f.notes = "a\u{202E}".to_owned(), "notes", ControlCharacter),
        (|f| f.birth_date = "1899-12-31".to_owned(), "birth_date", DateOutOfRange),
        (|f| f.birth_date = "2101-01-01".to_owned(), "birth_date", DateOutOfRange),
        (|f| f.birth_date = "2019-02-29".to_owned(), "birth_date", NotADate),
        (|f| f.birth_date = "31.12.99".to_owned(), "birth_date", NotADate),
        (|f| f.birth_date = "22 Jan 2018".to_owned(), "birth_date", FutureDate),
        (
            |f| f.leaving_on = "03/04/2018".to_owned(),
            "leaving_on",
            AmbiguousDate { day_first: "3 Apr 2018".to_owned(), month_first: "4 Mar 2018".to_owned() },
        ),
        (|f| f.leaving_on = "soon".to_owned(), "leaving_on", NotADate),
        (|f| f.leaving_on = "1 Jan 2101".to_owned(), "leaving_on", DateOutOfRange),
        (|f| f.guarantor = "the mother".to_owned(), "guarantor", NotAUserNumber),
        (|f| f.guarantor = "0".to_owned(), "guarantor", NotAUserNumber),
        (|f| f.guarantor = "-5".to_owned(), "guarantor", NotAUserNumber),
        (|f| f.guarantor = "9".repeat(30), "guarantor", NotAUserNumber),
        (|f| _ = f.custom.insert("team".to_owned(), "a\tb".to_owned()), "custom.team", ControlCharacter),
        (|f| _ = f.custom.insert("team".to_owned(), "x".repeat(201)), "custom.team", TooLong { max: 200 }),
    ]
}

#[test]
fn each_invalid_field_reports_its_problem() {
    for (change, field, problem) in invalid() {
        let mut form = valid_form();
        change(&mut form);
        let errors = validate(&form).expect_err(field);
        let found: Vec<_> = errors.0.iter().map(|error| (error.field.as_str(), &error.problem)).collect();
        assert_eq!(found, [(field, &problem)]);
    }
}

#[test]
fn unambiguous_dates_from_1900_to_2100_are_accepted() {
    for (typed, read) in [
        ("1900-01-01", "1900-01-01"),
        ("31.12.2100", "2100-12-31"),
        (" 2020-02-29 ", "2020-02-29"),
        ("15/01/2018", "2018-01-15"),
        ("1 feb 1990", "1990-02-01"),
    ] {
        let form = UserForm { leaving_on: typed.to_owned(), ..valid_form() };
        let draft = validate(&form).expect(typed);
        assert_eq!(draft.leaving_on.map(|date| date.to_string()).as_deref(), Some(read));
        let born = UserForm { birth_date: typed.to_owned(), ..valid_form() };
        assert_eq!(validate(&born).is_ok(), read < "2018-01-22", "{typed}");
    }
}

#[test]
fn empty_fields_become_none() {
    let form = UserForm {
        email: " ".to_owned(),
        notes: "\n".to_owned(),
        custom: [("team".to_owned(), " ".to_owned())].into(),
        ..valid_form()
    };
    let draft = validate(&form).expect("a valid form");
    assert_eq!(draft, UserDraft { last_name: Some("Ng".to_owned()), ..UserDraft::default() });
}

#[test]
fn the_other_fields_are_parsed() {
    let form = UserForm {
        email: " ng@b.example ".to_owned(),
        notes: "first\r\nsecond\tline".to_owned(),
        guarantor: " 12 ".to_owned(),
        fictitious: true,
        custom: [("team".to_owned(), " red ".to_owned())].into(),
        ..valid_form()
    };
    let expected = UserDraft {
        last_name: Some("Ng".to_owned()),
        email: Some("ng@b.example".to_owned()),
        notes: Some("first\nsecond\tline".to_owned()),
        guarantor: Some(UserNumber(12)),
        fictitious: true,
        custom: [("team".to_owned(), "red".to_owned())].into(),
        ..UserDraft::default()
    };
    assert_eq!(validate(&form), Ok(expected));
}

#[test]
fn unknown_fields_are_rejected() {
    for text in [r#"{"anonymised_on":null}"#, r#"{"replacement":"x"}"#, r#"{"fictitious":"maybe"}"#] {
        assert!(serde_json::from_str::<UserForm>(text).is_err(), "{text}");
    }
}
