//! The progress of a run: for whom it goes on, and how often.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::desk::Desk;
use axum::body::Body;
use axum::http::header::COOKIE;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use futures::StreamExt as _;
use policy::Role;
use sea_orm::ConnectionTrait as _;
use std::time::Duration;
use tower::ServiceExt as _;

/// How many runs one person watches at once.
const MAX_OF_ONE: usize = 8;

/// Somebody at a desk with a run that waits, and does not end. Their number is nobody's in the other tests, which count
/// in the same process.
async fn desk(number: i64) -> Desk {
    let mut desk = Desk::open().await;
    for sql in [
        format!(
            "INSERT INTO users (number, uuid, last_name, created_on) VALUES ({number}, 'before', 'Before', '2018-01-01')"
        ),
        "INSERT INTO runs (id, kind, state, today, policy, rules_version, channel, created_at) SELECT 1, 'manual', \
         'queued', '2018-01-21', '{}', 1, 'web', '2018-01-21T12:00:00+00:00'"
            .to_owned(),
    ] {
        desk.store.database().execute_unprepared(&sql).await.unwrap();
    }
    let policy = serde_json::to_string(&policy::Policy::default()).unwrap();
    desk.store.database().execute_unprepared(&format!("UPDATE runs SET policy = '{policy}'")).await.unwrap();
    desk.staff("watcher", &[Role::Librarian, Role::SystemsLibrarian]).await;
    desk.sign_in("watcher").await;
    desk
}

async fn watch(desk: &Desk) -> Response {
    let request = Request::get("/events/runs/1").header(COOKIE, &desk.cookie).body(Body::empty()).unwrap();
    desk.router.clone().oneshot(request).await.unwrap()
}

#[tokio::test]
async fn who_has_signed_out_watches_no_longer() {
    let desk = desk(7_000).await;
    let answer = watch(&desk).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let mut events = answer.into_body().into_data_stream();
    let first = events.next().await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&first).contains("queued"));
    assert_eq!(desk.post("/do/sign_out?page=/sign-in", "").await.0, StatusCode::SEE_OTHER);
    let end = tokio::time::timeout(Duration::from_secs(10), events.next()).await;
    assert!(end.is_ok_and(|event| event.is_none()), "the events end");
}

#[tokio::test]
async fn one_person_watches_only_so_many_runs_at_once() {
    let desk = desk(8_000).await;
    let mut open = Vec::new();
    for _ in 0..MAX_OF_ONE {
        let answer = watch(&desk).await;
        assert_eq!(answer.status(), StatusCode::OK);
        open.push(answer);
    }
    assert_eq!(watch(&desk).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let other = desk.another("everything").await;
    assert_eq!(watch(&other).await.status(), StatusCode::OK, "another person");
    open.pop();
    assert_eq!(watch(&desk).await.status(), StatusCode::OK, "one page was closed");
}
