//! Plain forms: how a form that was posted without WebAssembly is carried out and, if it is wrong, shown again
//! with everything that was typed and its errors at the fields.
//!
//! A form posts to the address of its server function with its own page in the query: `/do/save_task?page=/tasks/new`.
//! When all is well the server function redirects. When not, that page is rendered again with the [`Submitted`]
//! form in its context. Nothing that was typed is stored anywhere.

use crate::error::AppError;
use crate::parts::percent_encoded;
use crate::routes::Document;
use crate::state::AppState;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use http::request::Parts;
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use leptos::prelude::*;
use serde::de::DeserializeOwned;

/// The prefix of every server function that a plain form posts to.
pub const PREFIX: &str = "/do";
/// The field of the token that shows that a form was made for this session.
pub(crate) const TOKEN: &str = "form_token";
/// The largest form, in bytes. No right form comes near it; a text that is far too long still comes back at its
/// field, to be shortened.
pub const MOST_BYTES: usize = 2 * 1024 * 1024;

/// How deep the names of fields may nest: `form[fields][phone]`.
const DEPTH: usize = 5;

/// A form that was posted and not carried out.
#[derive(Clone, Debug)]
pub struct Submitted {
    path: String,
    body: Bytes,
    /// Why it was not carried out.
    pub error: AppError,
}

/// The one field under which each form sends its values.
#[derive(serde::Deserialize)]
struct Sent<T> {
    form: T,
}

/// The form of this server function as it was typed, if the page is shown again because of it.
pub(crate) fn submitted<T: DeserializeOwned>(function_path: &str) -> Option<(T, AppError)> {
    let submitted = use_context::<Submitted>().filter(|submitted| submitted.path == function_path)?;
    let sent: Sent<T> = read(&submitted.body)?;
    Some((sent.form, submitted.error))
}

/// Why the form of this server function was not carried out, if the page is shown again because of it.
pub(crate) fn refusal(function_path: &str) -> Option<AppError> {
    use_context::<Submitted>().filter(|submitted| submitted.path == function_path).map(|form| form.error)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_qs::Config::new(DEPTH, false).deserialize_bytes(body).ok()
}

/// The address that a form on `page` posts to.
pub(crate) fn action(function_path: &str, page: &str) -> String {
    format!("{function_path}?page={}", percent_encoded(page))
}

/// The token of the session for which a page is made: only a form with it is carried out. The web server puts it into
/// the extensions of the request.
#[derive(Clone, Debug)]
pub struct FormToken(pub String);

/// The token in a form. It stands in every form that posts.
#[component]
pub(crate) fn Token() -> impl IntoView {
    use_context::<Parts>()
        .and_then(|parts| parts.extensions.get::<FormToken>().cloned())
        .map(|token| view! { <input type="hidden" name=TOKEN value=token.0 /> })
}

/// Carries out a posted form.
pub async fn submit(State(state): State<AppState>, request: Request<Body>) -> Response {
    let (mut parts, body) = request.into_parts();
    let plain = parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let page = page_of(&parts.uri);
    let path = parts.uri.path().to_owned();
    let body = match to_bytes(body, MOST_BYTES).await {
        Ok(body) if plain => body,
        Ok(_) => return again(&state, page, path, Bytes::new(), AppError::Unreadable).await,
        Err(_) => {
            let why = format!(
                "The form is too large: at most {} MB can be sent. Nothing was changed",
                MOST_BYTES / 1024 / 1024
            );
            return again(&state, page, path, Bytes::new(), AppError::Refused(why)).await;
        }
    };
    if !only_form_fields(&body) {
        return again(&state, page, path, body, AppError::Unreadable).await;
    }
    // The function is asked for a plain answer; whether there is a page to go to is decided here.
    parts.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    parts.uri = Uri::try_from(path.as_str()).unwrap_or_default();
    let context = state.clone();
    let answer = leptos_axum::handle_server_fns_with_context(
        move || provide_context(context.clone()),
        Request::from_parts(parts, Body::from(body.clone())),
    )
    .await
    .into_response();
    if let Some(location) = answer.headers().get(LOCATION) {
        return (StatusCode::SEE_OTHER, [(LOCATION, location.clone())]).into_response();
    }
    if answer.status().is_success() {
        return (StatusCode::SEE_OTHER, [(LOCATION, page)]).into_response();
    }
    let error = match to_bytes(answer.into_body(), MOST_BYTES).await {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or(AppError::Unreadable),
        Err(_) => AppError::Unreadable,
    };
    again(&state, page, path, body, error).await
}

/// Renders the page of a form again, with what was typed.
async fn again(state: &AppState, page: String, path: String, body: Bytes, error: AppError) -> Response {
    let status = match error {
        AppError::Checked => StatusCode::OK,
        AppError::Stale => StatusCode::CONFLICT,
        AppError::Forbidden(_) | AppError::SignInAgain => StatusCode::FORBIDDEN,
        AppError::NotFound(_) => StatusCode::NOT_FOUND,
        AppError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        AppError::Invalid(_) | AppError::Refused(_) | AppError::Unreadable => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
    };
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = Uri::try_from(page).unwrap_or_default();
    let submitted = Submitted { path, body, error };
    let context = state.clone();
    let shell = Document::of(state);
    let render = leptos_axum::render_app_async_with_context(
        move || {
            provide_context(context.clone());
            provide_context(submitted.clone());
        },
        move || shell.clone().view(),
    );
    let mut response = render(request).await;
    *response.status_mut() = status;
    response
}

/// The page of a form, from the query of its address. Only pages of this server.
fn page_of(uri: &Uri) -> String {
    #[derive(serde::Deserialize)]
    struct Query {
        page: String,
    }
    uri.query()
        .and_then(|query| read::<Query>(query.as_bytes()))
        .map(|query| query.page)
        .filter(|page| page.starts_with('/') && !page.starts_with("//") && !page.starts_with(PREFIX))
        .filter(|page| page.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'))
        .unwrap_or_else(|| "/".to_owned())
}

/// Whether every field belongs to the form; what else is sent is refused, not ignored.
fn only_form_fields(body: &[u8]) -> bool {
    body.is_empty()
        || body.split(|byte| *byte == b'&').all(|pair| {
            pair.starts_with(b"form[") || pair.starts_with(b"form%5B") || pair.starts_with(b"form%5b")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_server_are_shown_again() {
        for (address, page) in [
            ("/do/x?page=/tasks/new", "/tasks/new"),
            ("/do/x?page=/users%3Fq=ng%26after=1", "/users?q=ng&after=1"),
            ("/do/x?page=//evil.example", "/"),
            ("/do/x?page=https://evil.example", "/"),
            ("/do/x?page=/do/x", "/"),
            ("/do/x?page=/%5Cevil", "/"),
            ("/do/x", "/"),
        ] {
            assert_eq!(page_of(&Uri::from_static(address)), page, "{address}");
        }
        let posted = action("/do/x", "/users?q=ng&after=1");
        assert_eq!(page_of(&Uri::try_from(posted).expect("an address")), "/users?q=ng&after=1");
    }

    #[test]
    fn fields_outside_the_form_are_seen() {
        assert!(only_form_fields(b""));
        assert!(only_form_fields(b"form[description]=x&form%5Bactive%5D=true"));
        assert!(!only_form_fields(b"form[description]=x&dry_run=1"));
        assert!(!only_form_fields(b"anonymised_on=1"));
    }
}
