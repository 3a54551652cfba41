//! Plain forms: how a form that was posted without WebAssembly is carried out and, if it is wrong, shown again
//! with everything that was typed and its errors at the fields.
//!
//! A form posts to the address of its server function with its own page in the query: `/do/save_task?page=/tasks/new`.
//! When all is well the server function redirects. When not, that page is rendered again with the [`FailedSubmission`]
//! form in its context. Nothing that was typed is stored anywhere: a short form that outlives its answer is sealed in the
//! address of the page (`kept`).

mod kept;

mod body;
mod idempotency;

pub use body::is_text;
pub use idempotency::answer_resent_form;

use crate::components::percent_encoded;
use crate::cookie;
use crate::error::AppError;
use crate::route_access::{self, Access};
use crate::routes::Document;
use crate::state::{AppState, Cookies, extension};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, FromRequest as _, State};
use axum::response::{IntoResponse, Response};
use body::Fields;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderName, LOCATION, RETRY_AFTER, SET_COOKIE};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use leptos::prelude::*;
use records::Session;
use serde::de::DeserializeOwned;
use std::future::{Ready, ready};
use std::time::Duration;

/// The prefix of every server function that a plain form posts to.
pub const PREFIX: &str = "/do";
/// The field of the token that shows that a form was made for this session.
pub(crate) const TOKEN: &str = "form_token";
/// The field of the key under which a form is carried out once.
const KEY: &str = "form_key";
/// The largest form, in bytes. No right form comes near it; a text that is far too long still comes back at its
/// field, to be shortened.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;
/// The largest form of a caller who may not be signed in, in bytes. The forms of the sign-in are far smaller.
pub const MAX_BYTES_UNKNOWN: usize = 64 * 1024;

/// Lets the browser forget what it has kept of this site.
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
/// After how many seconds a caller who was refused for too many attempts may try again.
pub const RETRY_AFTER_SECONDS: &str = "60";
/// How deep the names of fields may nest: `form[fields][phone]`.
const DEPTH: usize = 5;

/// A form that was posted and not carried out.
#[derive(Clone, Debug)]
pub struct FailedSubmission {
    path: String,
    body: Bytes,
    /// Why it was not carried out.
    pub error: AppError,
}

/// The one field under which each form sends its values.
#[derive(serde::Deserialize)]
struct FormEnvelope<T> {
    form: T,
}

/// The form of this server function as it was typed, if the page is shown again because of it.
pub(crate) fn failed_submission<T: DeserializeOwned>(function_path: &str) -> Option<(T, AppError)> {
    let failed = failed().filter(|failed| failed.path == function_path)?;
    let sent: FormEnvelope<T> = read(&failed.body)?;
    Some((sent.form, failed.error))
}

/// Why the form of this server function was not carried out, if the page is shown again because of it.
pub(crate) fn error_for(function_path: &str) -> Option<AppError> {
    failed().filter(|failed| failed.path == function_path).map(|failed| failed.error)
}

/// The form because of which the page is shown again, or which its address carries.
fn failed() -> Option<FailedSubmission> {
    use_context::<FailedSubmission>().or_else(kept::opened)
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

/// The key of the forms of one page: the same form with the same key is carried out once. The web server puts a random one
/// into the extensions of each request.
#[derive(Clone, Debug)]
pub struct FormKey(pub String);

/// The token and the key in a form. They stand in every form that posts.
#[component]
pub(crate) fn Token() -> impl IntoView {
    let key = extension::<FormKey>().map(|key| view! { <input type="hidden" name=KEY value=key.0 /> });
    extension::<FormToken>().map(|token| view! { <input type="hidden" name=TOKEN value=token.0 /> {key} })
}

/// Carries out a posted form.
pub async fn submit(State(state): State<AppState>, request: Request<Body>) -> Response {
    let (mut parts, _) = request.into_parts();
    let body = parts.extensions.remove::<BufferedBody>();
    let (form, read) = read_form(&parts, body);
    if let Err(error) = read {
        return render_again(&state, form, error).await;
    }
    idempotency::carry_out(&state, parts, form).await
}

/// What a form came to.
struct FormOutcome {
    /// Where it leads, or why it was not carried out.
    result: Result<HeaderValue, AppError>,
    /// What signs somebody in or out.
    headers: HeaderMap,
}

/// Lets the function of a form carry it out.
async fn call_function(
    state: &AppState,
    mut parts: Parts,
    (path, form_page, body): (&str, &str, Bytes),
) -> FormOutcome {
    // The function is asked for a plain answer; whether there is a page to go to is decided here.
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

/// The answer to a form: the page that it leads to, or its own page again.
async fn answer(state: &AppState, form: PostedForm, outcome: FormOutcome) -> Response {
    let mut response = match outcome.result {
        Ok(page) => (StatusCode::SEE_OTHER, [(LOCATION, page)]).into_response(),
        Err(error) => render_again(state, form, error).await,
    };
    response.headers_mut().extend(outcome.headers);
    response
}

/// Leads whoever opens the address of a form, from the history or by loading a page again, to the page that the form stands
/// on. Nothing is carried out.
pub fn redirect_to_page(uri: Uri) -> Ready<Response> {
    ready((StatusCode::SEE_OTHER, [(LOCATION, page_for(&uri))]).into_response())
}

/// A form as it was posted.
struct PostedForm {
    /// The page that it stands on.
    page: String,
    /// The path of its function.
    path: String,
    /// Its fields, without token and key.
    body: Bytes,
    /// Its key.
    key: Option<String>,
    /// What the web server knows of the request: who is signed in.
    extensions: Extensions,
}

/// Reads a form. It is not carried out if it is too large or too slow, is not one of Lethe's, or was made for another
/// session.
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

/// The body of a request that has arrived whole, or why it has not.
#[derive(Clone)]
pub struct BufferedBody(Result<Bytes, AppError>);

/// Waits for the body of a request, unless it is too large or does not arrive in time, and puts it into its place. A
/// question that has not arrived is answered at once; a form brings its page back.
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

/// How many bytes a form may have: fewer where it needs no sign-in, or comes without the key of a session.
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

/// The route of all functions that a form posts to.
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

/// Renders the page of a form again, with what was typed. Whoever has to show again who they are is asked for it first,
/// and finds what was typed afterwards. After a wrong confirmation the browser is led to the page, so that going back
/// never asks whether to send the form again.
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

/// The page that a form names, if it opens for whoever sent the form. Anybody can write any page into the address that a
/// form is posted to.
fn allowed_page(page: String, session: Option<&Session>) -> String {
    if route_access::is_allowed(&page, session) {
        return page;
    }
    let is_signed_in = session.is_some_and(|session| session.actor().staff.is_some());
    if is_signed_in { "/" } else { "/sign-in" }.to_owned()
}

/// The answer to a question of an island, with the status that its error has.
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

/// Renders a page as somebody sees it, of whom the web server knows these extensions.
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

/// The page that an address leads to: a form has its own in the query of its address. Only pages of this server.
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

/// Whether this is the address of a page of this server.
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
        let read_form = action("/do/x", "/users?q=ng&after=1");
        assert_eq!(page_for(&Uri::try_from(read_form).expect("an address")), "/users?q=ng&after=1");
    }
}
