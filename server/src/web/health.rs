//! Health and metrics for monitoring.
//!
//! - `/livez`: whether the process answers. It does not check the database: a replay, or a database that is down, is no
//!   reason to kill the process.
//! - `/readyz` and `/healthz`: whether the service works, as up or down.
//! - With the monitoring token, or at the separate address: conditions at `/healthz` and metrics at `/metrics`. They
//!   contain codes, ids and numbers, but no personal value and no text of a task.

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
use db::{Fault, RecordsError};
use operations::health::{self, Condition, Figures, Health};
use operations::heartbeat;
use serde::Serialize;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq as _;
use tokio::sync::Mutex;
use tower_http::set_header::SetResponseHeaderLayer;
use trail::Store;

/// Time limit for an answer of the database.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(5);
/// Duration for which one reading of the database answers all requests. Clients can ask without a sign-in, as often as
/// they like.
const CACHE_TTL: Duration = Duration::from_secs(1);
/// A scheduler without a tick for this many seconds counts as stopped.
const MAX_HEARTBEAT_AGE_SECONDS: i64 = 60;

/// The state of the handlers.
#[derive(Clone)]
pub(super) struct Probes {
    store: Store,
    heartbeat: Heartbeat,
    details: DetailAccess,
    cache: Arc<HealthCache>,
}

/// The last reading of the database.
#[derive(Debug, Default)]
struct HealthCache {
    /// Locked during a reading: other requests wait for its result.
    reading: Mutex<Option<Reading>>,
    /// The number of readings, for tests.
    readings: AtomicU64,
}

impl HealthCache {
    /// Returns the health that the database reports, possibly cached. Returns `None` if the database does not answer.
    async fn health(&self, store: &Store) -> Option<Health> {
        let mut reading = self.reading.lock().await;
        if let Some(last) = &*reading
            && last.at.elapsed() < CACHE_TTL
            && last.faults == faults_of(store)
        {
            return last.health.clone();
        }
        self.readings.fetch_add(1, Ordering::Relaxed);
        heartbeat::beat(store).await;
        let is_down = store.vitals.is_database_down();
        let health = if is_down { None } else { in_time(health::read(store)).await };
        *reading = Some(Reading { at: Instant::now(), faults: faults_of(store), health: health.clone() });
        health
    }
}

/// The result of a reading.
#[derive(Debug)]
struct Reading {
    at: Instant,
    /// The faults at that time. A new fault makes the reading obsolete.
    faults: HashSet<Fault>,
    health: Option<Health>,
}

fn faults_of(store: &Store) -> HashSet<Fault> {
    store.vitals.faults().into_iter().collect()
}

/// The clients that get more than up or down.
#[derive(Clone)]
enum DetailAccess {
    /// All clients that reach the address.
    All,
    /// Clients that send this token. `None` if no token is configured.
    WithToken(Option<Arc<str>>),
}

impl Probes {
    /// Creates the handlers for the main address.
    pub(super) fn at_main_address(store: Store, heartbeat: Heartbeat, token: Option<Arc<str>>) -> Self {
        Self { store, heartbeat, details: DetailAccess::WithToken(token), cache: Arc::default() }
    }

    /// Creates the handlers for the separate address.
    pub(super) fn at_own_address(store: Store, heartbeat: Heartbeat) -> Self {
        Self { store, heartbeat, details: DetailAccess::All, cache: Arc::default() }
    }

    pub(super) fn routes(self) -> Router {
        Router::new()
            .route(LIVEZ, get(livez))
            .route("/readyz", get(readyz))
            .route("/healthz", get(healthz))
            .route("/metrics", get(metrics))
            .layer(SetResponseHeaderLayer::overriding(CACHE_CONTROL, HeaderValue::from_static("no-store")))
            .with_state(self)
    }

    fn is_allowed(&self, headers: &HeaderMap) -> bool {
        let DetailAccess::WithToken(token) = &self.details else { return true };
        let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let sent = sent.and_then(|value| value.strip_prefix("Bearer "));
        token.as_ref().zip(sent).is_some_and(|(token, sent)| token.as_bytes().ct_eq(sent.as_bytes()).into())
    }

    /// Returns the status of the service, and its health if the database answers.
    async fn check(&self) -> (Status, Option<Health>) {
        let health = self.cache.health(&self.store).await;
        let is_working =
            self.heartbeat.age() <= MAX_HEARTBEAT_AGE_SECONDS && self.store.vitals.faults().is_empty();
        let status = match &health {
            Some(Health { conditions }) if is_working && conditions.is_empty() => Status::Ok,
            Some(_) if is_working => Status::Warning,
            _ => Status::Failing,
        };
        (status, health)
    }
}

/// The route of the liveness check.
pub(super) const LIVEZ: &str = "/livez";

/// The answer to clients without access to details.
#[derive(Serialize)]
struct UpOrDown {
    status: &'static str,
}

pub(super) fn up() -> Response {
    Json(UpOrDown { status: "up" }).into_response()
}

pub(super) fn down() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Json(UpOrDown { status: "down" })).into_response()
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ok,
    /// A condition needs attention.
    Warning,
    /// The service does not work.
    Failing,
}

#[derive(Serialize)]
struct Answer {
    status: Status,
    database: &'static str,
    scheduler: Scheduler,
    conditions: Vec<ConditionJson>,
}

#[derive(Serialize)]
struct Scheduler {
    seconds_since_last_tick: i64,
}

#[derive(Serialize)]
struct ConditionJson {
    code: &'static str,
    task: Option<i64>,
    run: Option<i64>,
    since: String,
}

impl From<&Condition> for ConditionJson {
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

async fn readyz(State(probes): State<Probes>) -> Response {
    match probes.check().await.0 {
        Status::Ok | Status::Warning => up(),
        Status::Failing => down(),
    }
}

async fn healthz(State(probes): State<Probes>, headers: HeaderMap) -> Response {
    if !probes.is_allowed(&headers) {
        return readyz(State(probes)).await;
    }
    let (status, health) = probes.check().await;
    let code = match status {
        Status::Ok | Status::Warning => StatusCode::OK,
        Status::Failing => StatusCode::SERVICE_UNAVAILABLE,
    };
    let own = || health::of_this_process(&probes.store);
    let is_reachable = health.is_some();
    let conditions = health.map_or_else(own, |health| health.conditions);
    let answer = Answer {
        status,
        database: if is_reachable { "reachable" } else { "unreachable" },
        scheduler: Scheduler { seconds_since_last_tick: probes.heartbeat.age() },
        conditions: conditions.iter().map(ConditionJson::from).collect(),
    };
    (code, Json(answer)).into_response()
}

async fn metrics(State(probes): State<Probes>, headers: HeaderMap) -> Response {
    match &probes.details {
        DetailAccess::WithToken(None) => return StatusCode::NOT_FOUND.into_response(),
        DetailAccess::WithToken(Some(_)) if !probes.is_allowed(&headers) => {
            return (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")]).into_response();
        }
        _ => {}
    }
    heartbeat::beat(&probes.store).await;
    let both = async { Ok((health::read(&probes.store).await?, health::figures(&probes.store).await?)) };
    let found: Option<(Health, Figures)> =
        if probes.store.vitals.is_database_down() { None } else { in_time(both).await };
    match metrics::text(found, probes.heartbeat.age()) {
        Ok(text) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Returns the answer of the database, or `None` after an error or a time-out.
async fn in_time<T>(query: impl Future<Output = Result<T, RecordsError>>) -> Option<T> {
    let code = match tokio::time::timeout(DATABASE_TIMEOUT, query).await {
        Ok(Ok(found)) => return Some(found),
        Ok(Err(error)) => error.code(),
        Err(_) => "timeout",
    };
    tracing::error!(code, "the health of the database could not be read");
    None
}
