//! Idempotency: a form that is sent again, by a second click or by going back, gets its first outcome. The same form
//! has the same random key of its page, the same server function and the same fields.

use super::{BufferedBody, FormOutcome, PostedForm, answer, call_function, is_of_sign_in, read_form};
use crate::error::AppError;
use crate::form::{FormToken, PREFIX};
use crate::state::{AppState, SessionEnded};
use axum::body::Body;
use axum::response::Response;
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request};
use identity::Session;
use identity::session::{FormClaim, FormOnce};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

/// The server functions that change nothing, or end the session that the key belongs to.
const WITHOUT_KEY: [&str; 4] = ["/do/find_users", "/do/find_run_users", "/do/check_task", "/do/sign_out"];
/// Maximum time for which the second of two requests waits for the first.
const WAIT_TIMEOUT: Duration = Duration::from_mins(1);
/// Duration for which a claim blocks a form that was not executed.
const CLAIM_TIMEOUT: Duration = Duration::from_mins(30);
/// Interval at which the second request asks whether the first has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The delay before an outcome that could not be stored is stored again. It doubles with each attempt.
const FIRST_RETRY_DELAY: Duration = Duration::from_millis(200);
/// The longest delay between two attempts to store an outcome.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);

/// The stored outcome of a form.
#[derive(Debug, Deserialize, Serialize)]
struct StoredOutcome {
    result: StoredResult,
    /// The cookies of the answer. The browser has dropped that answer, and with it the new session token.
    cookies: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
enum StoredResult {
    /// A redirect to this page.
    Page(String),
    /// Texts that are shown once.
    Shown(Vec<String>),
}

impl StoredOutcome {
    /// Returns what is stored of an outcome. None if the form was not executed.
    fn from_outcome(outcome: &FormOutcome) -> Option<Self> {
        let result = match &outcome.result {
            Ok(page) => StoredResult::Page(page.to_str().ok()?.to_owned()),
            Err(AppError::Shown(texts)) => StoredResult::Shown(texts.clone()),
            Err(_) => return None,
        };
        let set = outcome.headers.get_all(SET_COOKIE).iter();
        Some(Self { result, cookies: set.filter_map(|one| one.to_str().ok().map(str::to_owned)).collect() })
    }

    fn outcome(self) -> FormOutcome {
        let result = match self.result {
            StoredResult::Page(page) => HeaderValue::try_from(page).map_err(|_| AppError::Unreadable),
            StoredResult::Shown(texts) => Err(AppError::Shown(texts)),
        };
        let cookies = self.cookies.into_iter().filter_map(|one| HeaderValue::try_from(one).ok());
        FormOutcome { result, headers: cookies.map(|one| (SET_COOKIE, one)).collect() }
    }
}

/// Returns whether the form lacks a key that its server function requires. The pages of the sign-in are exempt: a
/// form may be older than its session.
pub(super) fn is_key_missing(form: &PostedForm) -> bool {
    let is_exempt = WITHOUT_KEY.contains(&form.path.as_str()) || is_of_sign_in(&form.path);
    !is_exempt && !form.key.as_deref().is_some_and(FormOnce::is_key)
}

/// Executes a form, unless it was executed before.
pub(super) async fn execute(state: &AppState, parts: Parts, form: PostedForm) -> Response {
    let session = parts.extensions.get::<Session>().cloned();
    let key = form.key.as_deref().filter(|_| !WITHOUT_KEY.contains(&form.path.as_str()));
    let (Some(session), Some(key)) = (session, key) else {
        let outcome = call_function(state, parts, (&form.path, &form.page, form.body.clone())).await;
        return answer(state, form, outcome).await;
    };
    let once = FormOnce::new(&session.form_token, key, &form.path, &form.body);
    let outcome = match claim(state, &once).await {
        Ok(Some(kept)) => kept.outcome(),
        // A browser that sends the form again drops its first request. That request is executed to its end all the
        // same.
        Ok(None) => {
            let (state, path, body) = (state.clone(), form.path.clone(), form.body.clone());
            let page = form.page.clone();
            let executed = tokio::spawn(async move {
                let outcome = call_function(&state, parts, (&path, &page, body)).await;
                keep(&state, once, &outcome).await;
                outcome
            });
            executed.await.unwrap_or_else(|_| failed(AppError::Internal("0".to_owned())))
        }
        Err(error) => failed(error),
    };
    answer(state, form, outcome).await
}

fn failed(error: AppError) -> FormOutcome {
    FormOutcome { result: Err(error), headers: HeaderMap::new() }
}

/// Answers a form that its session sent before the same form renewed the session token: with the same redirect and
/// the new token. Returns the request if it is not such a form.
pub async fn answer_resent_form(
    state: &AppState,
    mut request: Request<Body>,
) -> Result<Response, Request<Body>> {
    let Some(SessionEnded { form_token }) = request.extensions().get().cloned() else { return Err(request) };
    if request.method() != Method::POST || !request.uri().path().starts_with(PREFIX) {
        return Err(request);
    }
    let buffered = request.extensions().get::<BufferedBody>().cloned();
    request.extensions_mut().insert(FormToken(form_token.clone()));
    let (parts, body) = request.into_parts();
    let (form, read) = read_form(&parts, buffered);
    let once = form.key.as_deref().map(|key| FormOnce::new(&form_token, key, &form.path, &form.body));
    let kept = match (read, once) {
        (Ok(()), Some(once)) => renewed_session(state, &once).await,
        _ => None,
    };
    if let Some(kept) = kept {
        return Ok(answer(state, form, kept.outcome()).await);
    }
    let mut request = Request::from_parts(parts, body);
    request.extensions_mut().remove::<FormToken>();
    Err(request)
}

/// Returns the outcome of a form that renewed the token of its session.
async fn renewed_session(state: &AppState, once: &FormOnce) -> Option<StoredOutcome> {
    let until = Instant::now() + WAIT_TIMEOUT;
    loop {
        match once.look(&state.store).await.ok()?? {
            FormClaim::Done(kept) => return read(&kept).ok().filter(|kept| !kept.cookies.is_empty()),
            FormClaim::UnderWay if Instant::now() < until => sleep(POLL_INTERVAL).await,
            FormClaim::UnderWay | FormClaim::First => return None,
        }
    }
}

/// Claims the form. Returns its outcome if it was executed before, None if this is the first time.
async fn claim(state: &AppState, once: &FormOnce) -> Result<Option<StoredOutcome>, AppError> {
    let until = Instant::now() + WAIT_TIMEOUT;
    loop {
        match once.begin(&state.store).await.map_err(AppError::from)? {
            FormClaim::First => return Ok(None),
            FormClaim::Done(kept) => return read(&kept).map(Some),
            FormClaim::UnderWay if Instant::now() < until => sleep(POLL_INTERVAL).await,
            FormClaim::UnderWay => {
                let why =
                    "This form was already sent and may have taken effect. Check before you send it again";
                return Err(AppError::Refused(why.to_owned()));
            }
        }
    }
}

fn read(kept: &str) -> Result<StoredOutcome, AppError> {
    serde_json::from_str(kept).map_err(|_| AppError::Unreadable)
}

/// Stores the outcome of a form. A form that was not executed can be sent again. If the database is not available,
/// storing is retried: a remaining claim would reject the form until it expires.
async fn keep(state: &AppState, once: FormOnce, outcome: &FormOutcome) {
    let kept = StoredOutcome::from_outcome(outcome).and_then(|kept| serde_json::to_string(&kept).ok());
    let Err(error) = once.end(&state.store, kept.as_deref()).await else { return };
    tracing::warn!(code = error.code(), "the result of a form will be stored later");
    let store = state.store.clone();
    tokio::spawn(async move {
        let kept = kept.map(Zeroizing::new);
        let (mut pause, until) = (FIRST_RETRY_DELAY, Instant::now() + CLAIM_TIMEOUT);
        while Instant::now() < until {
            tokio::select! {
                () = sleep(pause) => {}
                () = store.stopped() => return,
            }
            pause = (pause * 2).min(MAX_RETRY_DELAY);
            if once.end(&store, kept.as_ref().map(|kept| kept.as_str())).await.is_ok() {
                return;
            }
        }
        tracing::error!("the result of a form could not be stored");
    });
}
