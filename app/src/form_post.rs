//! Plain forms: how a form that was posted without WebAssembly is executed and, if it is invalid, rendered again with
//! the typed values and the errors at their fields.
//!
//! A form posts to the address of its server function, with its own page in the query:
//! `/do/save_task?page=/tasks/new`. On success the server function redirects. Otherwise that page is rendered again
//! with the [`FailedSubmission`] in its context. Typed values are not stored: a short form that outlives its answer
//! is encrypted into the address of the page (`kept`).

mod kept;

mod body;
mod idempotency;

pub use idempotency::answer_resent_form;

use crate::cookie;
use crate::error::AppError;
use crate::route_access::{self, Access};
use crate::routes::Document;
use crate::state::{AppState, Cookies, extension};
use crate::url::{is_text, percent_encoded};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, FromRequest as _, State};
use axum::response::{IntoResponse, Response};
use body::Fields;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderName, LOCATION, RETRY_AFTER, SET_COOKIE};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use identity::Session;
use leptos::prelude::*;
use serde::de::DeserializeOwned;
use std::future::{Ready, ready};
use std::time::Duration;

/// The prefix of the server functions that plain forms post to.
pub const PREFIX: &str = "/do";
/// The field of the token that binds a form to its session.
pub(crate) const TOKEN: &str = "form_token";
/// The field of the idempotency key.
const KEY: &str = "form_key";
/// The maximum size of a form, in bytes. It is far above that of any valid form, so that a text that is too long is
/// shown at its field again.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;
/// The maximum size of a form from a caller who may not be signed in, in bytes. The sign-in forms are far smaller.
pub const MAX_BYTES_UNKNOWN: usize = 64 * 1024;

/// Makes the browser clear what it has stored of this site.
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
/// The delay after which a rate-limited caller may try again, in seconds.
pub const RETRY_AFTER_SECONDS: &str = "60";
/// The maximum nesting of field names: `form[fields][phone]`.
const DEPTH: usize = 5;

/// A posted form that was not executed.
#[derive(Clone, Debug)]
pub struct FailedSubmission {
    path: String,
    body: Bytes,
    /// The reason.
    pub error: AppError,
}

/// The one field that contains all values of a form.
#[derive(serde::Deserialize)]
struct FormEnvelope<T> {
    form: T,
}

/// Returns the typed form of this server function and its error, if the page is rendered again because of it.
pub(crate) fn failed_submission<T: DeserializeOwned>(function_path: &str) -> Option<(T, AppError)> {
    let failed = failed().filter(|failed| failed.path == function_path)?;
    let sent: FormEnvelope<T> = read(&failed.body)?;
    Some((sent.form, failed.error))
}

/// Returns the error of the form of this server function, if the page is rendered again because of it.
pub(crate) fn error_for(function_path: &str) -> Option<AppError> {
    failed().filter(|failed| failed.path == function_path).map(|failed| failed.error)
}

/// Returns the form because of which the page is rendered again, from the context or from the page's address.
fn failed() -> Option<FailedSubmission> {
    use_context::<FailedSubmission>().or_else(kept::from_address)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_qs::Config::new(DEPTH, false).deserialize_bytes(body).ok()
}

/// Returns the address that a form on `page` posts to.
pub(crate) fn action(function_path: &str, page: &str) -> String {
    format!("{function_path}?page={}", percent_encoded(page))
}

/// The token that binds the forms of a page to its session. Forms without it are rejected. The web server adds it to
/// the extensions of the request.
#[derive(Clone, Debug)]
pub struct FormToken(pub String);

/// The idempotency key of the forms of one page. The web server adds a random one to the extensions of each request.
#[derive(Clone, Debug)]
pub struct FormKey(pub String);

/// Renders the hidden fields of token and key. Every form that posts needs them.
#[component]
pub(crate) fn Token() -> impl IntoView {
    let key = extension::<FormKey>().map(|key| view! { <input type="hidden" name=KEY value=key.0 /> });
    extension::<FormToken>().map(|token| view! { <input type="hidden" name=TOKEN value=token.0 /> {key} })
}

/// Executes a posted form.
pub async fn submit(State(state): State<AppState>, request: Request<Body>) -> Response {
    let (mut parts, _) = request.into_parts();
    let body = parts.extensions.remove::<BufferedBody>();
    let (form, read) = read_form(&parts, body);
    if let Err(error) = read {
        return render_again(&state, form, error).await;
    }
    idempotency::execute(&state, parts, form).await
}

/// The outcome of a form.
struct FormOutcome {
    /// The page to go to, or the error.
    result: Result<HeaderValue, AppError>,
    /// The headers that start or end a session.
    headers: HeaderMap,
}

/// Calls the server function of a form.
async fn call_function(
    state: &AppState,
    mut parts: Parts,
    (path, form_page, body): (&str, &str, Bytes),
) -> FormOutcome {
    // The function answers in JSON; this module decides about the redirect.
    parts.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    parts.uri = Uri::try_from(path).unwrap_or_default();
    let context = state.clone();
    let answer = leptos_axum::handle_server_fns_with_context(
        move || provide_context(context.clone()),
        Request::from_parts(parts, Body::from(body)),
    )
    .await
    .into_response();
    let (answer, body) = answer.into_parts();
    let page = match answer.headers.get(LOCATION) {
        Some(location) => Some(location.clone()),
        None if answer.status.is_success() => HeaderValue::try_from(form_page).ok(),
        None => None,
    };
    let result = match page {
        Some(page) => Ok(page),
        None => Err(match to_bytes(body, MAX_BYTES).await {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or(AppError::Unreadable),
            Err(_) => AppError::Unreadable,
        }),
    };
    let kept = answer.headers.iter().filter(|(name, _)| [SET_COOKIE, CLEAR_SITE_DATA].contains(name));
    FormOutcome { result, headers: kept.map(|(name, value)| (name.clone(), value.clone())).collect() }
}

/// Returns the answer to a form: a redirect, or its page again.
async fn answer(state: &AppState, form: PostedForm, outcome: FormOutcome) -> Response {
    let mut response = match outcome.result {
        Ok(page) => (StatusCode::SEE_OTHER, [(LOCATION, page)]).into_response(),
        Err(error) => render_again(state, form, error).await,
    };
    response.headers_mut().extend(outcome.headers);
    response
}

/// Redirects a GET request for the address of a form, from the history or by a reload, to the page of the form.
/// Executes nothing.
pub fn redirect_to_page(uri: Uri) -> Ready<Response> {
    ready((StatusCode::SEE_OTHER, [(LOCATION, page_for(&uri))]).into_response())
}

/// A posted form.
struct PostedForm {
    /// The page of the form.
    page: String,
    /// The path of its server function.
    path: String,
    /// The fields without token and key.
    body: Bytes,
    /// The idempotency key.
    key: Option<String>,
    /// The extensions of the request, with the session.
    extensions: Extensions,
}

/// Reads a form. Rejects it if it is too large, too slow, not one of Lethe's, or of another session.
fn read_form(parts: &Parts, body: Option<BufferedBody>) -> (PostedForm, Result<(), AppError>) {
    let mut form = PostedForm {
        page: page_for(&parts.uri),
        path: parts.uri.path().to_owned(),
        body: Bytes::new(),
        key: None,
        extensions: parts.extensions.clone(),
    };
    let read = read_fields(&mut form, parts, body);
    (form, read)
}

fn read_fields(form: &mut PostedForm, parts: &Parts, body: Option<BufferedBody>) -> Result<(), AppError> {
    let is_plain = parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let body = body.map_or(Err(AppError::Unreadable), |BufferedBody(body)| body)?;
    if !is_plain {
        return Err(AppError::Unreadable);
    }
    let (mut fields, errors) = Fields::read(&body);
    let (token, key) = (fields.take(TOKEN), fields.take(KEY));
    fields.put_picked_dates();
    (form.body, form.key) = (fields.body(), key);
    if let Some(FormToken(expected)) = parts.extensions.get()
        && token.as_deref() != Some(expected)
    {
        return Err(AppError::OtherSession);
    }
    if !fields.are_of_form() {
        return Err(AppError::Unreadable);
    }
    if errors.is_empty() { Ok(()) } else { Err(AppError::Invalid(errors)) }
}

/// The buffered body of a request, or why it is incomplete.
#[derive(Clone)]
pub struct BufferedBody(Result<Bytes, AppError>);

/// Buffers the body of a request, unless it is too large or too slow. An incomplete API request is answered at once;
/// an incomplete form gets its page back.
pub async fn buffer_body(
    request: Request<Body>,
    cookies: Cookies,
    time: Duration,
) -> Result<Request<Body>, StatusCode> {
    let (mut parts, body) = request.into_parts();
    let buffered = read_body(body, time, max_bytes(&parts, cookies)).await;
    let body = match &buffered {
        Ok(body) => Body::from(body.clone()),
        Err(_) if parts.uri.path().starts_with(PREFIX) => Body::empty(),
        Err(error) => return Err(error.status()),
    };
    parts.extensions.insert(BufferedBody(buffered));
    Ok(Request::from_parts(parts, body))
}

/// Returns the maximum size of the body. It is smaller if the form requires no sign-in or the request carries no
/// session token.
fn max_bytes(parts: &Parts, cookies: Cookies) -> usize {
    let is_of_sign_in = matches!(
        route_access::access_for(FUNCTIONS, parts.uri.path()),
        None | Some(Access::Public | Access::AnySession)
    );
    let is_form = parts.uri.path().starts_with(PREFIX);
    let sent = parts.headers.get(COOKIE).and_then(|cookies| cookies.to_str().ok());
    let has_key = sent.is_some_and(|sent| cookie::session_token(cookies, sent).is_some());
    if has_key && !(is_form && is_of_sign_in) { MAX_BYTES } else { MAX_BYTES_UNKNOWN }
}

/// The route of the server functions of forms.
const FUNCTIONS: &str = "/do/{*function}";

async fn read_body(body: Body, time: Duration, max_bytes: usize) -> Result<Bytes, AppError> {
    let mut request = Request::new(body);
    DefaultBodyLimit::max(max_bytes).apply(&mut request);
    match tokio::time::timeout(time, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(AppError::TooLarge(max_bytes / 1024))
        }
        Ok(Err(_)) | Err(_) => Err(AppError::CutOff),
    }
}

/// Renders the page of a form again, with the typed values. If a new sign-in is required, redirects there first and
/// stores the form meanwhile. After a wrong confirmation it redirects to the page, so that Back never asks to send
/// the form again.
async fn render_again(state: &AppState, form: PostedForm, error: AppError) -> Response {
    let PostedForm { page, path, body, extensions, .. } = form;
    let session = extensions.get::<Session>();
    let mut failed = FailedSubmission { path, body, error };
    let purpose = match failed.error {
        AppError::SignInAgain => Some(""),
        AppError::ConfirmSignIn => Some("&for=sign-in"),
        _ => None,
    };
    if let Some(purpose) = purpose {
        failed.error = AppError::Kept;
        let page = kept::address(&page, &failed, session).unwrap_or(page);
        let to = format!("/sign-in/again?page={}{purpose}", percent_encoded(&page));
        return (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response();
    }
    if kept::is_wrong_confirmation(&failed.error)
        && let Some(to) = kept::address(&page, &failed, session)
    {
        return (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response();
    }
    let status = failed.error.status();
    let page = allowed_page(page, extensions.get::<Session>());
    let mut response = render(state, &page, extensions, move || provide_context(failed.clone())).await;
    *response.status_mut() = status;
    if status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
    }
    response
}

/// Returns the page that a form names, if the sender has access to it, otherwise a page with access. The address of a
/// form is not trusted: any page can be written into it.
fn allowed_page(page: String, session: Option<&Session>) -> String {
    if route_access::is_allowed(&page, session) {
        return page;
    }
    let is_signed_in = session.is_some_and(|session| session.actor().staff.is_some());
    if is_signed_in { "/" } else { "/sign-in" }.to_owned()
}

/// Sets the status of an island's answer to that of its error.
pub async fn with_error_status(answer: Response) -> Response {
    if answer.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let body = to_bytes(body, MAX_BYTES).await.unwrap_or_default();
    if let Ok(error) = serde_json::from_slice(&body) {
        parts.status = AppError::status(&error);
    }
    Response::from_parts(parts, Body::from(body))
}

/// Renders a page with these extensions of the request, for example its session.
pub async fn render(
    state: &AppState,
    page: &str,
    extensions: Extensions,
    context: impl Fn() + Clone + Send + Sync + 'static,
) -> Response {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = Uri::try_from(page).unwrap_or_default();
    *request.extensions_mut() = extensions;
    let (shell, state) = (Document::new(state), state.clone());
    let render = leptos_axum::render_app_async_with_context(
        move || {
            provide_context(state.clone());
            context();
        },
        move || shell.clone().view(),
    );
    render(request).await
}

/// Returns the page of an address; for a form, the page in its query. Only pages of this server are returned,
/// otherwise the start page.
pub fn page_for(uri: &Uri) -> String {
    #[derive(serde::Deserialize)]
    struct Query {
        page: String,
    }
    let page = if uri.path().starts_with(PREFIX) {
        uri.query().and_then(|query| read::<Query>(query.as_bytes())).map(|query| query.page)
    } else {
        uri.path_and_query().map(ToString::to_string)
    };
    page.filter(|page| is_local_page(page)).unwrap_or_else(|| "/".to_owned())
}

/// Returns whether this is the address of a page of this server.
pub(crate) fn is_local_page(page: &str) -> bool {
    page.starts_with('/')
        && !page.starts_with("//")
        && !page.starts_with(PREFIX)
        && page.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && is_text(page)
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
            ("/users?page=/tasks", "/users?page=/tasks"),
        ] {
            assert_eq!(page_for(&Uri::from_static(address)), page, "{address}");
        }
        let address = action("/do/x", "/users?q=ng&after=1");
        assert_eq!(page_for(&Uri::try_from(address).expect("an address")), "/users?q=ng&after=1");
    }
}
