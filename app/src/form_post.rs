//! Posted forms: how the form of a page (`form`) is executed. On success its server function redirects. Otherwise its
//! page is rendered again with the typed values and the errors at their fields.

mod body;
mod idempotency;

pub use idempotency::answer_resent_form;

use crate::cookie;
use crate::error::AppError;
use crate::form::{FailedSubmission, FormToken, KEY, PREFIX, TOKEN, kept, page_for};
use crate::route_access::{self, Access};
use crate::routes::Document;
use crate::state::{AppState, Cookies};
use crate::url::percent_encoded;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, FromRequest as _, State};
use axum::response::{IntoResponse, Response};
use body::Fields;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderName, LOCATION, RETRY_AFTER, SET_COOKIE};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use identity::Session;
use leptos::prelude::*;
use std::future::{Ready, ready};
use std::time::Duration;

/// The maximum size of a form, in bytes. It is far above that of any valid form, so that a text that is too long is
/// shown at its field again.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;
/// The maximum size of a form from a caller who may not be signed in, in bytes. The sign-in forms are far smaller.
pub const MAX_BYTES_UNKNOWN: usize = 64 * 1024;

/// Makes the browser clear what it has stored of this site.
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
/// The delay after which a rate-limited caller may try again, in seconds.
pub const RETRY_AFTER_SECONDS: &str = "60";

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
    if !fields.are_of_form() || idempotency::is_key_missing(form) {
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
    let is_of_sign_in = is_of_sign_in(parts.uri.path());
    let is_form = parts.uri.path().starts_with(PREFIX);
    let sent = parts.headers.get(COOKIE).and_then(|cookies| cookies.to_str().ok());
    let has_key = sent.is_some_and(|sent| cookie::session_token(cookies, sent).is_some());
    if has_key && !(is_form && is_of_sign_in) { MAX_BYTES } else { MAX_BYTES_UNKNOWN }
}

/// Returns whether a server function requires no complete sign-in.
fn is_of_sign_in(function: &str) -> bool {
    let access = route_access::access_for(FUNCTIONS, function);
    matches!(access, None | Some(Access::Public | Access::AnySession))
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
