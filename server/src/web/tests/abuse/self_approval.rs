//! Forged posts that approve the own run, in any session, or a request that is no longer valid.

use super::library::{ANA, BEN, add_task, dump, execute, four_eyes, leaver, number, unchanged};
use crate::web::tests::desk::Desk;
use axum::http::StatusCode;
use policy::{Role, RunId, TaskId};
use safeguards::approval::{self, ApprovalStatus};

/// Ana previews a task with two users and requests approval, by the forms. Returns task, preview and request.
async fn request_approval(desk: &Desk) -> (TaskId, RunId, i64) {
    for name in ["Ng", "Okafor"] {
        leaver(&desk.store, name).await;
    }
    let task = add_task(&desk.store, "Leavers", false).await;
    let preview = preview(desk, task).await;
    (task, preview, ask(desk, preview).await)
}

async fn preview(desk: &Desk, task: TaskId) -> RunId {
    let (status, to, page) = desk.post("/do/make_preview?page=/tasks", format!("form[task]={task}")).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    RunId(to.strip_prefix("/runs/").unwrap().parse().unwrap())
}

async fn ask(desk: &Desk, preview: RunId) -> i64 {
    let (status, _, page) =
        desk.post("/do/request_approval?page=/tasks", format!("form[preview]={preview}")).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    approval::of_preview(&desk.store, preview).await.unwrap().unwrap().id.0
}

async fn approve(desk: &Desk, request: i64) -> (StatusCode, String) {
    let (status, _, page) = desk
        .post("/do/approve_request?page=/approvals", format!("form[approval]={request}&form[confirm]=2"))
        .await;
    (status, page)
}

async fn start(desk: &Desk, preview: RunId) -> (StatusCode, String) {
    let form = format!("form[preview]={preview}&form[confirm]=2");
    let (status, _, page) = desk.post(&format!("/do/start_run?page=/runs/{preview}"), form).await;
    (status, page)
}

/// Asserts that this preview cannot be started.
async fn assert_cannot_start(desk: &Desk, preview: RunId) {
    let (status, page) = start(desk, preview).await;
    assert_eq!(status, StatusCode::CONFLICT, "{page}");
    let started = format!("SELECT COUNT(*) FROM runs WHERE preview_id = {preview}");
    assert_eq!(number(&desk.store, &started).await, 0);
}

#[tokio::test]
async fn the_requester_cannot_approve_in_any_session() {
    let desk = four_eyes().await;
    let (_, preview, request) = request_approval(&desk).await;
    let second = desk.another(ANA).await;
    assert_ne!(second.cookie, desk.cookie);
    let before = dump(&desk.store).await;
    for session in [&desk, &second] {
        let (status, page) = approve(session, request).await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert!(page.contains("Another member of staff must approve it"), "{page}");
        assert_cannot_start(session, preview).await;
    }
    unchanged(&desk.store, &before, "approving one's own run").await;
    let status = approval::of_preview(&desk.store, preview).await.unwrap().unwrap().status;
    assert_eq!(status, ApprovalStatus::Waiting);
}

#[tokio::test]
async fn the_approver_cannot_start_the_run_and_a_low_role_cannot_approve() {
    let desk = four_eyes().await;
    let (_, preview, request) = request_approval(&desk).await;
    desk.staff("low", &[Role::Librarian]).await;
    let low = desk.another("low").await;
    assert_eq!(approve(&low, request).await.0, StatusCode::FORBIDDEN);
    let ben = desk.another(BEN).await;
    assert_eq!(approve(&ben, request).await.0, StatusCode::SEE_OTHER);
    assert_cannot_start(&ben, preview).await;
    assert_eq!(start(&low, preview).await.0, StatusCode::FORBIDDEN);
    assert_eq!(start(&desk, preview).await.0, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_request_for_an_outdated_preview_cannot_be_approved() {
    let edited = "UPDATE tasks SET version = version + 1";
    let expired = "UPDATE approvals SET expires_at = '2018-01-21 00:00:00+00:00'";
    let of_yesterday = "UPDATE runs SET today = '2018-01-20'";
    for sql in [edited, expired, of_yesterday] {
        let desk = four_eyes().await;
        let (_, preview, request) = request_approval(&desk).await;
        execute(&desk.store, sql).await;
        let ben = desk.another(BEN).await;
        let before = dump(&desk.store).await;
        let (status, page) = approve(&ben, request).await;
        assert_eq!(status, StatusCode::CONFLICT, "{sql}");
        assert!(page.contains("class=\"notice danger\""), "the reason is shown: {sql}");
        unchanged(&desk.store, &before, sql).await;
        assert_cannot_start(&desk, preview).await;
    }
}

#[tokio::test]
async fn an_approval_that_is_no_longer_valid_starts_no_run() {
    let edited = "UPDATE tasks SET version = version + 1";
    let expired = "UPDATE approvals SET expires_at = '2018-01-21 00:00:00+00:00'";
    let no_longer_staff =
        "DELETE FROM user_roles WHERE user_number = (SELECT number FROM users WHERE user_id = 'ben')";
    for sql in [edited, expired, no_longer_staff] {
        let desk = four_eyes().await;
        let (_, preview, request) = request_approval(&desk).await;
        assert_eq!(approve(&desk.another(BEN).await, request).await.0, StatusCode::SEE_OTHER);
        execute(&desk.store, sql).await;
        assert_cannot_start(&desk, preview).await;
    }
}

#[tokio::test]
async fn an_approval_belongs_to_one_preview_and_can_be_used_once() {
    let desk = four_eyes().await;
    let (task, old, request) = request_approval(&desk).await;
    let ben = desk.another(BEN).await;
    assert_eq!(approve(&ben, request).await.0, StatusCode::SEE_OTHER);
    // A new preview of the same users is not approved.
    let new = preview(&desk, task).await;
    assert_cannot_start(&desk, old).await;
    assert_cannot_start(&desk, new).await;
    let again = ask(&desk, new).await;
    assert_eq!(approve(&ben, again).await.0, StatusCode::SEE_OTHER);
    assert_eq!(approve(&ben, again).await.0, StatusCode::CONFLICT, "the request was decided");
    assert_eq!(start(&desk, new).await.0, StatusCode::SEE_OTHER);
    let (status, page) = start(&desk, new).await;
    assert_eq!(status, StatusCode::CONFLICT, "{page}");
    assert_eq!(number(&desk.store, "SELECT COUNT(*) FROM runs WHERE preview_id IS NOT NULL").await, 1);
}
