//! Every form, sent from another site, or from a page of Lethe without the token of the session.

use super::forms::{CHANGE_NOTHING, Form, library};
use super::library::{ANA, BEN, dump};
use crate::web::tests::desk::{Desk, cookie, post};
use axum::body::Body;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{Request, StatusCode};
use leptos::server_fn::axum::server_fn_paths;
use std::collections::BTreeSet;

/// The headers that a browser adds to a request from another site.
const CROSS_SITE: [&[(&str, &str)]; 5] = [
    &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
    &[("origin", "https://evil.example")],
    &[("origin", "null")],
    &[("sec-fetch-site", "cross-site")],
    // Another site under the same domain.
    &[("origin", "http://other.localhost"), ("sec-fetch-site", "same-site")],
];

fn request(form: &Form, token: Option<&str>, headers: &[(&'static str, &str)]) -> Request<Body> {
    let glue = if form.body.is_empty() { "" } else { "&" };
    let token = token.map(|token| format!("{glue}form_token={token}")).unwrap_or_default();
    let mut request = post(&form.address(), format!("{}{token}", form.body));
    request.headers_mut().insert(HOST, "localhost".parse().unwrap());
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    request
}

/// The headers that a browser adds to a request from a page of Lethe.
const SAME_ORIGIN: &[(&str, &str)] = &[("origin", "http://localhost"), ("sec-fetch-site", "same-origin")];

#[tokio::test]
async fn there_is_a_valid_form_for_every_function() {
    let forms: BTreeSet<&str> = library().await.1.iter().map(|form| form.function).collect();
    let functions: BTreeSet<&str> =
        server_fn_paths().map(|(path, _)| path).filter(|path| path.starts_with("/do/")).collect();
    assert_eq!(forms, functions);
}

#[tokio::test]
async fn a_form_from_another_site_is_rejected() {
    let (desk, forms) = library().await;
    let before = dump(&desk.store).await;
    for form in &forms {
        for headers in CROSS_SITE {
            let (status, _, page) = desk.answer(request(form, Some(&desk.token), headers)).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{} {headers:?}: {page}", form.function);
        }
    }
    for (path, _) in server_fn_paths().filter(|(path, _)| path.starts_with("/api/")) {
        let mut call = post(path, String::new());
        call.headers_mut().insert(ORIGIN, "https://evil.example".parse().unwrap());
        assert_eq!(desk.answer(call).await.0, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(dump(&desk.store).await, before);
    eprintln!("{} functions, {} cross-site requests each: all rejected", forms.len(), CROSS_SITE.len());
}

#[tokio::test]
async fn a_form_without_the_token_of_its_session_is_rejected() {
    let (desk, forms) = library().await;
    let [again, other] = [desk.another(ANA).await, desk.another(BEN).await];
    let before = dump(&desk.store).await;
    let wrong = ["", "x", &other.token, &again.token, &desk.token[..desk.token.len() - 1]];
    for form in &forms {
        for token in [None].into_iter().chain(wrong.map(Some)) {
            let (status, ..) = desk.answer(request(form, token, SAME_ORIGIN)).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{} {token:?}", form.function);
        }
    }
    assert_eq!(dump(&desk.store).await, before);
}

/// This shows that the other tests reject valid forms, because of their origin or token alone.
#[tokio::test]
async fn a_form_from_a_page_of_lethe_is_executed() {
    let (mut desk, forms) = library().await;
    for form in &forms {
        let before = dump(&desk.store).await;
        let (status, headers, page) = desk.answer(request(form, Some(&desk.token), SAME_ORIGIN)).await;
        let refused = [StatusCode::FORBIDDEN, StatusCode::UNAUTHORIZED, StatusCode::INTERNAL_SERVER_ERROR];
        assert!(!refused.contains(&status), "{}: {status} {page}", form.function);
        if !CHANGE_NOTHING.iter().any(|(function, _)| *function == form.function) {
            assert!(dump(&desk.store).await != before, "{} changes nothing: {status} {page}", form.function);
        }
        if ["/do/sign_in", "/do/sign_in_again", "/do/sign_out"].contains(&form.function) {
            sign_in_again(&mut desk, cookie(&headers)).await;
        }
    }
}

/// Signs Ana in again after a form that ended or renewed her session.
async fn sign_in_again(desk: &mut Desk, cookie: Option<String>) {
    assert!(cookie.is_some());
    desk.sign_in(ANA).await;
}
