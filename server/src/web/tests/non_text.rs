//! Bytes that are not text, in every address and every form, on both databases. They are rejected, in a form at their
//! field, and cause no server error.

use super::desk::{Desk, post};
use super::route_access::addresses;
use axum::body::Body;
use axum::http::{Request, StatusCode, Uri};
use policy::Role;
use records::accounts;
use trail::Actor;

/// Percent-encoded: NUL, other control characters, invalid UTF-8, overlong UTF-8, half a surrogate pair.
const NOT_TEXT: [&str; 7] = ["a%00b", "%01", "%7F", "%C2%85", "%FF", "%C0%80", "%ED%A0%80"];

/// The names of all values that pages read from their address.
const NAMES: [&str; 30] = [
    "q",
    "after",
    "before",
    "category",
    "department",
    "branch",
    "imported",
    "role",
    "left_before",
    "active_before",
    "marked",
    "anonymised",
    "sort",
    "order",
    "find",
    "done",
    "tab",
    "show",
    "run",
    "task",
    "kind",
    "state",
    "status",
    "type",
    "from",
    "to",
    "by",
    "action",
    "staff",
    "title",
];

on_both!(
    an_address_that_is_not_text_is_rejected,
    no_text_in_an_address_causes_a_server_error,
    no_number_in_an_address_causes_a_server_error,
    every_form_rejects_a_value_that_is_not_text_at_its_field,
);

fn paths(names: &str) -> Vec<String> {
    let functions = |address: &String| !(address.starts_with("/do/") || address.starts_with("/api/"));
    addresses()
        .into_iter()
        .filter(functions)
        .filter(|address| !address.contains("provider") && !address.starts_with("/events/"))
        .map(|address| {
            address
                .replace("{id}", names)
                .replace("{report}", if names == "1" { "loans-per-month" } else { names })
                .replace("{key}", names)
        })
        .collect()
}

async fn an_address_that_is_not_text_is_rejected(desk: Desk) {
    for bad in NOT_TEXT {
        for path in paths("1") {
            for address in [format!("{path}?q={bad}"), format!("{path}?{bad}=1"), format!("{path}?x={bad}")] {
                assert_eq!(desk.get(&address).await.0, StatusCode::BAD_REQUEST, "{address}");
            }
        }
        for path in paths(bad).iter().filter(|path| path.contains('%')) {
            assert_eq!(desk.get(path).await.0, StatusCode::BAD_REQUEST, "{path}");
        }
        // The page that a form names is rendered, too.
        let form = format!("form[first_name]=x&form_token={}", desk.token);
        let address = format!("/do/save_user?page=/users%3Fq%3D{}", bad.replace('%', "%25"));
        let (status, ..) = desk.answer(post(&address, form)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{address}");
    }
}

async fn no_text_in_an_address_causes_a_server_error(desk: Desk) {
    every_page_accepts(&desk, ["'", "%5C%25_", "%EF%BF%BF%E2%80%AE"]).await;
}

async fn no_number_in_an_address_causes_a_server_error(desk: Desk) {
    every_page_accepts(&desk, ["99999999999999999999", "-9223372036854775808", "2018-02-30"]).await;
}

/// Checks that no page fails because of one of these values.
async fn every_page_accepts(desk: &Desk, values: [&str; 3]) {
    for path in paths("1") {
        // These tests run no scheduler, which the probes report after a minute.
        let is_probe = path == "/healthz" || path == "/readyz";
        for value in values {
            for name in NAMES {
                let address = format!("{path}?{name}={value}");
                let (status, _, page) = desk.get(&address).await;
                assert!(is_probe || !status.is_server_error(), "{address}: {status}");
                assert!(!page.contains("internal error"), "{address}");
            }
        }
    }
}

async fn every_form_rejects_a_value_that_is_not_text_at_its_field(desk: Desk) {
    let functions: Vec<String> = addresses().into_iter().filter(|path| path.starts_with("/do/")).collect();
    for function in functions.iter().filter(|path| *path != "/do/sign_out") {
        for bad in NOT_TEXT {
            let address = format!("{function}?page=/account");
            let (status, _, page) = desk.post(&address, format!("form[some_field]={bad}")).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{function} {bad}: {page}");
        }
    }
    for bad in NOT_TEXT {
        let (status, _, page) = desk
            .post(
                "/do/save_user?page=/users/new",
                format!("form[last_name]=Ng&form[city]={bad}&form[notes]=kept"),
            )
            .await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        let start = "id=\"city-problem\" class=\"problem\">";
        let (_, at_field) = page.split_once(start).expect("the problem at the field");
        assert!(at_field.starts_with("Remove the invisible characters"), "{bad}");
        assert!(page.contains("kept") && page.contains("value=\"Ng\""), "the entries are shown again");
        let (status, ..) = desk.try_to_sign_in(&format!("everything{bad}"), "x").await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "sign-in {bad}");
        let (status, ..) = desk.try_to_sign_in("everything", bad).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "password {bad}");
    }
    // Calls of islands.
    for body in [r#"{"form":{"cron":"a\u0000b","schedule":"cron"}}"#, r#"{"form":{"cron":"\ud800"}}"#] {
        let request = Request::post(Uri::from_static("/api/next_runs"))
            .header("content-type", "application/json")
            .body(Body::from(body))
            .expect("a request");
        let (status, ..) = desk.answer(request).await;
        assert!(!status.is_server_error(), "{body}: {status}");
    }
}

/// This holds for hidden fields, too.
#[tokio::test]
async fn the_forms_of_sign_in_and_account_name_a_value_that_is_not_text() {
    let desk = Desk::open().await;
    let added = accounts::add(&desk.store, Actor::COMMAND_LINE, "invited", Role::Librarian).await;
    let key = added.expect("staff").1.expect("an invitation").token;
    let invitation = format!("/invitation/{}", key.reveal());
    let problem = "Remove the invisible characters";
    for (function, page, fields) in [
        ("sign_in", "/sign-in", vec!["user_id", "password", "page"]),
        ("accept_invitation", &invitation, vec!["key", "password", "repeated"]),
        ("keep_account", "/keep/x", vec!["token"]),
        ("second_factor", "/sign-in/code", vec!["code", "page"]),
        ("sign_in_again", "/sign-in/again", vec!["password", "code", "page", "changes_sign_in"]),
        ("change_password", "/account", vec!["old", "password", "repeated"]),
        ("end_session", "/account", vec!["session"]),
    ] {
        for field in fields {
            for bad in ["a%00b", "%FF"] {
                let form = format!("form[{field}]={bad}");
                let (status, _, html) = desk.post(&format!("/do/{function}?page={page}"), form).await;
                assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{function} {field}");
                assert!(html.contains(problem), "{function} {field} {bad}: {html}");
            }
        }
    }
    // The problem is shown at the field.
    let signed_out = Desk { cookie: String::new(), ..desk.clone() };
    let html = signed_out.try_to_sign_in("every%00thing", "x").await.2;
    let at_field = html.split("id=\"user_id-problem\"").nth(1).expect("the problem at the field");
    assert!(at_field.split("</p>").next().is_some_and(|text| text.contains(problem)), "{html}");
}
