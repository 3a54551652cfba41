//! What programs that watch the service may ask.
//!
//! - `/livez`: whether the process answers. It asks nothing else: a replay, or a database that is down, is no reason to
//!   kill it.
//! - `/readyz` and `/healthz`: whether work can be done here, up or down and no more.
//! - With the token, or at an address of their own: conditions at `/healthz` and figures at `/metrics`. Codes, ids and
//!   numbers; no personal value and no words of a task.

#[cfg(test)]
mod tests;

use super::metrics;
use crate::scheduler::Heartbeat;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use records::health::{self, Condition, Figures, Health};
use records::{Fault, RecordsError, Store, vitals};
use serde::Serialize;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq as _;
use tokio::sync::Mutex;
use tower_http::set_header::SetResponseHeaderLayer;

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// For how long one look at the database serves all who ask, without a sign-in and as often as they like.
const SHARED_FOR: Duration = Duration::from_secs(1);
/// A scheduler that has not looked for this many seconds is not at work.
const LONGEST_REST: i64 = 60;

/// What the answers are made of.
#[derive(Clone)]
pub(super) struct Watched {
    store: Store,
    pulse: Heartbeat,
    details: Details,
    last: Arc<LastLook>,
}

/// The last look at the database.
#[derive(Debug, Default)]
struct LastLook {
    /// Held by the look that is under way: the others wait for what it finds.
    found: Mutex<Option<Found>>,
    /// How many looks there were.
    looks: AtomicU64,
}

impl LastLook {
    /// What the database says, or said a moment ago; None if it does not answer.
    async fn health(&self, store: &Store) -> Option<Health> {
        let mut found = self.found.lock().await;
        if let Some(last) = &*found
            && last.at.elapsed() < SHARED_FOR
            && last.faults == faults_of(store)
        {
            return last.health.clone();
        }
        self.looks.fetch_add(1, Ordering::Relaxed);
        vitals::beat(store).await;
        let is_down = store.vitals().is_database_down();
        let health = if is_down { None } else { in_time(health::read(store)).await };
        *found = Some(Found { at: Instant::now(), faults: faults_of(store), health: health.clone() });
        health
    }
}

/// What a look at the database found.
#[derive(Debug)]
struct Found {
    at: Instant,
    /// What could not be written then. A change that fails is reported at once.
    faults: HashSet<Fault>,
    health: Option<Health>,
}

fn faults_of(store: &Store) -> HashSet<Fault> {
    store.vitals().faults().into_iter().collect()
}

/// For whom there is more than up or down.
#[derive(Clone)]
enum Details {
    /// For all that reach the address.
    ForAll,
    /// For those who send this token, if there is one.
    WithToken(Option<Arc<str>>),
}

impl Watched {
    /// At the address of the desk.
    pub(super) fn at_the_desk(store: Store, pulse: Heartbeat, token: Option<Arc<str>>) -> Self {
        Self { store, pulse, details: Details::WithToken(token), last: Arc::default() }
    }

    /// At an address of its own.
    pub(super) fn apart(store: Store, pulse: Heartbeat) -> Self {
        Self { store, pulse, details: Details::ForAll, last: Arc::default() }
    }

    pub(super) fn routes(self) -> Router {
        Router::new()
            .route(LIVE, get(livez))
            .route("/readyz", get(readyz))
            .route("/healthz", get(healthz))
            .route("/metrics", get(metrics))
            .layer(SetResponseHeaderLayer::overriding(CACHE_CONTROL, HeaderValue::from_static("no-store")))
            .with_state(self)
    }

    fn is_allowed(&self, headers: &HeaderMap) -> bool {
        let Details::WithToken(token) = &self.details else { return true };
        let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let sent = sent.and_then(|value| value.strip_prefix("Bearer "));
        token.as_ref().zip(sent).is_some_and(|(token, sent)| token.as_bytes().ct_eq(sent.as_bytes()).into())
    }

    /// Whether work can be done here, and what staff should know.
    async fn look(&self) -> (Status, Option<Health>) {
        let health = self.last.health(&self.store).await;
        let is_at_work = self.pulse.age() <= LONGEST_REST && self.store.vitals().faults().is_empty();
        let status = match &health {
            Some(Health { conditions }) if is_at_work && conditions.is_empty() => Status::Ok,
            Some(_) if is_at_work => Status::Warning,
            _ => Status::Failing,
        };
        (status, health)
    }
}

/// Where the process says that it lives.
pub(super) const LIVE: &str = "/livez";

/// One word for those who may know no more.
#[derive(Serialize)]
struct InOneWord {
    status: &'static str,
}

pub(super) fn up() -> Response {
    Json(InOneWord { status: "up" }).into_response()
}

pub(super) fn down() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Json(InOneWord { status: "down" })).into_response()
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ok,
    /// Somebody should look.
    Warning,
    /// The service does not do its work.
    Failing,
}

#[derive(Serialize)]
struct Answer {
    status: Status,
    database: &'static str,
    scheduler: Scheduler,
    conditions: Vec<Told>,
}

#[derive(Serialize)]
struct Scheduler {
    seconds_since_last_tick: i64,
}

#[derive(Serialize)]
struct Told {
    code: &'static str,
    task: Option<i64>,
    run: Option<i64>,
    since: String,
}

impl From<&Condition> for Told {
    fn from(condition: &Condition) -> Self {
        Self {
            code: condition.what.code(),
            task: condition.task.as_ref().map(|(id, _)| id.0),
            run: condition.run.map(|run| run.0),
            since: condition.since.to_rfc3339(),
        }
    }
}

async fn livez() -> Response {
    up()
}

async fn readyz(State(watched): State<Watched>) -> Response {
    match watched.look().await.0 {
        Status::Ok | Status::Warning => up(),
        Status::Failing => down(),
    }
}

async fn healthz(State(watched): State<Watched>, headers: HeaderMap) -> Response {
    if !watched.is_allowed(&headers) {
        return readyz(State(watched)).await;
    }
    let (status, health) = watched.look().await;
    let code = match status {
        Status::Ok | Status::Warning => StatusCode::OK,
        Status::Failing => StatusCode::SERVICE_UNAVAILABLE,
    };
    let own = || health::of_this_process(&watched.store);
    let is_reachable = health.is_some();
    let conditions = health.map_or_else(own, |health| health.conditions);
    let answer = Answer {
        status,
        database: if is_reachable { "reachable" } else { "unreachable" },
        scheduler: Scheduler { seconds_since_last_tick: watched.pulse.age() },
        conditions: conditions.iter().map(Told::from).collect(),
    };
    (code, Json(answer)).into_response()
}

async fn metrics(State(watched): State<Watched>, headers: HeaderMap) -> Response {
    match &watched.details {
        Details::WithToken(None) => return StatusCode::NOT_FOUND.into_response(),
        Details::WithToken(Some(_)) if !watched.is_allowed(&headers) => {
            return (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")]).into_response();
        }
        _ => {}
    }
    vitals::beat(&watched.store).await;
    let both = async { Ok((health::read(&watched.store).await?, health::figures(&watched.store).await?)) };
    let found: Option<(Health, Figures)> =
        if watched.store.vitals().is_database_down() { None } else { in_time(both).await };
    match metrics::text(found, watched.pulse.age()) {
        Ok(text) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// What the database answers, if it does.
async fn in_time<T>(asked: impl Future<Output = Result<T, RecordsError>>) -> Option<T> {
    let code = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(found)) => return Some(found),
        Ok(Err(error)) => error.code(),
        Err(_) => "timeout",
    };
    tracing::error!(code, "the health of the database could not be read");
    None
}
