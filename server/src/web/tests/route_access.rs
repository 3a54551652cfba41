//! The table of routes: every role at every address. The list of addresses comes from the router.

use super::desk::{Desk, PASSWORD, cookie, post};
use crate::network::NetworkConfig;
use crate::web::{FUNCTIONS, ISLANDS, UPLOAD_ROUTES, handlers, pages};
use app::rate_limit::{Budget, Budgets, RateLimits};
use app::route_access::{Access, ROUTE_ACCESS, access_for};
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Request, StatusCode};
use db::SignIn;
use identity::session;
use leptos::server_fn::axum::server_fn_paths;
use policy::Role;
use records::accounts;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use trail::Actor;

/// Returns every address of the router and the server functions.
pub(super) fn addresses() -> BTreeSet<String> {
    let pages = pages().into_iter().map(|page| page.path().to_owned());
    let handlers = handlers(&NetworkConfig::default()).into_iter().map(|(route, _)| route.to_owned());
    let functions = server_fn_paths().map(|(path, _)| path.to_owned());
    pages
        .chain(handlers.filter(|route| route != FUNCTIONS && route != ISLANDS))
        .chain(functions)
        .chain(crate::web::scim::ROUTES.map(str::to_owned))
        .chain(["/livez", "/readyz", "/healthz", "/metrics"].map(str::to_owned))
        .chain(UPLOAD_ROUTES.map(str::to_owned))
        .collect()
}

#[test]
fn every_address_has_a_row_and_every_row_an_address() {
    let rows: BTreeSet<String> = ROUTE_ACCESS.iter().map(|(address, _)| (*address).to_owned()).collect();
    let without_row: Vec<_> = addresses().difference(&rows).cloned().collect();
    let without_address: Vec<_> = rows.difference(&addresses()).cloned().collect();
    assert_eq!((without_row, without_address), (vec![], vec![]));
}

#[test]
fn every_server_function_answers_post_only() {
    for (path, method) in server_fn_paths() {
        assert_eq!(method.as_str(), "POST", "{path}");
    }
}

/// Returns a request to an address, with ids that do not exist.
fn request(address: &str, token: &str) -> Request<Body> {
    let path = address.replace("{id}", "999").replace("{report}", "loans").replace("{key}", "none");
    let path = path.replace("{*rest}", "other");
    if path.starts_with("/do/") {
        return post(&format!("{path}?page=/account"), format!("form_token={token}"));
    }
    if path.starts_with("/api/") {
        return post(&path, String::new());
    }
    if UPLOAD_ROUTES.contains(&&*path) {
        let kind = "multipart/form-data; boundary=b";
        let request = Request::post(path).header(CONTENT_TYPE, kind);
        return request.body(Body::from("--b--\r\n")).expect("a request");
    }
    Request::get(path).body(Body::empty()).expect("a request")
}

#[tokio::test]
async fn every_role_can_open_exactly_the_routes_that_it_may() {
    // One role is refused more pages in a row here than the rate limit allows.
    let refused = Budget { burst: 1_000, period: Duration::from_secs(1) };
    let mut desk = Desk::with(
        |settings| settings.sign_in = SignIn { allow_password_only: true, ..SignIn::default() },
        |state| {
            state.rate_limits = Arc::new(RateLimits::with_limits(Budgets { refused, ..Budgets::default() }));
        },
        NetworkConfig::default(),
    )
    .await;
    for role in Role::ALL {
        desk.staff(role.code(), &[role]).await;
    }
    let mut cells = 0;
    for role in [None].into_iter().chain(Role::ALL.map(Some)) {
        if let Some(role) = role {
            desk.sign_in(role.code()).await;
        }
        for address in addresses() {
            // Signing out would end the session that the other requests need.
            if address == "/do/sign_out" && role.is_some() {
                continue;
            }
            let is_open = match access_for(&address, &address).expect("a row") {
                Access::Public => true,
                Access::AnySession | Access::SignedIn => role.is_some(),
                Access::Permission(action) => role.is_some_and(|role| role.may(action)),
                Access::ApiKey => false,
            };
            let (status, _, page) = desk.answer(request(&address, &desk.token)).await;
            let denied = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
            let is_api = address.starts_with("/scim/");
            let expected =
                if role.is_some() && !is_api { StatusCode::FORBIDDEN } else { StatusCode::UNAUTHORIZED };
            if is_open {
                assert!(!denied.contains(&status), "{role:?} {address}: {status}");
                assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{role:?} {address}: {page}");
            } else {
                assert_eq!(status, expected, "{role:?} {address}");
            }
            cells += 1;
        }
    }
    assert_eq!(cells, addresses().len() * 7 - 6);
}

#[tokio::test]
async fn no_page_links_to_a_route_that_the_role_may_not_open() {
    let mut desk = Desk::closed(SignIn { allow_password_only: true, ..SignIn::default() }).await;
    let all_roles = desk.staff("all-roles", &Role::ALL).await;
    let mut shown = BTreeSet::new();
    for role in Role::ALL {
        desk.staff(role.code(), &[role]).await;
        desk.sign_in(role.code()).await;
        for page in [
            "/",
            "/users",
            "/tasks",
            "/runs",
            "/residue",
            "/reports",
            "/catalogue",
            &format!("/users/{all_roles}"),
        ] {
            let (status, _, html) = desk.get(page).await;
            if status != StatusCode::OK {
                continue;
            }
            for part in ["href=\"", "action=\""] {
                for target in html.split(part).skip(1).filter_map(|rest| rest.split('"').next()) {
                    let path = target.split(['?', '#']).next().unwrap_or_default();
                    let Some((_, Access::Permission(action))) =
                        ROUTE_ACCESS.iter().find(|(address, _)| *address == path)
                    else {
                        continue;
                    };
                    if !role.may(*action) {
                        shown.insert(format!("{role:?} sees {path} on {page}"));
                    }
                }
            }
        }
    }
    assert_eq!(shown, BTreeSet::new());
}

#[tokio::test]
async fn the_sign_in_creates_a_new_session_and_the_sign_out_ends_it() {
    let mut desk = Desk::closed(SignIn { allow_password_only: true, ..SignIn::default() }).await;
    desk.staff("ng", &[Role::Librarian]).await;
    // A session token that was planted in the browser is not adopted (session fixation).
    desk.cookie = format!("lethe={}", "0".repeat(64));
    let (_, headers, _) = desk.try_to_sign_in("ng", PASSWORD).await;
    let set = headers["set-cookie"].to_str().expect("text").to_owned();
    assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/"), "{set}");
    assert_ne!(cookie(&headers).as_ref(), Some(&desk.cookie));
    desk.sign_in("ng").await;
    let (status, ..) = desk.get("/users").await;
    assert_eq!(status, StatusCode::OK);
    let answer = desk.answer(post("/do/sign_out?page=/", format!("form_token={}", desk.token))).await;
    assert_eq!(answer.0, StatusCode::SEE_OTHER);
    assert!(answer.1.contains_key("clear-site-data"));
    let (status, _, page) = desk.get("/users").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "the old token is invalid");
    assert!(page.contains("<h1>Sign in</h1>"));
}

#[tokio::test]
async fn a_form_of_another_session_is_rejected() {
    let mut desk = Desk::closed(SignIn { allow_password_only: true, ..SignIn::default() }).await;
    desk.staff("ng", &[Role::Administrator]).await;
    desk.sign_in("ng").await;
    let others = desk.token.clone();
    desk.sign_in("ng").await;
    for token in [others.as_str(), "", "x"] {
        let form = format!("form[last_name]=Ng&form_token={token}");
        let (status, ..) = desk.answer(post("/do/save_user?page=/users/new", form)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    let (status, ..) =
        desk.answer(post("/do/save_user?page=/users/new", "form[last_name]=Ng".to_owned())).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, ..) = desk.post("/do/save_user?page=/users/new", "form[last_name]=Ng").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
}

/// The response does not reveal whether the account exists.
#[tokio::test]
async fn wrong_passwords_get_the_same_response_and_are_soon_rate_limited() {
    let desk = Desk::closed(SignIn { allow_password_only: true, ..SignIn::default() }).await;
    desk.staff("ng", &[Role::Librarian]).await;
    let without_name = |page: String, name: &str| page.replace(&format!("value=\"{name}\""), "");
    let (known, _, one) = desk.try_to_sign_in("ng", "wrong password").await;
    let (unknown, _, other) = desk.try_to_sign_in("xx", "wrong password").await;
    assert_eq!((known, unknown), (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::UNPROCESSABLE_ENTITY));
    let without_nonce = |page: String| {
        let (_, rest) = page.split_once("crossorigin=\"").expect("a nonce");
        let nonce = rest.split('"').next().expect("its end").to_owned();
        page.replace(&nonce, "")
    };
    assert_eq!(without_nonce(without_name(one, "ng")), without_nonce(without_name(other, "xx")));
    let mut reached = 1;
    for _ in 0..999 {
        let (status, ..) = desk.try_to_sign_in("ng", "wrong password").await;
        assert!(
            matches!(status, StatusCode::UNPROCESSABLE_ENTITY | StatusCode::TOO_MANY_REQUESTS),
            "{status}"
        );
        reached += usize::from(status == StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert!(reached <= 20, "{reached} of 1,000 reached the password");
    eprintln!("{reached} of 1,000 wrong passwords were checked");
}

#[tokio::test]
async fn removing_a_role_ends_the_sessions() {
    let mut desk = Desk::closed(SignIn { allow_password_only: true, ..SignIn::default() }).await;
    let ng = desk.staff("ng", &[Role::Librarian, Role::Cataloguer]).await;
    desk.sign_in("ng").await;
    assert_eq!(desk.get("/users").await.0, StatusCode::OK);
    accounts::revoke_role(&desk.store, Actor::COMMAND_LINE, ng, Role::Librarian).await.expect("removed");
    assert_eq!(desk.get("/catalogue").await.0, StatusCode::UNAUTHORIZED);
    desk.sign_in("ng").await;
    assert_eq!(desk.get("/users").await.0, StatusCode::FORBIDDEN);
    accounts::disable(&desk.store, Actor::COMMAND_LINE, ng).await.expect("disabled");
    assert_eq!(desk.get("/catalogue").await.0, StatusCode::UNAUTHORIZED);
    assert!(session::load_and_touch(&desk.store, "none").await.expect("a result").is_none());
}

/// They must first set up a second factor.
#[tokio::test]
async fn staff_who_can_anonymise_cannot_sign_in_by_password_alone() {
    let mut desk = Desk::closed(SignIn::default()).await;
    desk.staff("ng", &[Role::Librarian]).await;
    desk.staff("cat", &[Role::Cataloguer]).await;
    let (_, headers, _) = desk.try_to_sign_in("cat", PASSWORD).await;
    desk.cookie = cookie(&headers).expect("a cookie");
    assert_eq!(desk.get("/catalogue").await.0, StatusCode::OK, "a cataloguer changes no user");
    desk.cookie = String::new();
    let (_, headers, _) = desk.try_to_sign_in("ng", PASSWORD).await;
    desk.cookie = cookie(&headers).expect("a cookie");
    for address in ["/", "/users", "/account", "/sign-in/again"] {
        let (status, _, page) = desk.get(address).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{address}");
        assert!(page.contains("Set up your second factor"), "{address}");
    }
}
