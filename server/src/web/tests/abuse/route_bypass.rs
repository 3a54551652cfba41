//! Ways around the table of routes: a page that a form renders again, and other spellings of an address.

use super::low_roles::{library, values_in};
use crate::web::tests::desk::{Desk, post};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use policy::{Action, Role};

/// Pages that contain values of users.
const PAGES: [&str; 9] = [
    "/users",
    "/users?q=canary",
    "/users/11",
    "/users/11?tab=history",
    "/users/11/edit",
    "/users/11/anonymise",
    "/runs/1",
    "/runs/1?verdict=eligible",
    "/staff",
];

/// Returns a client without a session, and a client for each role that may not see users.
async fn clients_that_may_not_see_users(desk: &Desk) -> Vec<Desk> {
    let mut signed_out = desk.clone();
    (signed_out.cookie, signed_out.token) = (String::new(), String::new());
    let mut all = vec![signed_out];
    for role in Role::ALL.into_iter().filter(|role| !role.may(Action::SeeUsers)) {
        desk.staff(role.code(), &[role]).await;
        all.push(desk.another(role.code()).await);
    }
    all
}

/// A rejected form renders its page again only if the client may see the page.
#[tokio::test]
async fn a_rejected_form_renders_no_page_that_the_client_may_not_see() {
    let (desk, people) = library().await;
    for low in clients_that_may_not_see_users(&desk).await {
        for function in leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path) {
            if !function.starts_with("/do/") || function == "/do/sign_out" {
                continue;
            }
            for page in PAGES {
                let page = page.replace('?', "%3F").replace('&', "%26");
                let address = format!("{function}?page={page}");
                let form = format!("form[nothing]=1&form_token={}", low.token);
                let (status, headers, body) = low.answer(post(&address, form)).await;
                assert!(!status.is_success() && !status.is_server_error(), "{address}: {status}");
                assert_eq!(
                    values_in(&people, &format!("{headers:?}{body}")),
                    Vec::<&str>::new(),
                    "{address}"
                );
                for sign in ["User search", "Preview 1", "Staff –"] {
                    assert!(!body.contains(&format!("<title>{sign}")), "{address} renders {sign}");
                }
            }
        }
    }
    // A client that may see the page gets it with the problems.
    let (status, _, body) = desk.post("/do/mark_user?page=/users/11", "form[nothing]=1").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!values_in(&people, &body).is_empty());
}

#[tokio::test]
async fn no_spelling_of_an_address_bypasses_its_access_check() {
    let (desk, people) = library().await;
    for low in clients_that_may_not_see_users(&desk).await {
        for page in
            ["/users/11", "/users", "/runs/1", "/users/11/edit", "/staff", "/reports/loans-per-month/csv"]
        {
            let (first, rest) = page[1..].split_once('/').unwrap_or((&page[1..], ""));
            let (first, rest) =
                (first.to_owned(), if rest.is_empty() { String::new() } else { format!("/{rest}") });
            for spelled in [
                format!("{page}/"),
                format!("{page}//"),
                format!("/{page}"),
                format!("//{}", &page[1..]),
                format!("/./{first}{rest}"),
                format!("/reports/..{page}"),
                format!("/reports/%2e%2e{page}"),
                format!("/%{:02x}{}{rest}", first.as_bytes()[0], &first[1..]),
                format!("/{}{rest}", first.to_uppercase()),
                format!("/{first};x{rest}"),
                format!("/{first}%2F{}", rest.trim_start_matches('/')),
                format!("{page}%00"),
                format!("{page}%20"),
                format!("{page}?page=/"),
                format!("/pkg/..{page}"),
                format!("/sign-in/..{page}"),
                format!("/account/..{page}"),
                format!("/do/..{page}"),
            ] {
                let Ok(request) = Request::get(&spelled).body(Body::empty()) else { continue };
                let (status, headers, body) = low.answer(request).await;
                assert!(!status.is_server_error(), "{spelled}: {status}");
                assert_eq!(
                    values_in(&people, &format!("{headers:?}{body}")),
                    Vec::<&str>::new(),
                    "{spelled}"
                );
                let is_report = page.starts_with("/reports") && low.cookie.contains("lethe");
                assert!(is_report || !status.is_success(), "{spelled}: {status}");
            }
        }
    }
}
