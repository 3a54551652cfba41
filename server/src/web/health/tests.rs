//! Tests of health and metrics: ok, warning and failing.

use super::{CACHE_TTL, LIVEZ, Probes};
use crate::network::NetworkConfig;
use crate::scheduler::Heartbeat;
use crate::site::Site;
use crate::web::tests::desk::Desk;
use crate::web::{router, state};
use app::state::Cookies;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::{Request, StatusCode};
use db::{Clock, Fault, Settings, Storage};
use policy::task_form::TaskForm;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use task_centre::task;
use tempfile::TempDir;
use tower::ServiceExt as _;
use trail::{Actor, Store};

async fn library() -> (TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}/test.db?mode=rwc", folder.path().display());
    let clock = Clock::new(chrono_tz::Tz::Europe__London);
    let store =
        operations::open_store(&url, clock, Settings::in_folder(folder.path())).await.expect("a store");
    (folder, store)
}

const TOKEN: &str = "0123456789abcdef";

fn desk(folder: &TempDir, store: &Store, heartbeat: Heartbeat) -> Router {
    let network = NetworkConfig { metrics_token: Some(TOKEN.into()), ..NetworkConfig::default() };
    let site = Site::Folder(folder.path().to_owned());
    router(&state(&site, store.clone(), Cookies::Plain, &network), &site, &network, heartbeat)
}

async fn overdue_task(store: &Store) {
    let form = TaskForm {
        description: "Words of the library".to_owned(),
        by_leaving: true,
        leaving_days: "5".to_owned(),
        schedule: "daily".to_owned(),
        ..TaskForm::new_task()
    };
    task::save(store, Actor::COMMAND_LINE, &form).await.expect("a task");
    let long_ago = "UPDATE tasks SET next_due_at = '2020-01-01T02:30:00+00:00'";
    store.db.execute_unprepared(long_ago).await.expect("a change");
}

async fn answer(router: &Router, path: &str, host: &str) -> (StatusCode, String) {
    let request = Request::get(path).header(HOST, host).header(AUTHORIZATION, format!("Bearer {TOKEN}"));
    let request = request.body(Body::empty()).expect("a request");
    let answer = router.clone().oneshot(request).await.expect("an answer");
    let status = answer.status();
    let body = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
    (status, String::from_utf8_lossy(&body).into_owned())
}

async fn healthz(router: &Router) -> (StatusCode, Value) {
    let (status, body) = answer(router, "/healthz", "localhost").await;
    (status, serde_json::from_str(&body).expect("JSON"))
}

#[tokio::test]
async fn healthz_is_ok_with_a_warning_or_failing() {
    let (folder, store) = library().await;
    let router_with = |heartbeat| desk(&folder, &store, heartbeat);
    let (status, well) = healthz(&router_with(Heartbeat::default())).await;
    assert_eq!(
        (status, &well["status"], &well["database"]),
        (StatusCode::OK, &json!("ok"), &json!("reachable"))
    );
    assert_eq!(well["conditions"], json!([]));
    let (status, late) = healthz(&router_with(Heartbeat::with_age(60))).await;
    assert_eq!((status, &late["status"]), (StatusCode::OK, &json!("ok")));
    let (status, silent) = healthz(&router_with(Heartbeat::with_age(62))).await;
    assert_eq!((status, &silent["status"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("failing")));
    assert!(silent["scheduler"]["seconds_since_last_tick"].as_i64() >= Some(62));

    overdue_task(&store).await;
    let router = router_with(Heartbeat::default());
    let (status, warning) = healthz(&router).await;
    assert_eq!((status, &warning["status"]), (StatusCode::OK, &json!("warning")));
    let expected =
        json!([{ "code": "overdue", "task": 1, "run": null, "since": "2020-01-01T02:30:00+00:00" }]);
    assert_eq!(warning["conditions"], expected);

    store.db.clone().close().await.expect("closed");
    tokio::time::sleep(CACHE_TTL).await;
    let (status, gone) = healthz(&router).await;
    assert_eq!((status, &gone["database"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("unreachable")));
}

async fn get_with_token(router: &Router, path: &str, token: Option<&str>) -> (StatusCode, String) {
    let mut request = Request::get(path).header(HOST, "localhost");
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, token);
    }
    let answer =
        router.clone().oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
    let status = answer.status();
    let body = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn without_the_token_health_is_only_up_or_down() {
    let (folder, store) = library().await;
    overdue_task(&store).await;
    let router = desk(&folder, &store, Heartbeat::default());
    let (up, down) = ("{\"status\":\"up\"}".to_owned(), "{\"status\":\"down\"}".to_owned());
    for token in [None, Some("Bearer wrong"), Some(TOKEN), Some("Bearer "), Some("Basic 0123456789abcdef")] {
        for path in ["/healthz", "/readyz", "/livez"] {
            assert_eq!(get_with_token(&router, path, token).await, (StatusCode::OK, up.clone()), "{path}");
        }
        assert_eq!(
            get_with_token(&router, "/metrics", token).await,
            (StatusCode::UNAUTHORIZED, String::new())
        );
    }
    for fault in [Fault::DiskFull(Storage::Database), Fault::Unwritable(Storage::Ledger)] {
        store.vitals.report(fault);
        for path in ["/healthz", "/readyz"] {
            let answer = get_with_token(&router, path, None).await;
            assert_eq!(answer, (StatusCode::SERVICE_UNAVAILABLE, down.clone()), "{path} {fault:?}");
        }
        assert_eq!(get_with_token(&router, "/livez", None).await.1, up);
        let (_, health) = healthz(&router).await;
        let codes = health["conditions"].as_array().expect("conditions");
        assert!(codes.iter().any(|one| one["code"] == "disk_full"), "{health}");
    }
}

#[tokio::test]
async fn metrics_are_numbers_without_text_of_a_task() {
    let (folder, store) = library().await;
    overdue_task(&store).await;
    for state in ["succeeded", "queued"] {
        let run = format!(
            "INSERT INTO runs (task_id, kind, state, today, settings, rules_version, channel, created_at, done) \
             VALUES (1, 'scheduled', '{state}', '2020-01-01', '{{}}', 1, 'schedule', '2020-01-01T02:30:00+00:00', 7)"
        );
        store.db.execute_unprepared(&run).await.expect("a run");
    }
    let holds = "INSERT INTO legal_holds (category, reason, placed_on, review_on) VALUES \
                 ('STUDENT', 'dispute', '2019-01-01', '2019-06-01'), ('GUEST', 'other', '2019-01-01', '2019-06-01'), \
                 ('STAFF', 'other', '2019-01-01', '2999-01-01')";
    store.db.execute_unprepared(holds).await.expect("legal holds");
    let held = "INSERT INTO held_lines (digest, kind, source, line, line_digest, first_seen_on, last_seen_on, \
                times_seen) VALUES ('a', 'user_id', 'scim', 0, 'x', '2019-01-01', '2019-01-01', 1)";
    store.db.execute_unprepared(held).await.expect("a held line");
    let router = desk(&folder, &store, Heartbeat::with_age(3));
    let (status, text) = answer(&router, "/metrics", "127.0.0.1:3000").await;
    assert_eq!(status, StatusCode::OK);
    for line in [
        "lethe_database_up 1",
        "lethe_conditions{condition=\"overdue\"} 1",
        "lethe_conditions{condition=\"missed\"} 0",
        "lethe_conditions{condition=\"stalled\"} 0",
        "lethe_conditions{condition=\"legal_holds_due\"} 1",
        "lethe_legal_holds_due 2",
        "lethe_conditions{condition=\"held_lines_waiting\"} 1",
        "lethe_held_lines_waiting 1",
        "lethe_runs{kind=\"scheduled\",state=\"succeeded\"} 1",
        "lethe_people_total{outcome=\"done\"} 14",
        "lethe_people_total{outcome=\"failed\"} 0",
        "lethe_queued_runs 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    // The test itself takes some of the time.
    let age = text.lines().find_map(|line| line.strip_prefix("lethe_scheduler_last_tick_age_seconds "));
    assert!(age.is_some_and(|age| age.parse::<f64>().is_ok_and(|age| (3.0..60.0).contains(&age))), "{age:?}");
    assert!(text.contains("lethe_build_info{version=\""), "{text}");
    assert!(!text.contains("Words"), "{text}");

    store.db.clone().close().await.expect("closed");
    let (status, text) = answer(&router, "/metrics", "127.0.0.1:3000").await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("lethe_database_up 0") && !text.contains("lethe_runs"), "{text}");
}

#[tokio::test]
async fn every_page_lists_the_conditions_that_need_attention() {
    let desk = Desk::open().await;
    let store = desk.store.clone();
    let pages = ["/", "/tasks", "/users", "/personal-data", "/nowhere"];
    for page in pages {
        let (_, _, body) = desk.get(page).await;
        let banner = body.split_once("Needs attention").and_then(|(_, rest)| rest.split("</div>").next());
        // The setting of this test library is the only condition.
        let banner = banner.unwrap_or_default();
        assert!(
            banner.contains("Second factors are off") && banner.matches("<li>").count() == 1,
            "{page} {banner}"
        );
    }
    for _ in 0..5 {
        overdue_task(&store).await;
    }
    for page in pages {
        let (_, _, body) = desk.get(page).await;
        assert!(body.contains("role=\"status\" aria-label=\"Needs attention\""), "{page}");
        assert_eq!(body.matches("is overdue").count(), 3, "{page}");
        assert!(body.contains("href=\"/tasks/1\"") && body.contains("“Words of the library”"), "{page}");
        assert!(body.contains("<a href=\"/runs\">and ") && body.contains("1 Jan 2020 02:30"), "{page}");
    }
}

#[tokio::test]
async fn health_does_not_answer_at_a_foreign_host_name() {
    let (folder, store) = library().await;
    let router = desk(&folder, &store, Heartbeat::default());
    for path in ["/healthz", "/metrics"] {
        assert_eq!(answer(&router, path, "evil.example").await.0, StatusCode::MISDIRECTED_REQUEST);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_concurrent_requests_read_the_database_once() {
    let (_folder, store) = library().await;
    let probes = Probes::at_main_address(store, Heartbeat::default(), Some(TOKEN.into()));
    let cache = probes.cache.clone();
    let router = probes.routes();
    let requests: Vec<_> = (0..50)
        .map(|number| {
            let (router, path) = (router.clone(), ["/readyz", "/healthz"][number % 2]);
            tokio::spawn(async move { get_with_token(&router, path, None).await })
        })
        .collect();
    for answer in requests {
        assert_eq!(answer.await.expect("an answer"), (StatusCode::OK, "{\"status\":\"up\"}".to_owned()));
    }
    assert_eq!(cache.readings.load(Ordering::Relaxed), 1);
    tokio::time::sleep(CACHE_TTL).await;
    get_with_token(&router, "/readyz", None).await;
    assert_eq!(cache.readings.load(Ordering::Relaxed), 2);
    get_with_token(&router, LIVEZ, None).await;
    assert_eq!(cache.readings.load(Ordering::Relaxed), 2, "/livez does not read the database");
}
