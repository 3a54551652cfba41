//! A form that is sent again, by an impatient second click or by going back, leads to what it came to the first time. The
//! same form is the same key, which is random and made with the page, with the same function and the same fields.

use super::{Outcome, Posted, answer, call};
use crate::error::{AppError, reference};
use crate::state::AppState;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use records::RecordsError;
use records::session::{Begun, FormOnce, Session};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Functions that change nothing, or end the session that a key belongs to.
const WITHOUT_KEY: [&str; 4] = ["/do/find_users", "/do/find_people", "/do/check_task", "/do/sign_out"];
/// How long the second of two requests waits for the first.
const WAIT: Duration = Duration::from_mins(1);
/// How often the second looks whether the first is done.
const PAUSE: Duration = Duration::from_millis(100);

/// What a form came to, as it is kept for those who send it again.
#[derive(Deserialize, Serialize)]
enum Kept {
    /// It led to this page.
    Page(String),
    /// These were shown.
    Shown(Vec<String>),
}

/// Carries out a form, unless it was before.
pub(super) async fn carry_out(state: &AppState, parts: Parts, form: Posted) -> Response {
    let session = parts.extensions.get::<Session>().cloned();
    let key = form.key.as_deref().filter(|_| !WITHOUT_KEY.contains(&form.path.as_str()));
    let (Some(session), Some(key)) = (session, key) else {
        let outcome = call(state, parts, (&form.path, &form.page, form.body.clone())).await;
        return answer(state, form, outcome).await;
    };
    let once = FormOnce::of(&session, key, &form.path, &form.body);
    let result = match first(state, &session, &once).await {
        Ok(Some(kept)) => Err(kept),
        Ok(None) => Ok(()),
        Err(error) => Err(Err(error)),
    };
    let outcome = match result {
        // A browser that sends the form again drops its first request. It is carried out to the end all the same.
        Ok(()) => {
            let (state, path, body) = (state.clone(), form.path.clone(), form.body.clone());
            let page = form.page.clone();
            let carried_out = tokio::spawn(async move {
                let outcome = call(&state, parts, (&path, &page, body)).await;
                keep(&state, &session, &once, &outcome).await;
                outcome
            });
            carried_out.await.unwrap_or_else(|_| Outcome {
                result: Err(AppError::Internal("0".to_owned())),
                headers: HeaderMap::new(),
            })
        }
        Err(result) => Outcome { result, headers: HeaderMap::new() },
    };
    answer(state, form, outcome).await
}

/// What the form came to before, if it was carried out; None if this is the first time.
async fn first(
    state: &AppState,
    session: &Session,
    once: &FormOnce,
) -> Result<Option<Result<HeaderValue, AppError>>, AppError> {
    let until = tokio::time::Instant::now() + WAIT;
    loop {
        match once.begin(&state.store, session).await.map_err(internal)? {
            Begun::First => return Ok(None),
            Begun::Done(kept) => return read(&kept).map(Some),
            Begun::UnderWay if tokio::time::Instant::now() < until => tokio::time::sleep(PAUSE).await,
            Begun::UnderWay => {
                let why =
                    "This form was sent before and may have been carried out. Look before you send it again";
                return Err(AppError::Refused(why.to_owned()));
            }
        }
    }
}

fn internal(error: RecordsError) -> AppError {
    match error {
        RecordsError::Database(_) | RecordsError::Corrupt(_) => AppError::Internal(reference(&error)),
        other => other.into(),
    }
}

fn read(kept: &str) -> Result<Result<HeaderValue, AppError>, AppError> {
    match serde_json::from_str(kept) {
        Ok(Kept::Page(page)) => HeaderValue::try_from(page).map(Ok).map_err(|_| AppError::Unreadable),
        Ok(Kept::Shown(texts)) => Ok(Err(AppError::Shown(texts))),
        Err(_) => Err(AppError::Unreadable),
    }
}

/// Keeps what the form came to. A form that was not carried out can be sent again.
async fn keep(state: &AppState, session: &Session, once: &FormOnce, outcome: &Outcome) {
    let kept = match &outcome.result {
        Ok(page) => page.to_str().ok().map(|page| Kept::Page(page.to_owned())),
        Err(AppError::Shown(texts)) => Some(Kept::Shown(texts.clone())),
        Err(_) => None,
    };
    let kept = kept.and_then(|kept| serde_json::to_string(&kept).ok());
    if let Err(error) = once.end(&state.store, session, kept.as_deref()).await {
        tracing::error!(code = error.code(), "what a form came to could not be kept");
    }
}
