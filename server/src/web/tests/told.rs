//! What pages tell whoever is at the desk: who they are, what waits for them, what has come of a form.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::desk::Desk;
use axum::http::StatusCode;
use policy::{Conditions, Days, Policy, Role, Scope, TaskId};
use records::{Actor, approval, run};
use sea_orm::ConnectionTrait as _;

/// Everybody who left more than five days ago.
fn leavers() -> Policy {
    let conditions = Conditions { leaving: Days::new(5), ..Conditions::default() };
    Policy { scope: Scope::Imported, conditions, ..Policy::default() }
}

async fn execute(desk: &Desk, sql: &str) {
    desk.store.database().execute_unprepared(sql).await.unwrap();
}

#[tokio::test]
async fn every_page_says_who_is_signed_in() {
    let desk = Desk::open().await;
    execute(&desk, "UPDATE users SET first_name = 'Ana', last_name = 'Fink'").await;
    for address in ["/", "/users", "/account"] {
        assert!(desk.get(address).await.2.contains("<span class=\"who\">Ana Fink</span>"), "{address}");
    }
    let nobody = Desk { cookie: String::new(), ..desk.clone() };
    let (status, _, page) = nobody.get("/users").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(!page.contains("Ana Fink"));
}

/// Who may approve is told on every page what waits for them; who has asked for it, or may not approve, is not.
#[tokio::test]
async fn what_waits_for_a_second_person_is_told_to_them() {
    let desk = Desk::open().await;
    let policy = serde_json::to_string(&leavers()).unwrap();
    let task = format!(
        "INSERT INTO tasks (id, description, active, task_type, visibility, policy, schedule, created_at, changed_at) \
         VALUES (1, 'Leavers', FALSE, 'anonymise_user_data', 'shared', '{policy}', '{{\"kind\":\"manual_only\"}}', \
         '2018-01-01T12:00:00+00:00', '2018-01-01T12:00:00+00:00')"
    );
    execute(&desk, &task).await;
    desk.staff("second", &[Role::SystemsLibrarian]).await;
    desk.staff("low", &[Role::Librarian]).await;
    let told = "<a href=\"/approvals\">1 approval</a>";
    let second = desk.another("second").await;
    assert!(!second.get("/users").await.2.contains(told));
    execute(
        &desk,
        "INSERT INTO users (uuid, user_id, last_name, imported, created_on, leaving_on) VALUES \
         ('ng', 'ng', 'Ng', TRUE, '2016-01-01', '2017-01-01')",
    )
    .await;
    let preview = run::preview(&desk.store, Actor::COMMAND_LINE, TaskId(1)).await.unwrap();
    approval::ask(&desk.store, Actor::COMMAND_LINE, preview).await.unwrap();
    execute(&desk, "UPDATE approvals SET asked_by = (SELECT number FROM users WHERE user_id = 'everything')")
        .await;
    for address in ["/users", "/catalogue", "/account"] {
        assert!(second.get(address).await.2.contains(told), "{address}");
        assert!(!desk.get(address).await.2.contains(told), "who has asked: {address}");
    }
    let low = desk.another("low").await;
    assert!(!low.get("/users").await.2.contains(told), "who may not approve");
}

#[tokio::test]
async fn whose_role_is_removed_is_said_and_whether_it_was_the_last_one() {
    let desk = Desk::open().await;
    let ng = desk.staff("ng", &[Role::Librarian, Role::Cataloguer]).await;
    execute(&desk, &format!("UPDATE users SET first_name = 'Ana', last_name = 'Ng' WHERE number = {ng}"))
        .await;
    for (role, words) in [
        (Role::Librarian, "The role of Ana Ng is removed. They have to sign in again."),
        (Role::Cataloguer, "It was the last one: they are no longer staff and cannot sign in."),
    ] {
        let form = format!("form[user]={ng}&form[role]={}", role.code());
        let (status, to, _) = desk.post("/do/take_role?page=/staff", form).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let (_, _, page) = desk.get(&to).await;
        assert!(page.contains(words), "{words}");
    }
    assert!(!desk.get("/staff?removed=999").await.2.contains("is removed"));
}

/// Without WebAssembly a form that was not carried out is a new page: it begins with why, and the focus is there.
#[tokio::test]
async fn the_focus_is_on_why_a_form_came_back() {
    let desk = Desk::open().await;
    for (form, page) in [("/do/save_user", "/users/new"), ("/do/save_task", "/tasks/new")] {
        let (_, _, fresh) = desk.get(page).await;
        assert!(!fresh.contains(" autofocus"), "{page}");
        let (status, _, page) = desk.post(&format!("{form}?page={page}"), "").await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        let problems = page.split("id=\"problems\"").nth(1).unwrap_or_default();
        assert!(problems.split('>').next().unwrap_or_default().contains("autofocus"), "{form}");
    }
}
