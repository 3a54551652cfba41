//! `/healthz` and `/metrics`: for whoever watches the service from outside. Codes, ids and numbers; no personal value
//! and no words that somebody typed.

#[cfg(test)]
mod tests;

use super::metrics;
use crate::scheduler::Pulse;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use records::health::{self, Condition, Figures, Health};
use records::{RecordsError, Store};
use serde::Serialize;
use std::time::Duration;

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// A scheduler that has not looked for this many seconds is not at work.
const LONGEST_REST: i64 = 60;

/// What the answers are made of.
#[derive(Clone)]
struct Watched {
    store: Store,
    pulse: Pulse,
}

pub(super) fn routes(store: Store, pulse: Pulse) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics))
        .with_state(Watched { store, pulse })
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

async fn healthz(State(Watched { store, pulse }): State<Watched>) -> Response {
    let health = in_time(health::read(&store)).await;
    let age = pulse.age();
    let status = match &health {
        Some(_) if age > LONGEST_REST => Status::Failing,
        Some(Health { conditions }) if conditions.is_empty() => Status::Ok,
        Some(_) => Status::Warning,
        None => Status::Failing,
    };
    let code = match status {
        Status::Ok | Status::Warning => StatusCode::OK,
        Status::Failing => StatusCode::SERVICE_UNAVAILABLE,
    };
    let answer = Answer {
        status,
        database: if health.is_some() { "reachable" } else { "unreachable" },
        scheduler: Scheduler { seconds_since_last_tick: age },
        conditions: health.unwrap_or_default().conditions.iter().map(Told::from).collect(),
    };
    (code, Json(answer)).into_response()
}

async fn metrics(State(Watched { store, pulse }): State<Watched>) -> Response {
    let both = async { Ok((health::read(&store).await?, health::figures(&store).await?)) };
    let found: Option<(Health, Figures)> = in_time(both).await;
    match metrics::text(found, pulse.age()) {
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
    tracing::error!(code, "the database did not say how things stand");
    None
}
