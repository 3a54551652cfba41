//! Tests with requests to the whole router: forms, and the headers of every response.

/// Runs each of these tests with a new library, on SQLite and on PostgreSQL. `prepare` prepares the library.
macro_rules! on_both {
    ($prepare:path; $($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                let desk = crate::web::tests::desk::Desk::open().await;
                super::$name($prepare(desk).await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                if let Some(desk) = crate::web::tests::desk::Desk::open_on_postgres().await {
                    super::$name($prepare(desk).await).await;
                }
            })+
        }
    };
    ($($name:ident),+ $(,)?) => {
        on_both!(std::future::ready; $($name),+);
    };
}

mod abuse;
mod access_requests;
pub(super) mod desk;
mod flash;
mod idempotency;
mod import_profiles;
mod import_tasks;
mod imports;
mod kept_form;
mod letters;
mod library;
mod merging;
mod messages;
mod non_text;
mod previews;
mod proof;
mod record;
mod rendered;
mod round_trip;
mod route_access;
mod run_events;
mod scim;
mod session_time;
mod single_sign_on;
mod suppression;
mod user_fields;
mod user_keys;
mod user_search;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HOST, LOCATION, ORIGIN};
use axum::http::{Method, Request, StatusCode};
use desk::{Desk, without_proof};
use std::path::Path;
use task_centre::task::{TaskQuery, list};
use trail::Store;

/// Returns a valid task form with more fields.
fn task_form(more: &str) -> String {
    format!(
        "form[description]=Leavers&form[visibility]=shared&form[category]=data_maintenance\
         &form[task_type]=anonymise_user_data&form[scope]=all&form[circulation_notes]=empty&form[schedule]=manual\
         &form[missed]=once&{more}"
    )
}

async fn tasks(store: &Store) -> usize {
    let (query, paging) = (TaskQuery::default(), db::pagination::Paging::default());
    list(store, trail::Actor::COMMAND_LINE, &query, &paging).await.expect("the tasks").rows.len()
}

/// Without WebAssembly a form is a page load: its response is a page, whether it was accepted or rejected.
#[tokio::test]
async fn the_response_to_a_plain_form_is_a_page() {
    let desk = Desk::open().await;
    let save = "/do/save_user?page=/users/new";

    let (status, _, page) = desk.post(save, "form[first_name]=Typed&form[email]=nobody").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    for part in ["<h1>Create user</h1>", "value=\"Typed\"", "Enter a last name", "Enter an e-mail address"] {
        assert!(page.contains(part), "{part}");
    }
    let (status, _, page) = desk.post(save, "form[last_name]=Ng&form[anonymised_on]=2018-01-01").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("could not be read"));
    let (status, location, _) = desk.post(save, "form[last_name]=Ng").await;
    assert_eq!((status, without_proof(&location)), (StatusCode::SEE_OTHER, "/users/2?done=user-created"));
}

/// The server rejects what the browser would reject, at the same field, and saves nothing.
#[tokio::test]
async fn an_invalid_task_form_is_rejected_at_the_field() {
    let desk = Desk::open().await;
    let store = desk.store.clone();
    let save = "/do/save_task?page=/tasks/new";
    let days = "Enter a number of days from 0 to 36,500";
    for (more, problem) in [
        ("form[by_leaving]=true&form[leaving_days]=36501", days),
        ("form[by_leaving]=true&form[leaving_days]=-1", days),
        ("form[by_leaving]=true&form[leaving_days]=", days),
        ("form[schedule]=once&form[once_date]=1899-12-31&form[time]=02:30", "Enter a date from 1900 to 2100"),
        ("form[schedule]=once&form[once_date]=2101-01-01&form[time]=02:30", "Enter a date from 1900 to 2100"),
        ("form[schedule]=daily&form[time]=02:30", "Tick at least one condition"),
        ("form[description]=a%00b", "Remove the invisible characters"),
        ("form[description]=a%E2%80%AEb", "Remove the invisible characters"),
        ("form[missed]=twice", "Choose one of the options"),
        ("form[scope]=unknown", "Choose one of the options"),
        ("form[fields][phone]=decade", "Choose one of the options"),
        ("form[owner]=77", "There is no user with this number"),
        ("form[custom][shoe_size]=keep", "Choose one of the options"),
        ("form[dry_run]=1", "could not be read"),
        ("dry_run=1", "could not be read"),
        ("form[active]=perhaps", "could not be read"),
    ] {
        // The field replaces the valid one.
        let name = more.split('=').next().unwrap_or_default();
        let valid: Vec<String> =
            task_form("").split('&').filter(|pair| !pair.starts_with(name)).map(str::to_owned).collect();
        let (status, _, page) =
            desk.post(save, format!("{}&{more}", valid.join("&").trim_end_matches('&'))).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{more}");
        assert!(page.contains(problem), "{more}");
    }
    let long = format!("form[last_name]={}&form[first_name]=Typed", "x".repeat(1 << 20));
    let (status, _, page) = desk.post("/do/save_user?page=/users/new", long).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("Enter at most 200 characters") && page.contains("value=\"Typed\""));
    let large = task_form(&format!("form[owner]={}", "1".repeat(3 << 20)));
    let (status, _, page) = desk.post(save, large).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(page.contains("too large"), "{page}");
    assert_eq!(tasks(&store).await, 0, "nothing was saved");
    let (status, location, _) = desk.post(save, task_form("form[active]=true")).await;
    assert_eq!((status, without_proof(&location)), (StatusCode::SEE_OTHER, "/tasks/1?done=task-created"));
}

/// A change is accepted only from the pages of Lethe, and never by following a link.
#[tokio::test]
async fn cross_site_requests_and_links_change_nothing() {
    let desk = Desk::open().await;
    let store = desk.store.clone();
    for origin in ["https://evil.example", "null"] {
        let request = Request::post("/do/save_task?page=/tasks/new")
            .header(HOST, "127.0.0.1:3000")
            .header(ORIGIN, origin)
            .header("sec-fetch-site", "cross-site")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("{}&form_token={}", task_form("form[active]=true"), desk.token)))
            .expect("a request");
        assert_eq!(desk.answer(request).await.0, StatusCode::FORBIDDEN, "{origin}");
    }
    // Opening the address of a form leads to the page of the form.
    let form = task_form("form[active]=true").replace(' ', "+");
    for (page, leads_to) in [("/tasks/new", "/tasks/new"), ("//evil.example", "/"), ("/do/save_task", "/")] {
        let (status, headers, _) = desk.get(&format!("/do/save_task?page={page}&{form}")).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
        assert_eq!(headers.get(LOCATION).expect("a location"), leads_to, "{page}");
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let address = format!("/do/save_task?{form}");
        let request = Request::builder().method(method).uri(address).body(Body::empty()).expect("a request");
        assert_eq!(desk.answer(request).await.0, StatusCode::METHOD_NOT_ALLOWED);
    }
    assert_eq!(tasks(&store).await, 0);
}

/// A website that points its own host name at this computer gets no answer (DNS rebinding).
#[tokio::test]
async fn a_foreign_host_name_is_rejected() {
    let desk = Desk::open().await;
    for (host, status) in [
        ("127.0.0.1:3000", StatusCode::OK),
        ("localhost", StatusCode::OK),
        ("[::1]:3000", StatusCode::OK),
        ("evil.example:3000", StatusCode::MISDIRECTED_REQUEST),
        ("127.0.0.1.evil.example", StatusCode::MISDIRECTED_REQUEST),
        ("192.0.2.1:3000", StatusCode::MISDIRECTED_REQUEST),
    ] {
        let request = Request::get("/users").header(HOST, host).body(Body::empty()).expect("a request");
        assert_eq!(desk.answer(request).await.0, status, "{host}");
    }
}

#[tokio::test]
async fn pages_are_never_cached_and_assets_for_ever() {
    let desk = Desk::open().await;
    write_asset(desk.folder.path());
    let get = |address: &str| {
        Request::get(address).header("accept-encoding", "br, gzip").body(Body::empty()).expect("a request")
    };
    let (status, headers, _) = desk.answer(get("/tasks")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers[CACHE_CONTROL], "no-store");
    let policy = headers["content-security-policy"].to_str().expect("text");
    assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        assert_eq!(headers[name], value);
    }
    let (status, headers, body) = desk.answer(get("/pkg/lethe.abc.wasm")).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, "small"));
    assert_eq!(headers[CONTENT_ENCODING], "br");
    assert_eq!(headers[CACHE_CONTROL], "public, max-age=31536000, immutable");
}

fn write_asset(site: &Path) {
    std::fs::create_dir_all(site.join("pkg")).expect("a folder");
    std::fs::write(site.join("pkg/lethe.abc.wasm"), "large").expect("a file");
    std::fs::write(site.join("pkg/lethe.abc.wasm.br"), "small").expect("a file");
}
