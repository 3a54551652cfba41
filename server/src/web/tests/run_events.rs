//! The event stream of a run: its end and its limits.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::desk::Desk;
use axum::body::Body;
use axum::http::header::COOKIE;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use futures::StreamExt as _;
use policy::{Policy, Role, TaskSettings};
use sea_orm::ConnectionTrait as _;
use std::time::Duration;
use tower::ServiceExt as _;

/// Maximum number of streams of one member of staff.
const MAX_STREAMS_PER_USER: usize = 8;

/// Signs in a member of staff in a library with a queued run. The user number must be unique among the tests, which
/// count streams in the same process.
async fn desk(number: i64) -> Desk {
    let mut desk = Desk::open().await;
    for sql in [
        format!(
            "INSERT INTO users (number, uuid, last_name, created_on) VALUES ({number}, 'before', 'Before', '2018-01-01')"
        ),
        "INSERT INTO runs (id, kind, state, today, settings, rules_version, channel, created_at) SELECT 1, 'manual', \
         'queued', '2018-01-21', '{}', 1, 'web', '2018-01-21T12:00:00+00:00'"
            .to_owned(),
    ] {
        desk.store.db.execute_unprepared(&sql).await.unwrap();
    }
    let settings = TaskSettings::AnonymiseUserData(Policy::default());
    let settings = serde_json::to_string(&settings).unwrap();
    desk.store.db.execute_unprepared(&format!("UPDATE runs SET settings = '{settings}'")).await.unwrap();
    desk.staff("watcher", &[Role::Librarian, Role::SystemsLibrarian]).await;
    desk.sign_in("watcher").await;
    desk
}

async fn open_stream(desk: &Desk) -> Response {
    let request = Request::get("/events/runs/1").header(COOKIE, &desk.cookie).body(Body::empty()).unwrap();
    desk.router.clone().oneshot(request).await.unwrap()
}

#[tokio::test]
async fn the_event_stream_ends_after_the_sign_out() {
    let desk = desk(7_000).await;
    let answer = open_stream(&desk).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let mut events = answer.into_body().into_data_stream();
    let first = events.next().await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&first).contains("queued"));
    assert_eq!(desk.post("/do/sign_out?page=/sign-in", "").await.0, StatusCode::SEE_OTHER);
    let end = tokio::time::timeout(Duration::from_secs(10), events.next()).await;
    assert!(end.is_ok_and(|event| event.is_none()), "the stream ends");
}

#[tokio::test]
async fn the_number_of_streams_of_one_user_is_limited() {
    let desk = desk(8_000).await;
    let mut open = Vec::new();
    for _ in 0..MAX_STREAMS_PER_USER {
        let answer = open_stream(&desk).await;
        assert_eq!(answer.status(), StatusCode::OK);
        open.push(answer);
    }
    assert_eq!(open_stream(&desk).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let other = desk.another("everything").await;
    assert_eq!(open_stream(&other).await.status(), StatusCode::OK, "another user");
    open.pop();
    assert_eq!(open_stream(&desk).await.status(), StatusCode::OK, "one stream was closed");
}
