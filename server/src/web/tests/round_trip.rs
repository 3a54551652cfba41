//! Every form with every field filled: each value is stored, or rejected at its field. The fields come from the
//! rendered pages, so that these tests also find a field that a function ignores.

use super::desk::{Desk, PASSWORD, without_proof};
use super::rendered::{Field, FieldKind, Rendered, form, forms};
use axum::http::StatusCode;
use policy::import_profile::{ColumnMapping, FileKind, ImportProfile};
use policy::task_form::TaskForm;
use policy::{ImportProfileId, Policy, Role, TaskSettings, UserNumber};
use records::accounts;
use scraper::{Html, Selector};
use sea_orm::{ConnectionTrait as _, Statement};
use std::collections::BTreeSet;
use task_centre::task;
use trail::Actor;
use transfer::custom_profile;

async fn execute(desk: &Desk, sql: &str) {
    desk.store.db.execute_unprepared(sql).await.expect("a change");
}

async fn text(desk: &Desk, sql: &str) -> String {
    let db = &desk.store.db;
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.expect("a row");
    row.and_then(|row| row.try_get_by_index::<Option<String>>(0).expect("a text")).unwrap_or_default()
}

/// A client of a library with custom fields, codes, a user and another member of staff.
type Library = (Desk, UserNumber);

on_both!(
    crate::web::tests::round_trip::library;
    every_field_of_a_user_is_stored,
    a_date_can_be_typed_or_picked,
    every_field_of_a_task_is_stored,
    every_field_of_an_import_task_is_stored,
    every_field_of_an_announcement_task_is_stored,
    a_value_of_another_task_type_is_rejected_at_its_field,
    an_unused_value_of_a_task_is_rejected_at_its_field,
    every_field_of_the_smaller_forms_is_stored,
    every_filter_is_shown_again,
    every_form_is_tested,
    no_field_has_a_maxlength,
    a_value_that_is_too_long_is_rejected_at_its_field,
);

async fn library(desk: Desk) -> Library {
    for sql in [
        "INSERT INTO custom_fields (key, label) VALUES ('locker', 'Locker'), ('team', 'Team')",
        "INSERT INTO terms (kind, code, name) VALUES ('category', 'STU', 'Student'), ('department', 'LAW', 'Law')",
        "INSERT INTO users (uuid, user_id, last_name, category) VALUES ('uuid of Ng', 'ng', 'Ng', 'STU')",
    ] {
        execute(&desk, sql).await;
    }
    let other = desk.staff("other", &[Role::SystemsLibrarian]).await;
    (desk, other)
}

/// Fills a field with a unique value.
fn fill(field: &mut Field, person: UserNumber) {
    let short = field.name.replace(['[', ']'], " ").trim().replace("form ", "");
    field.value = match &mut field.kind {
        FieldKind::Hidden | FieldKind::Picker | FieldKind::File | FieldKind::Radio(_) => return,
        FieldKind::Tick(set) => {
            *set = true;
            return;
        }
        FieldKind::List(codes) => {
            codes.iter().rev().find(|code| **code != field.value).cloned().unwrap_or_default()
        }
        FieldKind::Date => "15/01/2017".to_owned(),
        FieldKind::Lines => format!("First line of {short}\nsecond line"),
        FieldKind::Text => match short.as_str() {
            "email" => "typed@example.org".to_owned(),
            "guarantor" | "owner" => person.to_string(),
            name if name.ends_with("_days") => (100 + name.len()).to_string(),
            name => format!("Typed <{name}> “ä”"),
        },
    };
}

fn filled(mut form: Rendered, person: UserNumber) -> Rendered {
    form.fields.iter_mut().for_each(|field| fill(field, person));
    form
}

async fn every_field_of_a_user_is_stored((desk, other): Library) {
    let new = filled(form(&desk.get("/users/new").await.2, "/do/save_user"), other);
    assert!(new.shown().count() >= 27, "{new:?}");
    let (status, location, page) = desk.post(&new.action, new.body()).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let record = location.split('?').next().expect("an address").to_owned();
    let saved = form(&desk.get(&format!("{record}/edit")).await.2, "/do/save_user");
    assert_eq!(saved.entered(), new.entered());
    assert!(desk.get(&record).await.2.contains("15 Jan 2017"), "dates are shown as pages print them");

    // Change every field.
    let mut changed = saved.clone();
    for field in
        changed.fields.iter_mut().filter(|field| matches!(field.kind, FieldKind::Text | FieldKind::Lines))
    {
        if !["form[email]", "form[guarantor]"].contains(&field.name.as_str()) {
            field.value.push_str(" again");
        }
    }
    changed.set("form[birth_date]", "1.2.1990");
    let (status, _, page) = desk.post(&changed.action, changed.body()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "an ambiguous date");
    assert!(page.contains("Write the month as a word: 1 Feb 1990 or 2 Jan 1990"), "{page}");
    changed.set("form[birth_date]", "31.1.1990");
    let (status, _, page) = desk.post(&changed.action, changed.body()).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let saved = form(&desk.get(&format!("{record}/edit")).await.2, "/do/save_user");
    assert_eq!(saved.entered(), changed.entered());
}

/// A picked date replaces the text. Without WebAssembly the server detects which of the two was changed.
async fn a_date_can_be_typed_or_picked((desk, _): Library) {
    let stored = "SELECT CAST(leaving_on AS TEXT) FROM users WHERE last_name = 'Picked'";
    let mut new = form(&desk.get("/users/new").await.2, "/do/save_user");
    new.set("form[last_name]", "Picked");
    let picker = |form: &Rendered| {
        let of_leaving =
            |field: &&Field| field.kind == FieldKind::Picker && field.name.ends_with("form[leaving_on]");
        form.fields.iter().find(of_leaving).expect("a picker").name.clone()
    };
    new.set(&picker(&new), "2018-01-15");
    let (status, location, page) = desk.post(&new.action, new.body()).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    assert_eq!(text(&desk, stored).await, "2018-01-15");
    let edit = format!("{}/edit", location.split('?').next().expect("an address"));
    let mut saved = form(&desk.get(&edit).await.2, "/do/save_user");
    saved.set(&picker(&saved), "2018-02-01");
    assert_eq!(desk.post(&saved.action, saved.body()).await.0, StatusCode::SEE_OTHER);
    assert_eq!(text(&desk, stored).await, "2018-02-01", "picked");
    let mut saved = form(&desk.get(&edit).await.2, "/do/save_user");
    saved.set("form[leaving_on]", "17/03/2018");
    assert_eq!(desk.post(&saved.action, saved.body()).await.0, StatusCode::SEE_OTHER);
    assert_eq!(text(&desk, stored).await, "2018-03-17", "typed");
    let mut saved = form(&desk.get(&edit).await.2, "/do/save_user");
    saved.set("form[leaving_on]", "18 Mar 2018");
    saved.set(&picker(&saved), "2018-03-19");
    let (status, _, page) = desk.post(&saved.action, saved.body()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("18 Mar 2018 / 19 Mar 2018"), "both dates are shown");
    assert_eq!(text(&desk, stored).await, "2018-03-17");
    // The picker resolves an ambiguous text.
    let mut saved = form(&desk.get(&edit).await.2, "/do/save_user");
    saved.set("form[leaving_on]", "03/04/2018");
    let (status, _, page) = desk.post(&saved.action, saved.body()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("Write the month as a word: 3 Apr 2018 or 4 Mar 2018"), "{page}");
    let mut ambiguous = form(&page, "/do/save_user");
    ambiguous.set(&picker(&ambiguous), "2018-04-03");
    let (status, _, page) = desk.post(&ambiguous.action, ambiguous.body()).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    assert_eq!(text(&desk, stored).await, "2018-04-03", "picked");
}

/// The kinds of schedules, and the fields that each uses.
const SCHEDULE_KINDS: [(&str, &[&str]); 6] = [
    ("manual", &[]),
    ("once", &["once_date", "time"]),
    ("daily", &["time"]),
    ("weekly", &["weekdays", "time"]),
    ("monthly", &["month_day", "time"]),
    ("cron", &["cron"]),
];

/// The fields of the task type *Import users*.
const IMPORT_PARTS: [&str; 9] = [
    "file_kind",
    "profile",
    "folder",
    "file_pattern",
    "import_mode",
    "empty_cells",
    "absence",
    "limits",
    "imported_file",
];
/// The fields of the task type *Announce anonymising*.
const ANNOUNCEMENT_PARTS: [&str; 4] = ["announced_task", "days_before", "mail_subject", "mail_text"];
/// The fields of the task type *Anonymise user data*.
const POLICY_PARTS: [&str; 10] = [
    "fields",
    "custom",
    "scope",
    "by_leaving",
    "leaving_days",
    "by_activity",
    "activity_days",
    "by_marked",
    "marked_days",
    "circulation_notes",
];

/// Returns the name of a field without its key: `limits` for `form[limits][new]`.
fn part_of(field: &Field) -> &str {
    field.name.trim_start_matches("form[").split(']').next().unwrap_or_default()
}

/// Returns the entered values of a form without the fields of the other task types, which a saved task doesn't show.
fn entered_without(form: &Rendered, others: [&[&str]; 2]) -> Vec<(String, String)> {
    let mut form = form.clone();
    form.fields.retain(|field| others.iter().all(|other| !other.contains(&part_of(field))));
    form.entered()
}

/// Returns the form of a new task with every field filled that this kind of schedule uses.
async fn task_form(desk: &Desk, owner: UserNumber, kind: &str, used: &[&str]) -> Rendered {
    let empty = form(&desk.get("/tasks/new").await.2, "/do/save_task");
    let mut new = filled(empty.clone(), owner);
    for (name, value) in [
        ("form[once_date]", "15/01/2099"),
        ("form[time]", "04:05"),
        ("form[cron]", "30 2 * * mon"),
        ("form[schedule]", kind),
    ] {
        new.set(name, value);
    }
    for (name, value) in [
        ("form[visibility]", "private"),
        ("form[scope]", "not_imported"),
        ("form[circulation_notes]", "mark"),
        ("form[missed]", "skip"),
    ] {
        new.set(name, value);
    }
    new.set("form[category]", "data_maintenance");
    new.set("form[task_type]", "anonymise_user_data");
    for (field, before) in new.fields.iter_mut().zip(&empty.fields) {
        let part = part_of(field).to_owned();
        let is_of_a_kind = SCHEDULE_KINDS.iter().any(|(_, parts)| parts.contains(&part.as_str()));
        let is_of_another_type =
            [&IMPORT_PARTS[..], &ANNOUNCEMENT_PARTS].iter().any(|of| of.contains(&part.as_str()));
        if is_of_a_kind && !used.contains(&part.as_str()) || is_of_another_type {
            field.clone_from(before);
        }
    }
    new
}

/// Returns the form of a new task that imports users, with every field of its type filled.
async fn import_form(desk: &Desk) -> Rendered {
    let mut new = form(&desk.get("/tasks/new").await.2, "/do/save_task");
    for (name, value) in [
        ("form[description]", "Users"),
        ("form[task_type]", "import_users"),
        ("form[file_kind]", "users"),
        ("form[folder]", "hr/students"),
        ("form[file_pattern]", "users-????.csv"),
        ("form[import_mode]", "valid_lines_only"),
        ("form[empty_cells]", "clear"),
        ("form[absence]", "set_leaving_date"),
        ("form[imported_file]", "keep"),
        ("form[limits][missing]", "7"),
        ("form[limits][new]", ""),
        ("form[limits][changed]", "100"),
        ("form[limits][leaving]", "0"),
        ("form[limits][closed]", "60"),
        ("form[limits][uniform]", "51"),
        ("form[limits][damaged]", "1"),
    ] {
        new.set(name, value);
    }
    new
}

async fn every_field_of_an_import_task_is_stored((desk, _): Library) {
    let new = import_form(&desk).await;
    let (status, location, page) = desk.post(&new.action, new.body()).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let task = location.split('?').next().expect("an address").to_owned();
    let saved = form(&desk.get(&format!("{task}/edit")).await.2, "/do/save_task");
    assert_eq!(saved.entered(), entered_without(&new, [&POLICY_PARTS, &ANNOUNCEMENT_PARTS]));
    let shown = desk.get(&task).await.2;
    for part in
        ["users-????.csv", "hr/students", "Missing users", "7 %", "No limit", "Empty cells empty their field"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

async fn every_field_of_an_announcement_task_is_stored((desk, _): Library) {
    let leavers = TaskForm { description: "Leavers".to_owned(), ..TaskForm::new_task() };
    let announced = task::save(&desk.store, Actor::COMMAND_LINE, &leavers).await.expect("a task");
    let mut new = form(&desk.get("/tasks/new").await.2, "/do/save_task");
    let announced = announced.to_string();
    for (name, value) in [
        ("form[description]", "Announce"),
        ("form[category]", "notifications"),
        ("form[task_type]", "announce_anonymising"),
        ("form[announced_task]", &*announced),
        ("form[days_before]", "45"),
        ("form[mail_subject]", "{library} <on> {date}"),
        ("form[mail_text]", "Dear {name},\n</textarea><b>{link}</b>\n& more"),
    ] {
        new.set(name, value);
    }
    let (status, location, page) = desk.post(&new.action, new.body()).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let task = location.split('?').next().expect("an address").to_owned();
    let saved = form(&desk.get(&format!("{task}/edit")).await.2, "/do/save_task");
    assert_eq!(saved.entered(), entered_without(&new, [&POLICY_PARTS, &IMPORT_PARTS]));
    let shown = desk.get(&task).await.2;
    for part in [
        &format!("task {announced} can anonymise within 45 days"),
        "{library} &lt;on&gt; {date}",
        "&lt;/textarea&gt;",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    new.set("form[mail_text]", "Dear {name}");
    new.set("form[days_before]", "6");
    let (status, _, page) = desk.post(&new.action, new.body()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem_of(&page, "mail_text").contains("Enter {link} in the text"), "{page}");
    assert!(problem_of(&page, "days_before").contains("from 7 to 365"), "{page}");
}

/// Without WebAssembly the fields of all types are shown. A value of the other type is rejected at its field.
async fn a_value_of_another_task_type_is_rejected_at_its_field((desk, other): Library) {
    let mut import = import_form(&desk).await;
    import.set("form[leaving_days]", "30");
    import.set("form[scope]", "all");
    let mut policy = task_form(&desk, other, "manual", &[]).await;
    policy.set("form[folder]", "hr");
    policy.set("form[limits][new]", "7");
    for (form, wrong) in [(import, ["leaving_days", "scope"]), (policy, ["folder", "limits.new"])] {
        let (status, _, page) = desk.post(&form.action, form.body()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong:?}");
        for field in wrong {
            let start = format!("id=\"{field}-problem\" class=\"problem\">");
            let at_field =
                page.split(&start).nth(1).or_else(|| page.split(&format!("id=\"{field}-problem\"")).nth(1));
            let problem = at_field.expect("the problem").split("</p>").next().unwrap_or_default();
            assert!(problem.contains("Choose the task type that uses this value"), "{field}: {problem}");
        }
    }
    assert_eq!(text(&desk, "SELECT CAST(COUNT(*) AS TEXT) FROM tasks").await, "0");
}

async fn every_field_of_a_task_is_stored((mut desk, other): Library) {
    for (kind, used) in SCHEDULE_KINDS {
        let new = task_form(&desk, other, kind, used).await;
        let (status, location, page) = desk.post(&new.action, new.body()).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{kind} {page}");
        assert_eq!(
            without_proof(&location),
            "/tasks?done=task-saved-for-owner",
            "a private task of another owner"
        );
        let id = text(&desk, "SELECT CAST(MAX(id) AS TEXT) FROM tasks").await;
        let token = (desk.cookie.clone(), desk.token.clone());
        desk.sign_in("other").await;
        let saved = form(&desk.get(&format!("/tasks/{id}/edit")).await.2, "/do/save_task");
        (desk.cookie, desk.token) = token;
        assert_eq!(saved.entered(), entered_without(&new, [&IMPORT_PARTS, &ANNOUNCEMENT_PARTS]), "{kind}");
    }
}

/// A value is unused if it belongs to another kind of schedule, or to a condition that is not ticked.
async fn an_unused_value_of_a_task_is_rejected_at_its_field((desk, other): Library) {
    for (kind, used) in SCHEDULE_KINDS {
        let all = ["once_date", "time", "weekdays", "month_day", "cron"];
        let new = task_form(&desk, other, kind, &all).await;
        let (status, _, page) = desk.post(&new.action, new.body()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{kind}");
        for part in all {
            let start = format!("id=\"{part}-problem\" class=\"problem\">");
            let (_, at_field) = page.split_once(&start).expect("the problem at the field");
            let problem = at_field.split('<').next().unwrap_or_default();
            assert_eq!(
                problem.contains("Choose the schedule that uses this value"),
                !used.contains(&part),
                "{kind} {part}"
            );
        }
    }
    for condition in ["leaving", "activity", "marked"] {
        let mut new = task_form(&desk, other, "manual", &[]).await;
        let tick = new
            .fields
            .iter_mut()
            .find(|field| field.name == format!("form[by_{condition}]"))
            .expect("a tick");
        tick.kind = FieldKind::Tick(false);
        let (status, _, page) = desk.post(&new.action, new.body()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{condition}");
        let start = format!("id=\"{condition}_days-problem\" class=\"problem\">");
        let (_, at_field) = page.split_once(&start).expect("the problem at the field");
        assert!(at_field.starts_with("Tick the condition, or clear the number"), "{condition}");
        assert!(page.contains("The rule is incomplete"), "the summary describes no rule");
        let summary =
            page.split_once("class=\"sentence\">").and_then(|(_, rest)| rest.split("</div>").next());
        assert!(!summary.expect("a summary").contains("Users who "), "{page}");
    }
    assert_eq!(text(&desk, "SELECT CAST(COUNT(*) AS TEXT) FROM tasks").await, "0");
}

/// A checkbox of an event: field, value, query and stored value.
fn tick(code: &str, query: &str) -> (&'static str, &'static str, String, &'static str) {
    let field: &'static str = Box::leak(format!("form[events][{code}]").into_boxed_str());
    (field, "true", format!("SELECT CASE WHEN {query} THEN 'true' END"), "true")
}

fn event(code: &str) -> (&'static str, &'static str, String, &'static str) {
    tick(code, &format!("EXISTS (SELECT 1 FROM webhooks WHERE ',' || events || ',' LIKE '%,{code},%')"))
}

fn chosen(code: &str) -> (&'static str, &'static str, String, &'static str) {
    tick(code, &format!("EXISTS (SELECT 1 FROM notification_choices WHERE event = '{code}')"))
}

/// The forms with few fields: each field, the value that is sent, and the query that finds it.
#[allow(clippy::too_many_lines, reason = "one list of all forms")]
async fn every_field_of_the_smaller_forms_is_stored((desk, other): Library) {
    type Fields<'a> = Vec<(&'a str, &'a str, String, &'a str)>;

    let ng = text(&desk, "SELECT CAST(number AS TEXT) FROM users WHERE user_id = 'ng'").await;
    let today = desk.store.clock.today();
    let (review, later) = (today + chrono::Duration::days(90), today + chrono::Duration::days(120));
    execute(
        &desk,
        &format!(
            "INSERT INTO tasks (description, active, task_type, visibility, settings, schedule, created_at, changed_at) \
             VALUES ('Lost', FALSE, 'anonymise_user_data', 'private', '{}', '{{\"kind\":\"manual_only\"}}', \
             '2018-01-01T12:00:00+00:00', '2018-01-01T12:00:00+00:00')",
            serde_json::to_string(&TaskSettings::AnonymiseUserData(Policy::default())).expect("settings")
        ),
    )
    .await;
    let owner = other.to_string();
    let (review_text, later_text) = (policy::dates::shown(review), policy::dates::shown(later));
    let hold = "FROM legal_holds ORDER BY id DESC LIMIT 1";
    let role = format!("SELECT role FROM user_roles WHERE user_number = {other} AND role = 'dpo'");
    let profile = import_profile(&desk).await;
    let in_profile = format!("FROM import_profiles WHERE id = {profile}");
    let stored_in = |json: &str, shown: &str| {
        format!("SELECT CASE WHEN settings LIKE '%{json}%' THEN '{shown}' ELSE settings END {in_profile}")
    };
    let cases: Vec<(String, &str, Fields<'_>)> = vec![
        (
            format!("/users/{ng}"),
            "/do/place_legal_hold",
            vec![
                ("form[reason]", "dispute", format!("SELECT reason {hold}"), "dispute"),
                ("form[owner]", &owner, format!("SELECT CAST(owner_number AS TEXT) {hold}"), &owner),
                ("form[review_on]", &review_text, format!("SELECT CAST(review_on AS TEXT) {hold}"), &review_text),
            ],
        ),
        (
            format!("/users/{ng}"),
            "/do/correct_last_activity",
            vec![(
                "form[last_activity_on]",
                "2 Jan 2017",
                format!("SELECT CAST(last_activity_on AS TEXT) FROM users WHERE number = {ng}"),
                "2 Jan 2017",
            )],
        ),
        (
            format!("/users/{ng}"),
            "/do/correct_created",
            vec![(
                "form[created_on]",
                "3 Jan 2016",
                format!("SELECT CAST(created_on AS TEXT) FROM users WHERE number = {ng}"),
                "3 Jan 2016",
            )],
        ),
        (
            "/legal-holds".to_owned(),
            "/do/place_legal_hold",
            vec![
                ("form[category]", "STU", format!("SELECT category {hold}"), "STU"),
                ("form[reason]", "dispute", format!("SELECT reason {hold}"), "dispute"),
                ("form[owner]", &owner, format!("SELECT CAST(owner_number AS TEXT) {hold}"), &owner),
                ("form[review_on]", &review_text, format!("SELECT CAST(review_on AS TEXT) {hold}"), &review_text),
            ],
        ),
        (
            "/legal-holds/1".to_owned(),
            "/do/review_legal_hold",
            vec![("form[review_on]", &later_text, "SELECT CAST(review_on AS TEXT) FROM legal_holds WHERE id = 1".to_owned(), &later_text)],
        ),
        (
            format!("/users/{ng}"),
            "/do/record_access_request",
            vec![("form[received_on]", "2 Jan 2017", "SELECT CAST(received_on AS TEXT) FROM access_requests".to_owned(), "2 Jan 2017")],
        ),
        (
            "/access-requests/1".to_owned(),
            "/do/close_access_request",
            vec![
                ("form[state]", "declined", "SELECT state FROM access_requests".to_owned(), "declined"),
                ("form[decline_reason]", "other", "SELECT decline_reason FROM access_requests".to_owned(), "other"),
                ("form[answer]", "No such person", "SELECT answer FROM access_requests".to_owned(), "No such person"),
            ],
        ),
        (
            "/staff".to_owned(),
            "/do/add_staff",
            vec![
                ("form[user_id]", "newcomer", "SELECT user_id FROM users WHERE user_id = 'newcomer'".to_owned(), "newcomer"),
                (
                    "form[role]",
                    "statistics",
                    "SELECT role FROM user_roles WHERE user_number = (SELECT number FROM users WHERE user_id = 'newcomer')"
                        .to_owned(),
                    "statistics",
                ),
            ],
        ),
        (
            "/users?marked=no".to_owned(),
            "/do/save_search",
            vec![
                ("form[name]", "Not marked", "SELECT name FROM saved_searches WHERE filters = 'marked=no'".to_owned(), "Not marked"),
                (
                    "form[shared]",
                    "on",
                    "SELECT CASE WHEN shared THEN 'on' END FROM saved_searches WHERE filters = 'marked=no'".to_owned(),
                    "on",
                ),
            ],
        ),
        (
            "/notifications".to_owned(),
            "/do/create_webhook",
            vec![
                ("form[name]", "Monitoring", "SELECT name FROM webhooks".to_owned(), "Monitoring"),
                ("form[url]", "https://hooks.example.org/x", "SELECT url FROM webhooks".to_owned(), "https://hooks.example.org/x"),
                event("approval_waiting"),
                event("run_stopped"),
                event("run_failed"),
                event("run_missed"),
                event("findings_open"),
                event("legal_hold_due"),
                event("held_lines_waiting"),
            ],
        ),
        (
            "/account".to_owned(),
            "/do/choose_notifications",
            vec![
                chosen("approval_waiting"),
                chosen("run_stopped"),
                chosen("run_failed"),
                chosen("run_missed"),
                chosen("findings_open"),
                chosen("legal_hold_due"),
                chosen("held_lines_waiting"),
            ],
        ),
        (
            "/library".to_owned(),
            "/do/save_library",
            vec![
                ("form[name]", "Town Library", "SELECT name FROM library_settings".to_owned(), "Town Library"),
                ("form[currency]", "CHF", "SELECT currency FROM library_settings".to_owned(), "CHF"),
                ("form[address]", "1 High Street", "SELECT address FROM library_settings".to_owned(), "1 High Street"),
                ("form[contact]", "020 1", "SELECT contact FROM library_settings".to_owned(), "020 1"),
            ],
        ),
        (
            "/custom-fields".to_owned(),
            "/do/add_custom_field",
            vec![
                ("form[key]", "course", "SELECT key FROM custom_fields WHERE key = 'course'".to_owned(), "course"),
                ("form[label]", "Course", "SELECT label FROM custom_fields WHERE key = 'course'".to_owned(), "Course"),
                (
                    "form[class]",
                    "quasi_identifier",
                    "SELECT class FROM custom_fields WHERE key = 'course'".to_owned(),
                    "quasi_identifier",
                ),
            ],
        ),
        (
            "/api-keys".to_owned(),
            "/do/create_api_key",
            vec![
                ("form[name]", "Campus", "SELECT name FROM api_keys".to_owned(), "Campus"),
                ("form[read_users]", "true", "SELECT scopes FROM api_keys".to_owned(), "read_users,write_users"),
                ("form[write_users]", "true", "SELECT scopes FROM api_keys".to_owned(), "read_users,write_users"),
                (
                    "form[days]",
                    "30",
                    "SELECT SUBSTR(detail, LENGTH(detail) - 1) FROM audit_events WHERE action = 'api_key_created'".to_owned(),
                    "30",
                ),
            ],
        ),
        (
            format!("/users/import/profiles/{profile}"),
            "/do/change_import_profile",
            vec![
                ("form[name]", "Loans of HR", format!("SELECT name {in_profile}"), "Loans of HR"),
                ("form[columns][0][target]", "barcode", stored_in("\"source\":\"Nr\",\"target\":\"barcode\"", "barcode"), "barcode"),
                ("form[columns][1][target]", "last_name", stored_in("\"source\":\"Name\",\"target\":\"last_name\"", "last_name"), "last_name"),
                ("form[columns][2][target]", "leaving_on", stored_in("\"source\":\"End\",\"target\":\"leaving_on\"", "leaving_on"), "leaving_on"),
                ("form[columns][2][dates]", "compact", stored_in("\"dates\":\"compact\"}", "compact"), "compact"),
                ("form[columns][3][target]", "email", stored_in("\"source\":\"Mail\",\"target\":\"email\"", "email"), "email"),
                ("form[columns][3][several]", "true", stored_in("\"first_of_several\":true", "true"), "true"),
                ("form[other_columns]", "ignore", stored_in("\"other_columns\":\"ignore\"", "ignore"), "ignore"),
                ("form[dates]", "iso", stored_in("\"dates\":\"iso\"", "iso"), "iso"),
                ("form[decimals]", "comma", stored_in("\"decimals\":\"comma\"", "comma"), "comma"),
                ("form[never]", "9999-12-31", stored_in("\"never\":[\"9999-12-31\"]", "9999-12-31"), "9999-12-31"),
                ("form[encoding]", "utf8", stored_in("\"encoding\":\"utf8\"", "utf8"), "utf8"),
                ("form[delimiter]", "pipe", stored_in("\"delimiter\":\"pipe\"", "pipe"), "pipe"),
                ("form[header_line]", "3", stored_in("\"header_line\":3", "3"), "3"),
            ],
        ),
        ("/staff".to_owned(), "/do/grant_role", vec![("form[role]", "dpo", role, "dpo")]),
        (
            "/tasks/owners".to_owned(),
            "/do/reassign_task",
            vec![("form[owner]", &owner, "SELECT CAST(owner_number AS TEXT) FROM tasks".to_owned(), &owner)],
        ),
    ];
    for (page, function, fields) in &cases {
        let html = desk.get(page).await.2;
        let of_other = |form: &Rendered| {
            function != &"/do/grant_role"
                || form.fields.iter().any(|field| field.value == owner && field.kind == FieldKind::Hidden)
        };
        let mut sent = forms(&html)
            .into_iter()
            .find(|form| form.action.starts_with(function) && of_other(form))
            .unwrap_or_else(|| panic!("{page} has no form for {function}"));
        let shown: BTreeSet<&str> = sent.shown().map(|field| field.name.as_str()).collect();
        assert_eq!(
            shown,
            fields.iter().map(|(name, ..)| *name).collect(),
            "{page} {function}: a field without a case"
        );
        for (name, value, ..) in fields {
            sent.set(name, value);
        }
        let (status, _, html) = desk.post(&sent.action, sent.body()).await;
        assert!(status == StatusCode::SEE_OTHER || status == StatusCode::OK, "{function} {status}: {html}");
        // The new owner of a task is shown by name first.
        let asks = |form: &Rendered| form.fields.iter().any(|field| field.name == "form[confirmed]");
        if let Some(asked) = forms(&html).into_iter().find(asks) {
            let (status, _, html) = desk.post(&asked.action, asked.body()).await;
            assert_eq!(status, StatusCode::SEE_OTHER, "{function} {html}");
        }
        for (name, _, sql, stored) in fields {
            assert_eq!(policy::dates::as_shown(&text(&desk, sql).await), *stored, "{function} {name}");
        }
    }
}

/// Adds an import profile with a column of each sort. Returns its id.
async fn import_profile(desk: &Desk) -> ImportProfileId {
    let column = |source: &str, target: &str| ColumnMapping {
        source: source.to_owned(),
        target: Some(target.to_owned()),
        first_of_several: target == "email",
        ..ColumnMapping::default()
    };
    let profile = ImportProfile {
        code: "hr".to_owned(),
        name: "HR".to_owned(),
        columns: vec![
            column("Nr", "user_id"),
            column("Name", "last_name"),
            column("End", "leaving_on"),
            column("Mail", "email"),
        ],
        ..ImportProfile::own_format(FileKind::Users)
    };
    custom_profile::add(&desk.store, trail::Actor::COMMAND_LINE, profile).await.expect("a profile")
}

/// The list that a filter leads to shows the filter in its form.
async fn every_filter_is_shown_again((desk, other): Library) {
    for (page, action) in [
        ("/users", "/do/find_users"),
        ("/tasks", "/tasks"),
        ("/runs", "/runs"),
        ("/legal-holds", "/legal-holds"),
        ("/access-requests", "/access-requests"),
        ("/audit", "/audit"),
        ("/reports/loans-per-month", "/reports/loans-per-month"),
        ("/catalogue", "/catalogue"),
    ] {
        let mut sent = form(&desk.get(page).await.2, action);
        for field in &mut sent.fields {
            fill(field, other);
            let is_number = ["staff", "id", "run", "user", "task"].contains(&field.name.as_str());
            if is_number && field.kind == FieldKind::Text {
                field.value = "7".to_owned();
            }
        }
        let html = if sent.posts {
            let (status, location, html) = desk.post(&sent.action, sent.body()).await;
            assert_eq!(status, StatusCode::SEE_OTHER, "{page} {html}");
            desk.get(&location).await.2
        } else {
            desk.get(&format!("{}?{}", sent.action, sent.body())).await.2
        };
        assert_eq!(form(&html, action).entered(), sent.entered(), "{page}");
    }
    // An unknown value is rejected: to ignore it would show a longer list.
    assert_eq!(desk.get("/runs?task=x").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(desk.get("/residue?run=x").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let Samples { preview, run, .. } = Samples::create(&desk, other).await;
    for (address, filter) in [
        ("/tasks", "status"),
        ("/tasks", "type"),
        ("/runs", "kind"),
        ("/runs", "state"),
        ("/legal-holds", "show"),
        ("/access-requests", "show"),
        ("/legal-holds", "user"),
        ("/residue", "show"),
        ("/approvals", "show"),
        (&format!("/runs/{preview}"), "verdict"),
        (&format!("/runs/{preview}"), "reason"),
        (&format!("/runs/{run}"), "outcome"),
        ("/audit", "action"),
        ("/reports/loans-per-month", "by"),
    ] {
        let (status, _, page) = desk.get(&format!("{address}?{filter}=x")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{address} {filter}");
        assert_eq!(problem_of(&page, filter), "Choose one of the options", "{address} {filter}");
        let page = Html::parse_document(&page);
        let list =
            Selector::parse("[data-live=people] tbody tr, ul.places li, main > .scroll").expect("a selector");
        assert!(page.select(&list).next().is_none(), "{address} {filter}: a longer list");
    }
}

/// A test of this file uses every posted form with visible fields. Exceptions are forms whose confirmation or secret is
/// compared and never stored.
async fn every_form_is_tested((desk, other): Library) {
    let tried = [
        "/do/save_user",
        "/do/save_task",
        "/do/correct_last_activity",
        "/do/correct_created",
        "/do/place_legal_hold",
        "/do/review_legal_hold",
        "/do/record_access_request",
        "/do/close_access_request",
        "/do/add_staff",
        "/do/create_api_key",
        "/do/add_custom_field",
        "/do/save_library",
        "/do/create_webhook",
        "/do/choose_notifications",
        "/do/change_import_profile",
        "/do/grant_role",
        "/do/reassign_task",
        "/do/find_users",
        "/do/save_search",
    ];
    let mut visited = BTreeSet::new();
    let compared: [(&str, &[&str]); 14] = [
        // Tested in `letters`.
        ("/do/save_letter", &["form[text]"]),
        ("/do/anonymise_user", &GROUNDS),
        ("/do/anonymise_staff", &GROUNDS),
        ("/do/merge_users", &GROUNDS[1..]),
        ("/do/sign_in", &["form[user_id]", "form[password]"]),
        // Tested beside the list, in `user_search`.
        ("/do/arrange_user_list", &LAYOUT),
        ("/do/change_search", &["form[name]", "form[shared]"]),
        ("/do/accept_invitation", &["form[password]", "form[repeated]"]),
        ("/do/start_run", &["form[confirm]"]),
        ("/do/change_password", &["form[old]", "form[password]", "form[repeated]"]),
        // Tested with previews, in `previews`.
        ("/do/exclude_users", &["form[reason]"]),
        ("/do/preview_listed", &["form[users]"]),
        ("/do/preview_found", &["form[task]", "form[which]"]),
        ("/do/find_run_users", &["form[verdict]", "form[reason]", "form[outcome]", "form[q]"]),
    ];
    for (page, html) in every_page(&desk, other).await {
        for form in forms(&html).into_iter().filter(|form| form.posts) {
            let function = form.action.split('?').next().unwrap_or_default().to_owned();
            for field in form.shown() {
                let known = tried.contains(&function.as_str())
                    || compared
                        .iter()
                        .any(|(of, fields)| *of == function && fields.contains(&field.name.as_str()))
                    || function == "/do/sign_in_again";
                assert!(known, "{page}: {} of {function} is in no test", field.name);
                visited.insert(function.clone());
            }
        }
    }
    let all = tried.into_iter().chain(compared.into_iter().map(|(function, _)| function));
    for function in all.filter(|function| *function != "/do/reassign_task") {
        assert!(visited.contains(function), "no page has a form for {function}");
    }
}

/// The confirmation of a single user. The reason and the case reference are tested in `record`.
const GROUNDS: [&str; 3] = ["form[erasure_reason]", "form[case_reference]", "form[confirm]"];

/// The fields of the form that arranges the list of users.
const LAYOUT: [&str; 13] = [
    "form[rows]",
    "form[user_id]",
    "form[email]",
    "form[barcode]",
    "form[phone]",
    "form[birth_date]",
    "form[city]",
    "form[category]",
    "form[department]",
    "form[branch]",
    "form[leaving]",
    "form[activity]",
    "form[state]",
];

/// One object of each kind that has a page.
struct Samples {
    task: String,
    preview: String,
    run: String,
    hold: String,
    asked: String,
    approval: String,
    profile: ImportProfileId,
    invitation: String,
    /// A second member of staff with every role, signed in.
    second: Desk,
}

impl Samples {
    /// Creates one object of each kind by the forms.
    async fn create(desk: &Desk, other: UserNumber) -> Self {
        let done = async |function: &str, page: &str, form: &str| {
            let (status, location, html) = desk.post(&format!("/do/{function}?page={page}"), form).await;
            assert!(
                status == StatusCode::SEE_OTHER || status == StatusCode::OK,
                "{function} {status}: {}",
                main_text(&html)
            );
            location
        };
        let people = "INSERT INTO users (number, uuid, user_id, last_name, leaving_on, imported, created_on) VALUES \
                      (801, 'uuid of Li', 'li', 'Li', '2016-01-01', FALSE, '2015-01-01'), \
                      (802, 'uuid of Om', 'om', 'Om', '2016-01-01', FALSE, '2015-01-01'), \
                      (803, 'uuid of Al', 'al', 'Al', NULL, FALSE, '2015-01-01')";
        execute(desk, people).await;
        let form = super::task_form("form[by_leaving]=true&form[leaving_days]=5");
        done("save_task", "/tasks/new", &form).await;
        let task = text(desk, "SELECT CAST(MAX(id) AS TEXT) FROM tasks").await;
        let form = format!(
            "form[user]=802&form[task]={task}&form[version]=1&form[erasure_reason]=left&form[confirm]=802"
        );
        done("anonymise_user", "/users/802/anonymise", &form).await;
        let run = text(desk, "SELECT CAST(MAX(id) AS TEXT) FROM runs").await;
        let to = done("make_preview", &format!("/tasks/{task}"), &format!("form[task]={task}")).await;
        let preview = to.trim_start_matches("/runs/").to_owned();
        done("request_approval", &to, &format!("form[preview]={preview}")).await;
        desk.staff("second", &Role::ALL).await;
        let second = desk.another("second").await;
        let approval = text(desk, "SELECT CAST(MAX(id) AS TEXT) FROM approvals").await;
        let form = format!("form[approval]={approval}&form[confirm]=1");
        let (status, _, html) = second.post("/do/approve_request?page=/approvals", form).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{html}");
        let review = desk.store.clock.today() + chrono::Duration::days(90);
        let form = format!("form[user]=801&form[reason]=dispute&form[review_on]={review}");
        done("place_legal_hold", "/users/801", &form).await;
        let hold = text(desk, "SELECT CAST(MAX(id) AS TEXT) FROM legal_holds").await;
        done("record_access_request", "/users/801", "form[user]=801&form[received_on]=2017-01-02").await;
        let asked = text(desk, "SELECT CAST(MAX(id) AS TEXT) FROM access_requests").await;
        let page = format!("/users/{other}/anonymise");
        done("request_staff_anonymising", &page, &format!("form[user]={other}")).await;
        let approval = text(desk, "SELECT CAST(MAX(id) AS TEXT) FROM approvals").await;
        let invited =
            accounts::add(&desk.store, trail::Actor::COMMAND_LINE, "invited", Role::Cataloguer).await;
        let (_, _, saved) =
            desk.post("/do/save_search?page=/users", "form[name]=Unmarked&form[marked]=no").await;
        assert_eq!(saved, "", "a saved search");
        let invitation = invited.expect("staff").1.expect("an invitation").token.reveal().to_owned();
        let profile = import_profile(desk).await;
        Self { task, preview, run, hold, asked, approval, profile, invitation, second }
    }

    /// Returns the addresses of the pages of these objects.
    fn addresses(&self) -> Vec<String> {
        let Self { task, preview, run, hold, asked, approval, profile, .. } = self;
        vec![
            format!("/tasks/{task}"),
            format!("/tasks/{task}/edit"),
            format!("/tasks/{task}/listed"),
            format!("/tasks/{task}/letter"),
            format!("/tasks/{task}/delete"),
            format!("/tasks/{task}/deactivate"),
            format!("/runs/{preview}"),
            format!("/runs/{run}"),
            format!("/legal-holds/{hold}"),
            format!("/access-requests/{asked}"),
            format!("/approvals/{approval}"),
            format!("/users/import/profiles/{profile}"),
        ]
    }
}

/// Returns every page with a form, as a member of staff with all roles sees it. The page of a request is also
/// returned as the second person sees it.
async fn every_page(desk: &Desk, other: UserNumber) -> Vec<(String, String)> {
    let samples = Samples::create(desk, other).await;
    let ng = text(desk, "SELECT CAST(number AS TEXT) FROM users WHERE user_id = 'ng'").await;
    let mut addresses: Vec<String> = [
        "/",
        "/users",
        "/users?marked=no",
        "/users/searches",
        "/users/new",
        "/tasks",
        "/tasks/new",
        "/tasks/owners",
        "/runs",
        "/legal-holds",
        "/access-requests",
        "/users/801/data",
        "/staff",
        "/api-keys",
        "/custom-fields",
        "/library",
        "/notifications",
        "/account",
        "/audit",
        "/catalogue",
        "/approvals",
        "/residue",
        "/reports",
        "/reports/loans-per-month",
        "/personal-data",
        "/sign-in/again",
    ]
    .map(str::to_owned)
    .into();
    addresses.extend(
        ["", "/edit", "/anonymise", "/merge", "/merge?with=803", "?tab=history", "?tab=loans"]
            .map(|more| format!("/users/{ng}{more}")),
    );
    let staff = format!("/users/{other}/anonymise");
    addresses.push(staff.clone());
    addresses.extend(samples.addresses());
    let mut pages = Vec::new();
    for address in addresses {
        let (status, _, html) = desk.get(&address).await;
        assert_eq!(status, StatusCode::OK, "{address} {}", main_text(&html));
        pages.push((address, html));
    }
    let second = &samples.second;
    let request = format!("/approvals/{}", samples.approval);
    pages.push((request.clone(), second.get(&request).await.2));
    let form = format!("form[approval]={}", samples.approval);
    let (status, _, html) = second.post(&format!("/do/approve_request?page={request}"), form).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{html}");
    pages.push((staff.clone(), desk.get(&staff).await.2));
    let signed_out = Desk { cookie: String::new(), token: String::new(), ..desk.clone() };
    for address in ["/sign-in".to_owned(), format!("/invitation/{}", samples.invitation)] {
        let (status, _, html) = signed_out.get(&address).await;
        assert_eq!(status, StatusCode::OK, "{address} {}", main_text(&html));
        pages.push((address, html));
    }
    pages
}

/// Returns the text of a page, for the message of a failed test.
fn main_text(page: &str) -> String {
    let page = Html::parse_document(page);
    let main = Selector::parse("main").expect("a selector");
    page.select(&main).flat_map(|main| main.text()).collect::<Vec<_>>().join(" ").chars().take(900).collect()
}

/// Returns the problem at a field, or an empty text.
fn problem_of(page: &str, field: &str) -> String {
    let page = Html::parse_document(page);
    let problem = Selector::parse(&format!("[id='{field}-problem']")).expect("a selector");
    page.select(&problem).next().map(|problem| problem.text().collect()).unwrap_or_default()
}

/// A browser truncates a pasted text at `maxlength` silently. The server rejects a long value at its field instead.
async fn no_field_has_a_maxlength((desk, other): Library) {
    for (page, html) in every_page(&desk, other).await {
        assert!(!html.contains("maxlength"), "{page}");
    }
}

/// Fills a form so that only this field is invalid.
fn with_long_value(field: &str, form: &Rendered, text: &str) -> Rendered {
    let mut sent = form.clone();
    if form.action.starts_with("/do/change_password") {
        let new = PASSWORD.replace("plum", "pear");
        for (name, value) in [("form[old]", PASSWORD), ("form[password]", &*new), ("form[repeated]", &*new)] {
            sent.set(name, value);
        }
    }
    sent.set(field, text);
    sent
}

async fn a_value_that_is_too_long_is_rejected_at_its_field((desk, other): Library) {
    let long = "ä x".repeat(2_000);
    let mut tried = BTreeSet::new();
    for (page, html) in every_page(&desk, other).await {
        // The sign-in names no field. A new password is checked in the same way on the page of the account.
        if page.starts_with("/invitation/") || page == "/sign-in" {
            continue;
        }
        for form in forms(&html) {
            let function = form.action.split('?').next().unwrap_or_default().to_owned();
            for field in &form.fields {
                let is_text = matches!(field.kind, FieldKind::Text | FieldKind::Lines | FieldKind::Date);
                if !is_text || !tried.insert((function.clone(), field.name.clone())) {
                    continue;
                }
                let sent = with_long_value(&field.name, &form, &long);
                let (status, html) = if sent.posts {
                    let (status, _, html) = desk.post(&sent.action, sent.body()).await;
                    (status, html)
                } else {
                    let (status, _, html) = desk.get(&format!("{}?{}", sent.action, sent.body())).await;
                    (status, html)
                };
                let what = format!("{page} {function} {}", field.name);
                assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{what} {}", main_text(&html));
                let short = field.name.replace("form[", "").replace("][", ".").replace(']', "");
                assert!(!problem_of(&html, &short).is_empty(), "{what} {}", main_text(&html));
                let is_secret = ["old", "password", "repeated", "code"].contains(&short.as_str());
                assert!(is_secret || html.contains(long.trim()), "{what} is shown again in full");
            }
        }
    }
    assert!(tried.len() > 50, "{tried:?}");
}
