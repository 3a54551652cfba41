//! Responses with status 503: at once while the database is down, and after a time-out.

use super::health;
use super::request_kind::RequestKind;
use app::error::AppError;
use app::form;
use app::state::AppState;
use axum::Json;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use db::{Fault, RecordsError};
use html_escape::{encode_double_quoted_attribute, encode_text};
use trail::Store;

/// The seconds after which a client may try again. A page reloads itself then.
const RETRY_SECONDS: &str = "5";

/// Answers 503 while the database is down, including to requests already waiting for it. A change in progress is never
/// cancelled: its response states the result.
pub(super) async fn reject_while_down(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let vitals = &state.store.vitals;
    let kind = RequestKind::from_request(&request);
    if vitals.is_database_down() {
        return respond(kind, Fault::Unreachable);
    }
    tokio::select! {
        response = next.run(request) => response,
        () = vitals.database_goes_down(), if kind != RequestKind::Change => respond(kind, Fault::Unreachable),
    }
}

/// Answers a request with the fault.
pub(super) fn respond(kind: RequestKind, fault: Fault) -> Response {
    if kind == RequestKind::Data {
        let error = Json(AppError::Unavailable(fault.to_string()));
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, RETRY_SECONDS)], error).into_response();
    }
    let what_to_do = match kind {
        RequestKind::Change => {
            "Go back in your browser: your entries are still there. Send them again when the page works."
        }
        _ => "This page reloads automatically.",
    };
    let paragraphs = [encode_text(&format!("{fault}.")).into_owned(), what_to_do.to_owned()];
    page("Lethe cannot answer right now", &paragraphs, kind == RequestKind::Page)
}

/// Answers a request that timed out. A posted form is still executed to its end.
fn respond_late(kind: RequestKind, address: &Uri) -> Response {
    if kind == RequestKind::Change {
        let form = form::page_for(address);
        let form = encode_double_quoted_attribute(&form);
        let paragraphs = [
            format!("In a few minutes, check <a href=\"{form}\">the page of the form</a> before you send it \
                     again."),
            "Lethe is still processing your form after two minutes. It will be completed, or nothing will be \
             changed."
                .to_owned(),
        ];
        return page("Lethe is still working", &paragraphs, false);
    }
    let paragraphs = [
        "This page reloads automatically.".to_owned(),
        "It took longer than two minutes and was cancelled. Nothing was changed.".to_owned(),
    ];
    page("This page took too long", &paragraphs, true)
}

/// Answers an error of a handler that renders no page, with the status of [`AppError`]. A temporary fault is also
/// reported to health.
pub(super) fn failed(store: &Store, error: RecordsError, what: &'static str) -> Response {
    if let Some(fault) = error.fault() {
        tracing::error!(code = error.code(), "{what}");
        store.vitals.report(fault);
        return respond(RequestKind::Page, fault);
    }
    let code = error.code();
    match AppError::from(error) {
        AppError::Unavailable(text) => {
            tracing::error!(code, "{what}");
            page("Lethe cannot answer right now", &[encode_text(&format!("{text}.")).into_owned()], true)
        }
        error => {
            let status = error.status();
            if status.is_server_error() {
                tracing::error!(code, "{what}");
            }
            status.into_response()
        }
    }
}

/// Returns a page with status 503. It needs no style sheet, because the router may not be able to serve one.
pub(super) fn page(title: &str, paragraphs: &[String], reloads: bool) -> Response {
    let refresh = if reloads {
        format!("<meta http-equiv=\"refresh\" content=\"{RETRY_SECONDS}\">\n")
    } else {
        String::new()
    };
    let text: Vec<String> = paragraphs.iter().map(|text| format!("<p>{text}</p>\n")).collect();
    let text = text.concat();
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         {refresh}<title>{title} – Lethe</title>\n</head>\n<body>\n\
         <main>\n<h1>{title}</h1>\n{text}</main>\n</body>\n</html>\n"
    );
    let head = [
        (RETRY_AFTER, RETRY_SECONDS),
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    (StatusCode::SERVICE_UNAVAILABLE, head, page).into_response()
}

/// Adds a text and the Retry-After header to responses with status 503 that lack them.
pub(super) async fn fill_empty_503(request: Request, next: Next) -> Response {
    let kind = RequestKind::from_request(&request);
    let address = request.uri().clone();
    let is_liveness = address.path() == health::LIVEZ;
    let mut response = next.run(request).await;
    if response.status() != StatusCode::SERVICE_UNAVAILABLE || is_liveness {
        return response;
    }
    if response.body().is_end_stream() || response.body().size_hint().exact() == Some(0) {
        if kind != RequestKind::Data {
            return respond_late(kind, &address);
        }
        let late = AppError::Unavailable("This took too long and was cancelled".to_owned());
        *response.body_mut() = Body::from(serde_json::to_vec(&late).unwrap_or_default());
    }
    response.headers_mut().entry(RETRY_AFTER).or_insert(HeaderValue::from_static(RETRY_SECONDS));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Method;
    use tower::ServiceExt as _;

    #[tokio::test]
    async fn a_form_that_times_out_is_still_being_processed() {
        let router = axum::Router::new()
            .fallback(|| async { StatusCode::SERVICE_UNAVAILABLE })
            .layer(axum::middleware::from_fn(fill_empty_503));
        for (method, path, expected, unexpected) in [
            (
                Method::POST,
                "/do/save_user?page=/users/7%3Fa%3D1%26b%3D%22",
                "href=\"/users/7?a=1&amp;b=&quot;\"",
                "refresh",
            ),
            (Method::POST, "/do/save_user?page=/users/7", "still processing", "does not answer"),
            (Method::GET, "/users", "This page reloads automatically", "does not answer"),
        ] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
            let answer = router.clone().oneshot(request).await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            let body = axum::body::to_bytes(answer.into_body(), 1 << 16).await.expect("a body");
            let text = String::from_utf8_lossy(&body).into_owned();
            assert!(text.contains(expected) && !text.contains(unexpected), "{path}: {text}");
        }
    }

    #[test]
    fn requests_are_pages_changes_or_data() {
        for (method, path, kind) in [
            (Method::GET, "/users", RequestKind::Page),
            (Method::POST, "/do/save_user", RequestKind::Change),
            (Method::GET, "/do/save_user", RequestKind::Page),
            (Method::POST, "/api/next_runs", RequestKind::Change),
            (Method::GET, "/events/runs/1", RequestKind::Data),
        ] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
            assert_eq!(RequestKind::from_request(&request), kind, "{path}");
        }
    }
}
