//! Validation of the task form for the task type *Import users*. One table of cases runs natively and in WebAssembly,
//! because browser and server execute the same code.
#![allow(clippy::expect_used, clippy::type_complexity, reason = "tests: a table of cases")]

use chrono::NaiveDateTime;
use policy::form::Problem;
use policy::import_limits::Percent;
use policy::import_options::{Absence, EmptyCells, ImportMode};
use policy::import_profile::FileKind;
use policy::import_settings::ImportedFile;
use policy::task_form::{Tab, TaskForm, validate};
use policy::{ImportSettings, TaskSettings};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn now() -> NaiveDateTime {
    "2018-01-21T12:00:00".parse().expect("a time")
}

fn valid_form() -> TaskForm {
    TaskForm {
        description: "Users".to_owned(),
        task_type: "import_users".to_owned(),
        schedule: "daily".to_owned(),
        ..TaskForm::new_task()
    }
}

fn changed(change: impl FnOnce(&mut TaskForm)) -> TaskForm {
    let mut form = valid_form();
    change(&mut form);
    form
}

fn settings_of(form: &TaskForm) -> ImportSettings {
    match validate(form, now()).expect("a valid form").settings {
        TaskSettings::ImportUsers(settings) => settings,
        TaskSettings::AnonymiseUserData(_) | TaskSettings::AnnounceAnonymising(_) => {
            unreachable!("the form has another type")
        }
    }
}

#[test]
fn a_new_import_changes_the_least() {
    let settings = settings_of(&valid_form());
    assert_eq!(settings, ImportSettings::default());
    assert_eq!(settings.options.mode, ImportMode::AllOrNothing);
    assert_eq!(settings.options.empty_cells, EmptyCells::Keep);
    assert_eq!(settings.options.absence, Absence::Nothing);
    assert_eq!(settings.imported_file, ImportedFile::Erase);
    assert_eq!(settings.limits.missing, Percent::new(5));
}

#[test]
fn each_setting_is_read_and_shown_again() {
    let form = changed(|form| {
        "loans".clone_into(&mut form.file_kind);
        "hr/students/".clone_into(&mut form.folder);
        " loans-*.csv ".clone_into(&mut form.file_pattern);
        "valid_lines_only".clone_into(&mut form.import_mode);
        "clear".clone_into(&mut form.empty_cells);
        "keep".clone_into(&mut form.imported_file);
        form.limits.extend([("new".to_owned(), String::new()), ("changed".to_owned(), "100 %".to_owned())]);
    });
    let draft = validate(&form, now()).expect("a valid form");
    let settings = settings_of(&form);
    assert_eq!((settings.kind, settings.folder.as_str()), (FileKind::Loans, "hr/students"));
    assert_eq!(settings.pattern, "loans-*.csv");
    assert_eq!((settings.limits.new, settings.limits.changed), (None, Percent::new(100)));
    assert_eq!(settings_of(&TaskForm::from_draft(&draft, &[])), settings);
}

#[test]
fn wrong_values_are_rejected_at_their_field() {
    let other = Problem::OtherTaskType;
    let cases: Vec<(fn(&mut TaskForm), &str, Problem)> = vec![
        (|f| "../x".clone_into(&mut f.folder), "folder", Problem::NotASubfolder),
        (|f| "/etc".clone_into(&mut f.folder), "folder", Problem::NotASubfolder),
        (|f| "a\0".clone_into(&mut f.folder), "folder", Problem::ControlCharacter),
        (|f| f.folder = "x".repeat(201), "folder", Problem::TooLong { max: 200 }),
        (|f| f.file_pattern.clear(), "file_pattern", Problem::required("a file name, such as *.csv")),
        (|f| "a/b.csv".clone_into(&mut f.file_pattern), "file_pattern", Problem::NotAFileName),
        (|f| f.profile.clear(), "profile", Problem::not_chosen("an import profile")),
        (|f| "x".clone_into(&mut f.file_kind), "file_kind", Problem::UnknownChoice),
        (|f| "x".clone_into(&mut f.import_mode), "import_mode", Problem::UnknownChoice),
        (|f| "x".clone_into(&mut f.empty_cells), "empty_cells", Problem::UnknownChoice),
        (|f| "x".clone_into(&mut f.absence), "absence", Problem::UnknownChoice),
        (|f| "x".clone_into(&mut f.imported_file), "imported_file", Problem::UnknownChoice),
        (
            |f| {
                "loans".clone_into(&mut f.file_kind);
                "set_leaving_date".clone_into(&mut f.absence);
            },
            "absence",
            Problem::AbsenceOfUsersOnly,
        ),
        (|f| drop(f.limits.insert("new".to_owned(), "101".to_owned())), "limits.new", Problem::NotPercent),
        (|f| drop(f.limits.insert("new".to_owned(), "-1".to_owned())), "limits.new", Problem::NotPercent),
        (|f| drop(f.limits.insert("other".to_owned(), "1".to_owned())), "limits", Problem::UnknownChoice),
        // Values of the other type.
        (|f| f.by_leaving = true, "leaving_days", other.clone()),
        (|f| "30".clone_into(&mut f.activity_days), "activity_days", other.clone()),
        (|f| "all".clone_into(&mut f.scope), "scope", other.clone()),
        (|f| drop(f.custom.insert("locker".to_owned(), "keep".to_owned())), "custom.locker", other),
    ];
    for (change, field, problem) in cases {
        let errors = validate(&changed(change), now()).expect_err(field);
        let found: Vec<_> = errors.0.iter().map(|error| (error.field.as_str(), &error.problem)).collect();
        assert_eq!(found, [(field, &problem)]);
        assert_eq!(Tab::for_field(field), Tab::Settings, "{field}");
    }
}

#[test]
fn the_browser_does_not_post_fields_of_another_type() {
    let form = changed(|form| {
        form.by_leaving = true;
        "30".clone_into(&mut form.leaving_days);
        "all".clone_into(&mut form.scope);
    });
    assert!(validate(&form.with_shown_fields(), now()).is_ok());
    let back = TaskForm { task_type: "anonymise_user_data".to_owned(), folder: "hr".to_owned(), ..form };
    assert!(validate(&back, now()).is_err());
    assert!(validate(&back.with_shown_fields(), now()).is_ok());
}
