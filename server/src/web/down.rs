//! What answers while the database does not: a page that says so, at once.

use super::{auth, health};
use app::error::AppError;
use app::form_post;
use app::state::AppState;
use axum::Json;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use html_escape::{encode_double_quoted_attribute, encode_text};
use records::{Fault, RecordsError, Store};

/// After how many seconds a request may come again. A page that was only looked at does so by itself.
const RETRY_SECONDS: &str = "5";

/// Answers for a database that is down, also where a request waits for it already. A change that is under way is never
/// cut off: its answer says what became of it.
pub(super) async fn while_up(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let vitals = state.store.vitals();
    let asked = Asked::of(&request);
    if vitals.is_database_down() {
        return answer(asked, Fault::Unreachable);
    }
    tokio::select! {
        response = next.run(request) => response,
        () = vitals.database_goes_down(), if asked != Asked::Change => answer(asked, Fault::Unreachable),
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Asked {
    /// A page.
    Page,
    /// A form to be carried out.
    Change,
    /// Something that a program reads.
    Data,
}

impl Asked {
    pub(super) fn of(request: &Request) -> Self {
        match (auth::is_page(request), request.method().is_safe()) {
            (true, true) => Self::Page,
            (_, false) => Self::Change,
            (false, true) => Self::Data,
        }
    }
}

/// Says what is wrong.
pub(super) fn answer(asked: Asked, fault: Fault) -> Response {
    if asked == Asked::Data {
        let error = Json(AppError::Unavailable(fault.to_string()));
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, RETRY_SECONDS)], error).into_response();
    }
    let what_to_do = match asked {
        Asked::Change => {
            "Go back in your browser: your entries are still there. Send them again when the page works."
        }
        _ => "This page reloads automatically.",
    };
    let paragraphs = [encode_text(&format!("{fault}.")).into_owned(), what_to_do.to_owned()];
    page("Lethe cannot answer right now", &paragraphs, asked == Asked::Page)
}

/// Says that something takes longer than a client waits. A form is carried out to the end all the same.
fn late(asked: Asked, address: &Uri) -> Response {
    if asked == Asked::Change {
        let form = form_post::page_of(address);
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

/// Answers for an error of something that is no page: 503 for a fault that passes, which health knows of at once.
pub(super) fn failed(store: &Store, error: &RecordsError, what: &'static str) -> Response {
    tracing::error!(code = error.code(), "{what}");
    let Some(fault) = error.fault() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    store.vitals().note(fault);
    answer(Asked::Page, fault)
}

/// A page with status 503, readable without a style sheet: nothing of the desk may be there to send one.
pub(super) fn page(title: &str, paragraphs: &[String], loads_again: bool) -> Response {
    let refresh = if loads_again {
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

/// Gives every answer of status 503 a text, and the time after which to try again.
pub(super) async fn never_empty(request: Request, next: Next) -> Response {
    let asked = Asked::of(&request);
    let address = request.uri().clone();
    let is_watched = address.path() == health::LIVE;
    let mut response = next.run(request).await;
    if response.status() != StatusCode::SERVICE_UNAVAILABLE || is_watched {
        return response;
    }
    if response.body().is_end_stream() || response.body().size_hint().exact() == Some(0) {
        if asked != Asked::Data {
            return late(asked, &address);
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
    async fn a_form_that_takes_long_is_not_called_lost() {
        let router = axum::Router::new()
            .fallback(|| async { StatusCode::SERVICE_UNAVAILABLE })
            .layer(axum::middleware::from_fn(never_empty));
        for (method, path, words, not) in [
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
            assert!(text.contains(words) && !text.contains(not), "{path}: {text}");
        }
    }

    #[test]
    fn pages_changes_and_data_are_told_apart() {
        for (method, path, asked) in [
            (Method::GET, "/users", Asked::Page),
            (Method::POST, "/do/save_user", Asked::Change),
            (Method::GET, "/do/save_user", Asked::Page),
            (Method::POST, "/api/next_runs", Asked::Change),
            (Method::GET, "/events/runs/1", Asked::Data),
        ] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
            assert_eq!(Asked::of(&request), asked, "{path}");
        }
    }
}
