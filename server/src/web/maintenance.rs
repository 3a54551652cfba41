//! The gate during a ledger replay: no request reaches the users that a restored backup brought back.

use super::{auth, down, health};
use crate::network::NetworkConfig;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use policy::numbers::{counted, grouped};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use tower::ServiceExt as _;

/// Answers every request with the maintenance page until it is opened, once.
#[derive(Clone)]
pub(super) struct MaintenanceGate(Arc<Progress>);

struct Progress {
    routes: OnceLock<Router>,
    people: i64,
    done: AtomicI64,
    network: NetworkConfig,
}

impl MaintenanceGate {
    /// Creates a closed gate for a replay of so many users.
    pub(super) fn new(people: i64, network: NetworkConfig) -> Self {
        Self(Arc::new(Progress { routes: OnceLock::new(), people, done: AtomicI64::new(0), network }))
    }

    /// Sets how many users have been anonymised again.
    pub(super) fn set_progress(&self, people: i64) {
        self.0.done.store(people, Ordering::Relaxed);
    }

    /// Opens the gate: these routes answer from now on.
    pub(super) fn open(&self, routes: Router) {
        let _ = self.0.routes.set(routes);
    }

    /// Returns the router in front of the gate.
    pub(super) fn router(&self) -> Router {
        // During a replay the process is alive but not ready.
        Router::new()
            .route(health::LIVEZ, get(async || health::up()))
            .route("/readyz", get(not_ready))
            .route("/healthz", get(not_ready))
            .fallback(answer)
            .with_state(self.clone())
            .layer(from_fn_with_state(self.0.network.clone(), auth::reject_foreign_host))
    }
}

async fn not_ready(State(gate): State<MaintenanceGate>, request: Request) -> Response {
    if gate.0.routes.get().is_some() { answer(State(gate), request).await } else { health::down() }
}

async fn answer(State(gate): State<MaintenanceGate>, request: Request) -> Response {
    if let Some(routes) = gate.0.routes.get() {
        // A router cannot fail.
        return routes.clone().oneshot(request).await.into_response();
    }
    let (people, done) = (gate.0.people, gate.0.done.load(Ordering::Relaxed));
    down::page("One moment, please", &page(people, done), true)
}

/// Returns the paragraphs of the maintenance page.
fn page(people: i64, done: i64) -> [String; 2] {
    let progress = if people == 0 {
        "All affected users have been anonymised again; Lethe is verifying this.".to_owned()
    } else {
        format!(
            "It contains {} who had already been anonymised. Lethe is anonymising them again: {} of {} so \
             far.",
            counted(people, "user", "users"),
            grouped(done.min(people)),
            grouped(people),
        )
    };
    [
        format!(
            "A backup of the database was restored, or a power failure lost its last changes. {progress}"
        ),
        "Until then users cannot be searched or changed. Nothing is lost, and you do not have to do \
         anything: this page reloads automatically and opens Lethe when it is ready."
            .to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::http::StatusCode;
    use axum::http::header::RETRY_AFTER;

    async fn get_path(gate: &MaintenanceGate, path: &str) -> (StatusCode, Option<String>, String) {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let answer = gate.router().oneshot(request).await.expect("an answer");
        let retry =
            answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
        (status, retry, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn a_closed_gate_answers_every_request_with_the_maintenance_page() {
        let gate = MaintenanceGate::new(1_250, NetworkConfig::default());
        gate.set_progress(500);
        for path in ["/", "/users/1", "/pkg/lethe.wasm", "/api/x"] {
            let (status, retry, page) = get_path(&gate, path).await;
            assert_eq!((status, retry.as_deref()), (StatusCode::SERVICE_UNAVAILABLE, Some("5")), "{path}");
            assert!(page.contains("contains 1,250 users") && page.contains("500 of 1,250"), "{page}");
        }
        for (path, status) in [("/livez", StatusCode::OK), ("/readyz", StatusCode::SERVICE_UNAVAILABLE)] {
            assert_eq!(get_path(&gate, path).await.0, status, "{path}");
        }
        let down = "{\"status\":\"down\"}".to_owned();
        assert_eq!(get_path(&gate, "/healthz").await, (StatusCode::SERVICE_UNAVAILABLE, None, down));
        gate.open(Router::new().route("/", get(async || "the pages")));
        assert_eq!(get_path(&gate, "/").await, (StatusCode::OK, None, "the pages".to_owned()));
        assert_eq!(get_path(&gate, "/nowhere").await.0, StatusCode::NOT_FOUND);
    }

    #[test]
    fn the_page_has_singular_and_plural() {
        assert!(page(1, 0)[0].contains("contains 1 user"));
        assert!(page(0, 0)[0].contains("is verifying"));
    }
}
