//! The message after an executed form appears only if its action took place.

use super::desk::{Desk, post, without_proof};
use super::tasks;
use axum::http::StatusCode;
use policy::Role;
use sea_orm::ConnectionTrait as _;

async fn execute(desk: &Desk, sql: &str) {
    desk.store.db.execute_unprepared(sql).await.expect("a change");
}

/// Opens a library with a user and a task. Returns the address of the task after it was saved.
async fn library() -> (Desk, String) {
    let desk = Desk::open().await;
    execute(&desk, "INSERT INTO users (number, uuid, last_name) VALUES (77, 'u-77', 'Ng')").await;
    let (status, to, page) = desk.post("/do/save_task?page=/tasks/new", super::task_form("")).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    (desk, to)
}

#[tokio::test]
async fn a_message_needs_the_proof_of_its_action() {
    let (desk, to) = library().await;
    let is_shown = async |desk: &Desk, address: &str| desk.get(address).await.2.contains("Task created.");
    assert!(is_shown(&desk, &to).await, "{to}");
    assert!(!is_shown(&desk, without_proof(&to)).await);
    let proof = to.split_once("&proof=").expect("a proof").1;
    for address in [
        format!("/tasks?done=task-created&proof={proof}"),
        format!("/tasks/1?done=task-deleted&proof={proof}"),
        format!("/tasks/1?done=task-created&proof={}", &proof[1..]),
    ] {
        assert!(!desk.get(&address).await.2.contains("notice success"), "{address}");
    }
    desk.staff("other", &Role::ALL).await;
    assert!(!is_shown(&desk.another("other").await, &to).await);
    // Signing in again leads to the page that was asked for, and proves nothing.
    let (_, _, page) = desk.get("/staff?removed=1&done=role-removed").await;
    assert!(!page.contains("Role removed from"), "{page}");
}

#[tokio::test]
async fn an_action_without_effect_is_rejected() {
    let (desk, _) = library().await;
    let ben = desk.staff("ben", &[Role::Librarian]).await;
    let role = |code: &str| format!("form[user]={ben}&form[role]={code}");
    execute(&desk, "UPDATE tasks SET single_default = TRUE").await;
    for (function, page, form, why) in [
        ("unmark_user", "/users/77", "form[user]=77".to_owned(), "was not marked for deletion"),
        ("mark_user", "/users/77", "form[user]=77".to_owned(), ""),
        ("mark_user", "/users/77", "form[user]=77".to_owned(), "was already marked for deletion"),
        ("deactivate_task", "/tasks/1", "form[task]=1".to_owned(), "is already inactive"),
        ("make_task_default", "/tasks/1", "form[task]=1".to_owned(), "is already the default"),
        ("grant_role", "/staff", role("librarian"), "already has this role"),
        ("add_staff", "/staff", "form[user_id]=ben&form[role]=librarian".to_owned(), "already has this role"),
        ("revoke_role", "/staff", role("dpo"), "does not have this role"),
        ("disable_staff", "/staff", format!("form[user]={ben}"), ""),
        ("disable_staff", "/staff", format!("form[user]={ben}"), "already cannot sign in"),
    ] {
        let (status, to, html) = desk.post(&format!("/do/{function}?page={page}"), &form).await;
        if why.is_empty() {
            assert_eq!(status, StatusCode::SEE_OTHER, "{function}: {html}");
        } else {
            assert_eq!((status, to.as_str()), (StatusCode::CONFLICT, ""), "{function}: {html}");
            assert!(html.contains(why), "{function}: {html}");
        }
    }
}

#[tokio::test]
async fn the_files_are_cleaned_only_for_an_existing_run() {
    let desk = Desk::open().await;
    for run in ["-1", "0", "9223372036854775807"] {
        let (status, to, _) = desk.post("/do/clean_files?page=/runs", format!("form[run]={run}")).await;
        assert_eq!((status, to.as_str()), (StatusCode::NOT_FOUND, ""), "{run}");
    }
    let (_, _, audit) = desk.get("/audit?action=files_maintained").await;
    assert!(!audit.contains("<th scope=\"row\">Database files cleaned</th>"), "{audit}");
}

#[tokio::test]
async fn a_form_without_a_valid_key_is_rejected() {
    let (desk, _) = library().await;
    let before = tasks(&desk.store).await;
    for key in ["", "&form_key=", "&form_key=1", &format!("&form_key={}", "x".repeat(64))] {
        let form = format!("form[task]=1&form_token={}", desk.token);
        let request = post("/do/copy_task?page=/tasks/1", format!("{form}&form_key="))
            .map(|_| format!("{form}{key}").into());
        let (status, _, page) = desk.answer(request).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{key}");
        assert!(page.contains("could not be read"), "{key}: {page}");
    }
    assert_eq!(tasks(&desk.store).await, before);
}

#[tokio::test]
async fn an_outdated_task_form_links_to_the_task() {
    let (desk, _) = library().await;
    let address = "/do/save_task?page=/tasks/1/edit";
    let form = super::task_form("&form[id]=1&form[version]=1");
    assert_eq!(desk.post(address, &form).await.0, StatusCode::SEE_OTHER);
    let (status, _, page) = desk.post(address, &form).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("The task was changed after you opened it"), "{page}");
    assert!(page.contains("<a href=\"/tasks/1/edit\">Open the task again</a>"), "{page}");
}
