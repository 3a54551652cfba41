//! The same form sent twice, one after the other or concurrently, has one effect.

use super::forms::actor;
use super::library::{ANA, BEN, add_task, confirmed_preview, four_eyes, leaver, number};
use crate::web::tests::desk::Desk;
use axum::http::StatusCode;
use std::time::Duration;
use task_centre::{approval_workflow, run};

/// The number of concurrent posts.
const POSTS: usize = 8;

async fn count(desk: &Desk, sql: &str) -> i64 {
    number(&desk.store, &format!("SELECT COUNT(*) FROM {sql}")).await
}

/// Posts the same form several times concurrently. Returns the statuses.
async fn post_concurrently(desk: &Desk, address: &str, form: &str) -> Vec<StatusCode> {
    let posts = (0..POSTS).map(|_| {
        let (desk, address, form) = (desk.clone(), address.to_owned(), form.to_owned());
        tokio::spawn(async move { desk.post(&address, form).await.0 })
    });
    let mut statuses = Vec::new();
    for post in posts.collect::<Vec<_>>() {
        statuses.push(post.await.unwrap());
    }
    assert!(!statuses.iter().any(StatusCode::is_server_error), "{statuses:?}");
    statuses
}

fn done(statuses: &[StatusCode]) -> usize {
    statuses.iter().filter(|status| **status == StatusCode::SEE_OTHER).count()
}

async fn add_two_users(desk: &Desk) {
    for name in ["Ng", "Okafor"] {
        leaver(&desk.store, name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_that_is_started_twice_is_run_once() {
    let desk = four_eyes().await;
    add_two_users(&desk).await;
    let task = add_task(&desk.store, "Leavers", false).await;
    let preview = confirmed_preview(&desk.store, actor(&desk, ANA).await, task).await;
    let form = format!("form[preview]={preview}&form[confirm]=2");
    let address = format!("/do/start_run?page=/runs/{preview}");
    let statuses = post_concurrently(&desk, &address, &form).await;
    assert_eq!(done(&statuses), 1, "{statuses:?}");
    assert_eq!(desk.post(&address, &form).await.0, StatusCode::CONFLICT);
    for _ in 0..600 {
        if count(&desk, "runs WHERE preview_id IS NOT NULL AND finished_at IS NOT NULL").await == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(desk.post(&address, &form).await.0, StatusCode::CONFLICT);
    assert_eq!(count(&desk, "runs WHERE preview_id IS NOT NULL").await, 1);
    assert_eq!(
        count(&desk, "runs WHERE preview_id IS NOT NULL AND state = 'succeeded' AND done = 2").await,
        1
    );
    for (action, times) in [("run_started", 1), ("user_anonymised", 2)] {
        assert_eq!(count(&desk, &format!("audit_events WHERE action = '{action}'")).await, times, "{action}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_anonymised_once() {
    let desk = four_eyes().await;
    add_two_users(&desk).await;
    let task = add_task(&desk.store, "Settings for one", true).await;
    let ng = number(&desk.store, "SELECT number FROM users WHERE last_name = 'Ng'").await;
    let form = format!(
        "form[user]={ng}&form[task]={task}&form[version]=1&form[erasure_reason]=left&form[confirm]={ng}"
    );
    let address = format!("/do/anonymise_user?page=/users/{ng}/anonymise");
    let statuses = post_concurrently(&desk, &address, &form).await;
    // The later posts find the user anonymised, and succeed.
    assert_eq!(done(&statuses), POSTS, "{statuses:?}");
    assert_eq!(desk.post(&address, &form).await.0, StatusCode::SEE_OTHER);
    run::background_scans().await;
    for (sql, times) in [
        ("runs WHERE kind = 'single'", 1),
        ("run_members", 1),
        ("certificates", 1),
        ("audit_events WHERE action = 'user_anonymised'", 1),
        ("users WHERE anonymised_on IS NOT NULL", 1),
    ] {
        assert_eq!(count(&desk, sql).await, times, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_approved_once() {
    let desk = four_eyes().await;
    add_two_users(&desk).await;
    let task = add_task(&desk.store, "Leavers", false).await;
    let ana = actor(&desk, ANA).await;
    let preview = run::preview(&desk.store, ana, task).await.unwrap();
    let request = approval_workflow::request(&desk.store, ana, preview).await.unwrap();
    let ben = desk.another(BEN).await;
    let form = format!("form[approval]={request}");
    let approve = format!("{form}&form[confirm]=2");
    let address = "/do/approve_request?page=/approvals";
    let unconfirmed = ben.post(address, &form).await;
    assert!(unconfirmed.1.contains("kept="), "a request is not approved without the number: {unconfirmed:?}");
    let statuses = post_concurrently(&ben, address, &approve).await;
    assert_eq!(done(&statuses), 1, "{statuses:?}");
    assert_eq!(ben.post(address, &approve).await.0, StatusCode::CONFLICT);
    // An approved request cannot be declined.
    assert_eq!(ben.post("/do/decline_request?page=/approvals", &form).await.0, StatusCode::CONFLICT);
    assert_eq!(count(&desk, "audit_events WHERE action = 'approval_given'").await, 1);
    assert_eq!(count(&desk, "approvals WHERE decision = 'approved'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_twice_creates_one_request() {
    let desk = four_eyes().await;
    add_two_users(&desk).await;
    let task = add_task(&desk.store, "Leavers", false).await;
    let preview = run::preview(&desk.store, actor(&desk, ANA).await, task).await.unwrap();
    let form = format!("form[preview]={preview}");
    let statuses = post_concurrently(&desk, "/do/request_approval?page=/tasks", &form).await;
    assert_eq!(done(&statuses), POSTS, "{statuses:?}");
    assert_eq!(count(&desk, "approvals").await, 1);
}
