//! Each form with every field filled: what was sent is stored, or rejected at its field. The fields are those of the pages,
//! so that a field which a function ignores is found without a line here.

use super::desk::Desk;
use super::rendered::{Field, Kind, Rendered, form, forms};
use axum::http::StatusCode;
use policy::{Role, UserNumber};
use sea_orm::{ConnectionTrait as _, Statement};
use std::collections::BTreeSet;

async fn execute(desk: &Desk, sql: &str) {
    desk.store.database().execute_unprepared(sql).await.expect("a change");
}

async fn text(desk: &Desk, sql: &str) -> String {
    let db = desk.store.database();
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.expect("a row");
    row.and_then(|row| row.try_get_by_index::<Option<String>>(0).expect("a text")).unwrap_or_default()
}

/// A library with custom fields, codes, somebody to name, a task, a hold and a task without an owner.
async fn library() -> (Desk, UserNumber) {
    let desk = Desk::open().await;
    for sql in [
        "INSERT INTO custom_fields VALUES ('locker', 'Locker'), ('team', 'Team')",
        "INSERT INTO terms (kind, code, name) VALUES ('category', 'STU', 'Student'), ('department', 'LAW', 'Law')",
        "INSERT INTO users (uuid, user_id, last_name, category) VALUES ('uuid of Ng', 'ng', 'Ng', 'STU')",
    ] {
        execute(&desk, sql).await;
    }
    let other = desk.staff("other", &[Role::SystemsLibrarian]).await;
    (desk, other)
}

/// Fills a field with something that stands nowhere else.
fn fill(field: &mut Field, person: UserNumber) {
    let short = field.name.replace(['[', ']'], " ").trim().replace("form ", "");
    field.value = match &mut field.kind {
        Kind::Hidden | Kind::Picker | Kind::Radio(_) => return,
        Kind::Tick(set) => {
            *set = true;
            return;
        }
        Kind::List(codes) => {
            codes.iter().rev().find(|code| **code != field.value).cloned().unwrap_or_default()
        }
        Kind::Date => "15/01/2017".to_owned(),
        Kind::Lines => format!("First line of {short}\nsecond line"),
        Kind::Text => match short.as_str() {
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

#[tokio::test]
async fn every_field_of_a_user_is_stored() {
    let (desk, other) = library().await;
    let new = filled(form(&desk.get("/users/new").await.2, "/do/save_user"), other);
    assert!(new.shown().count() >= 27, "{new:?}");
    let (status, location, page) = desk.post(&new.action, new.body()).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let record = location.split('?').next().expect("an address").to_owned();
    let saved = form(&desk.get(&format!("{record}/edit")).await.2, "/do/save_user");
    assert_eq!(saved.entered(), new.entered());
    assert!(desk.get(&record).await.2.contains("15 Jan 2017"), "dates are shown as pages print them");

    // Everything is changed, and then emptied.
    let mut changed = saved.clone();
    for field in changed.fields.iter_mut().filter(|field| matches!(field.kind, Kind::Text | Kind::Lines)) {
        if !["form[email]", "form[guarantor]"].contains(&field.name.as_str()) {
            field.value.push_str(" again");
        }
    }
    changed.set("form[birth_date]", "1.2.1990");
    let (status, _, page) = desk.post(&changed.action, changed.body()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "two meanings");
    assert!(page.contains("Write the month as a word: 1 Feb 1990 or 2 Jan 1990"), "{page}");
    changed.set("form[birth_date]", "31.1.1990");
    let (status, _, page) = desk.post(&changed.action, changed.body()).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let saved = form(&desk.get(&format!("{record}/edit")).await.2, "/do/save_user");
    assert_eq!(saved.entered(), changed.entered());
}

/// A date that is picked takes the place of the text; without WebAssembly the server sees which of the two was changed.
#[tokio::test]
async fn a_date_is_typed_or_picked() {
    let (desk, _) = library().await;
    let stored = "SELECT leaving_on FROM users WHERE last_name = 'Picked'";
    let mut new = form(&desk.get("/users/new").await.2, "/do/save_user");
    new.set("form[last_name]", "Picked");
    let picker = |form: &Rendered| {
        let of_leaving =
            |field: &&Field| field.kind == Kind::Picker && field.name.ends_with("form[leaving_on]");
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
    assert!(page.contains("18 Mar 2018 / 19 Mar 2018"), "both are shown, neither is dropped");
    assert_eq!(text(&desk, stored).await, "2018-03-17");
}

const OF_KINDS: [(&str, &[&str]); 6] = [
    ("manual", &[]),
    ("once", &["once_date", "time"]),
    ("daily", &["time"]),
    ("weekly", &["weekdays", "time"]),
    ("monthly", &["month_day", "time"]),
    ("cron", &["cron"]),
];

/// The form of a new task with every field filled that a kind of schedule uses.
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
        ("form[loan_text]", "mark"),
        ("form[missed]", "skip"),
    ] {
        new.set(name, value);
    }
    new.set("form[category]", "data_maintenance");
    new.set("form[task_type]", "anonymise_user_data");
    for (field, before) in new.fields.iter_mut().zip(&empty.fields) {
        let part = field.name.trim_start_matches("form[").split(']').next().unwrap_or_default();
        let is_of_a_kind = OF_KINDS.iter().any(|(_, parts)| parts.contains(&part));
        if is_of_a_kind && !used.contains(&part) {
            field.clone_from(before);
        }
    }
    new
}

#[tokio::test]
async fn every_field_of_a_task_is_stored() {
    let (mut desk, other) = library().await;
    for (kind, used) in OF_KINDS {
        let new = task_form(&desk, other, kind, used).await;
        let (status, location, page) = desk.post(&new.action, new.body()).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{kind} {page}");
        assert_eq!(location, "/tasks?done=task-saved-for-owner", "a private task of another owner");
        let id = text(&desk, "SELECT CAST(MAX(id) AS TEXT) FROM tasks").await;
        let token = (desk.cookie.clone(), desk.token.clone());
        desk.sign_in("other").await;
        let saved = form(&desk.get(&format!("/tasks/{id}/edit")).await.2, "/do/save_task");
        (desk.cookie, desk.token) = token;
        assert_eq!(saved.entered(), new.entered(), "{kind}");
    }
}

/// What is filled but belongs to another kind of schedule, or to a condition that isn't ticked, is rejected at its field.
#[tokio::test]
async fn what_a_task_would_not_use_is_rejected_at_its_field() {
    let (desk, other) = library().await;
    for (kind, used) in OF_KINDS {
        let all = ["once_date", "time", "weekdays", "month_day", "cron"];
        let new = task_form(&desk, other, kind, &all).await;
        let (status, _, page) = desk.post(&new.action, new.body()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{kind}");
        for part in all {
            let place = format!("id=\"{part}-problem\" class=\"problem\">");
            let (_, at_field) = page.split_once(&place).expect("the place for the problem");
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
        tick.kind = Kind::Tick(false);
        let (status, _, page) = desk.post(&new.action, new.body()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{condition}");
        let place = format!("id=\"{condition}_days-problem\" class=\"problem\">");
        let (_, at_field) = page.split_once(&place).expect("the place");
        assert!(at_field.starts_with("Tick the condition, or clear the number"), "{condition}");
        assert!(page.contains("The rule is incomplete"), "the summary describes no wider rule");
        let summary =
            page.split_once("class=\"sentence\">").and_then(|(_, rest)| rest.split("</div>").next());
        assert!(!summary.expect("a summary").contains("Users who "), "{page}");
    }
    assert_eq!(text(&desk, "SELECT CAST(COUNT(*) AS TEXT) FROM tasks").await, "0");
}

/// The forms that store one thing or two: a field, what is sent, and where it is stored.
#[tokio::test]
async fn every_field_of_the_smaller_forms_is_stored() {
    type Fields<'a> = Vec<(&'a str, &'a str, String, &'a str)>;

    let (desk, other) = library().await;
    let ng = text(&desk, "SELECT CAST(number AS TEXT) FROM users WHERE user_id = 'ng'").await;
    let today = desk.store.clock().today();
    let (review, later) = (today + chrono::Duration::days(90), today + chrono::Duration::days(120));
    execute(
        &desk,
        "INSERT INTO tasks (description, active, task_type, visibility, policy, schedule, created_at, changed_at) VALUES \
         ('Lost', FALSE, 'anonymise_user_data', 'private', '{}', '{\"kind\":\"manual_only\"}', '2018-01-01T12:00:00+00:00', \
         '2018-01-01T12:00:00+00:00')",
    )
    .await;
    let owner = other.to_string();
    let (review_words, later_words) = (policy::dates::shown(review), policy::dates::shown(later));
    let hold = "FROM legal_holds ORDER BY id DESC LIMIT 1";
    let role = format!("SELECT role FROM user_roles WHERE user_number = {other} AND role = 'dpo'");
    let cases: Vec<(String, &str, Fields<'_>)> = vec![
        (
            format!("/users/{ng}"),
            "/do/place_hold",
            vec![
                ("form[reason]", "dispute", format!("SELECT reason {hold}"), "dispute"),
                ("form[owner]", &owner, format!("SELECT CAST(owner_number AS TEXT) {hold}"), &owner),
                ("form[review_on]", &review_words, format!("SELECT review_on {hold}"), &review_words),
            ],
        ),
        (
            "/holds".to_owned(),
            "/do/place_hold",
            vec![
                ("form[category]", "STU", format!("SELECT category {hold}"), "STU"),
                ("form[reason]", "dispute", format!("SELECT reason {hold}"), "dispute"),
                ("form[owner]", &owner, format!("SELECT CAST(owner_number AS TEXT) {hold}"), &owner),
                ("form[review_on]", &review_words, format!("SELECT review_on {hold}"), &review_words),
            ],
        ),
        (
            "/holds/1".to_owned(),
            "/do/review_hold",
            vec![("form[review_on]", &later_words, "SELECT review_on FROM legal_holds WHERE id = 1".to_owned(), &later_words)],
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
        ("/staff".to_owned(), "/do/give_role", vec![("form[role]", "dpo", role, "dpo")]),
        (
            "/tasks/owners".to_owned(),
            "/do/reassign_task",
            vec![("form[owner]", &owner, "SELECT CAST(owner_number AS TEXT) FROM tasks".to_owned(), &owner)],
        ),
    ];
    for (page, function, fields) in &cases {
        let html = desk.get(page).await.2;
        let of_other = |form: &Rendered| {
            function != &"/do/give_role"
                || form.fields.iter().any(|field| field.value == owner && field.kind == Kind::Hidden)
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
        for (name, _, sql, stored) in fields {
            assert_eq!(policy::dates::as_shown(&text(&desk, sql).await), *stored, "{function} {name}");
        }
    }
}

/// Filters come back in the form of the list that they lead to.
#[tokio::test]
async fn every_filter_comes_back() {
    let (desk, other) = library().await;
    for (page, action) in [
        ("/users", "/do/find_users"),
        ("/tasks", "/tasks"),
        ("/runs", "/runs"),
        ("/holds", "/holds"),
        ("/audit", "/audit"),
        ("/reports/loans-per-month", "/reports/loans-per-month"),
        ("/catalogue", "/catalogue"),
    ] {
        let mut sent = form(&desk.get(page).await.2, action);
        for field in &mut sent.fields {
            fill(field, other);
            let is_number = ["staff", "id", "run", "user", "task"].contains(&field.name.as_str());
            if is_number && field.kind == Kind::Text {
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
    // A choice that there is not would make the list a longer one.
    for address in [
        "/tasks?status=bogus",
        "/tasks?type=x",
        "/runs?task=x",
        "/runs?kind=x",
        "/runs?state=x",
        "/holds?show=x",
        "/holds?user=x",
    ] {
        assert_eq!(desk.get(address).await.0, StatusCode::UNPROCESSABLE_ENTITY, "{address}");
    }
}

/// Every form that is posted and has something to fill in is tried in a test of this file, or asks for a confirmation or a
/// secret that is compared and never stored.
#[tokio::test]
async fn no_form_is_forgotten() {
    let (desk, other) = library().await;
    let tried = [
        "/do/save_user",
        "/do/save_task",
        "/do/place_hold",
        "/do/review_hold",
        "/do/add_staff",
        "/do/give_role",
        "/do/reassign_task",
        "/do/find_users",
    ];
    let compared: [(&str, &[&str]); 4] = [
        ("/do/anonymise_user", &["form[confirm]"]),
        ("/do/start_run", &["form[confirm]"]),
        ("/do/change_password", &["form[old]", "form[password]", "form[repeated]"]),
        ("/do/find_people", &["form[verdict]", "form[reason]", "form[outcome]", "form[q]"]),
    ];
    let task = form(&desk.get("/tasks/new").await.2, "/do/save_task");
    let mut task = filled(task, other);
    for (name, value) in [("form[category]", "data_maintenance"), ("form[task_type]", "anonymise_user_data")]
    {
        task.set(name, value);
    }
    let mut pages: Vec<String> = [
        "/",
        "/users",
        "/users/new",
        "/tasks",
        "/tasks/new",
        "/tasks/owners",
        "/runs",
        "/holds",
        "/staff",
        "/account",
        "/audit",
        "/catalogue",
        "/approvals",
        "/residue",
        "/reports",
        "/sign-in/again",
    ]
    .map(str::to_owned)
    .into();
    let ng = text(&desk, "SELECT CAST(number AS TEXT) FROM users WHERE user_id = 'ng'").await;
    pages.extend(
        ["", "/edit", "/anonymise", "?tab=history", "?tab=loans"].map(|more| format!("/users/{ng}{more}")),
    );
    for page in pages {
        for form in forms(&desk.get(&page).await.2).into_iter().filter(|form| form.posts) {
            let function = form.action.split('?').next().unwrap_or_default().to_owned();
            for field in form.shown() {
                let known = tried.contains(&function.as_str())
                    || compared
                        .iter()
                        .any(|(of, fields)| *of == function && fields.contains(&field.name.as_str()))
                    || function == "/do/sign_in_again";
                assert!(known, "{page}: {} of {function} is in no test", field.name);
            }
        }
    }
}
