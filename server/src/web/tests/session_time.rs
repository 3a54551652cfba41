//! The lifetime of a session: background requests do not extend it, and the sign-in page says that it has ended.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::desk::{Desk, post};
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, USER_AGENT};
use axum::http::{Request, StatusCode};
use chrono::{Duration, Utc};
use sea_orm::ConnectionTrait as _;

/// Sets the age of the session, and the time since the last request.
async fn set_age(desk: &Desk, minutes: i64, silent_seconds: i64) {
    let created = (Utc::now() - Duration::minutes(minutes)).to_rfc3339();
    let seen = (Utc::now() - Duration::seconds(silent_seconds)).to_rfc3339();
    let sql = format!("UPDATE sessions SET created_at = '{created}', last_seen_at = '{seen}'");
    desk.store.db.execute_unprepared(&sql).await.unwrap();
}

/// Calls a server function as an island does. Returns the status and the answer.
async fn ask(desk: &Desk, address: &str, question: &'static str) -> (StatusCode, serde_json::Value) {
    let request =
        Request::post(address).header(CONTENT_TYPE, "application/json").body(Body::from(question)).unwrap();
    let (status, _, answer) = desk.answer(request).await;
    (status, serde_json::from_str(&answer).unwrap_or_default())
}

/// Returns the seconds that are left, and whether the session can be extended.
async fn left(desk: &Desk, address: &str) -> (i64, bool) {
    let (status, answer) = ask(desk, address, "{}").await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["warning"], 120_000);
    // The test itself takes some of the time.
    ((answer["left"].as_i64().unwrap() + 5_000) / 10_000 * 10, answer["can_stay"].as_bool().unwrap())
}

const TIME: &str = "/api/session_time";
const STAY: &str = "/api/stay_signed_in";

#[tokio::test]
async fn background_requests_do_not_extend_a_session() {
    let desk = Desk::open().await;
    set_age(&desk, 60, 19 * 60).await;
    for _ in 0..3 {
        assert_eq!(left(&desk, TIME).await, (60, true));
        // The progress of a run, which an open page polls.
        let (status, _) = ask(&desk, "/api/run_progress", r#"{"run":1}"#).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert_eq!(desk.get("/events/runs/1").await.0, StatusCode::NOT_FOUND);
        // A page that reloads itself, as the page of a run does without WebAssembly.
        assert_eq!(desk.get("/users?sort=name&by=itself").await.0, StatusCode::OK);
    }
    assert_eq!(left(&desk, STAY).await, (1200, true));
    assert_eq!(left(&desk, TIME).await, (1200, true));
    // A page that the user opens extends the session.
    set_age(&desk, 60, 19 * 60).await;
    assert_eq!(desk.get("/users").await.0, StatusCode::OK);
    assert_eq!(left(&desk, TIME).await, (1200, true));
}

#[tokio::test]
async fn no_request_extends_a_session_beyond_ten_hours() {
    let desk = Desk::open().await;
    set_age(&desk, 599, 0).await;
    for address in [TIME, STAY, TIME] {
        assert_eq!(left(&desk, address).await, (60, false));
    }
    set_age(&desk, 600, 0).await;
    for address in [TIME, STAY] {
        assert_eq!(ask(&desk, address, "{}").await, (StatusCode::UNAUTHORIZED, "NotSignedIn".into()));
    }
}

#[tokio::test]
async fn every_request_extends_a_session_with_a_short_idle_time() {
    let minute = std::time::Duration::from_mins(1);
    let sign_in = db::SignIn { allow_password_only: true, idle: minute, ..db::SignIn::default() };
    let mut desk = Desk::closed(sign_in).await;
    desk.staff("ng", &[policy::Role::Librarian]).await;
    desk.sign_in("ng").await;
    for _ in 0..3 {
        set_age(&desk, 5, 50).await;
        assert_eq!(desk.get("/users").await.0, StatusCode::OK);
        let (_, answer) = ask(&desk, TIME, "{}").await;
        assert!(answer["left"].as_i64().unwrap() > 50_000, "{answer}");
        assert_eq!(answer["warning"], 30_000, "the warning comes half a minute before the end");
    }
}

#[tokio::test]
async fn after_the_session_has_ended_the_sign_in_page_says_so_and_leads_back() {
    let desk = Desk::open().await;
    let ended = "Your session has ended.";
    set_age(&desk, 60, 20 * 60).await;
    let (status, _, page) = desk.get("/users/1?tab=loans").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(page.contains(ended) && page.contains("value=\"/users/1?tab=loans\""), "{page}");
    let (status, _, page) = desk.get("/sign-in?page=%2Fusers%2F1").await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains(ended) && page.contains("value=\"/users/1\""), "{page}");
    // After a form, the sign-in leads to its page.
    let (status, _, page) = desk.post("/do/save_user?page=/users/new", "form[last_name]=Ng").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(page.contains(ended) && page.contains("value=\"/users/new\""), "{page}");

    let mut signed_out = desk.clone();
    signed_out.cookie.clear();
    let (status, _, page) = signed_out.get("/users").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(!page.contains(ended), "there was no session");
    let form = "form[user_id]=everything&form[password]=wrong".to_owned();
    let (_, _, page) = desk.answer(post("/do/sign_in?page=/sign-in", form)).await;
    assert!(!page.contains(ended) && page.contains("is incorrect"), "{page}");
}

#[tokio::test]
async fn every_page_of_a_session_warns_before_its_end() {
    let desk = Desk::open().await;
    let warns = |page: &str| page.contains("Your session will end soon");
    let pages = app::route_access::ROUTE_ACCESS.iter().map(|(address, _)| *address);
    let pages: Vec<&str> =
        pages.filter(|page| !["/do/", "/api/", "/events/"].iter().any(|of| page.starts_with(of))).collect();
    let mut shown = 0;
    for page in pages {
        let address =
            page.replace("{id}", "1").replace("{report}", "loans-per-month").replace("{key}", "none");
        let (_, headers, html) = desk.get(&address).await;
        // A redirect has no page.
        if headers.contains_key("location") {
            continue;
        }
        if headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "text/html; charset=utf-8") {
            assert!(warns(&html), "{address}");
            shown += 1;
        }
    }
    assert!(shown > 25, "{shown}");
    let (_, _, account) = desk.get("/account").await;
    assert!(account.contains("20 minutes") && account.contains("10 hours"));
    let mut signed_out = desk.clone();
    signed_out.cookie.clear();
    assert!(!warns(&signed_out.get("/sign-in").await.2));
}

#[tokio::test]
async fn the_list_of_sessions_names_the_browser_of_each() {
    let desk = Desk::open().await;
    let firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
    let account = async |user_agent: &'static str| {
        let request = Request::get("/account").header(USER_AGENT, user_agent);
        desk.answer(request.body(Body::empty()).unwrap()).await.2
    };
    assert!(!desk.get("/account").await.2.contains(" on Windows"));
    account(firefox).await;
    assert!(desk.get("/account").await.2.contains("<td>Firefox on Windows</td>"));
    // The first name stays, and a script in the header is not stored.
    let page = account("<script>alert(1)</script>").await;
    assert!(page.contains("<td>Firefox on Windows</td>") && !page.contains("alert(1)"), "{page}");
}
