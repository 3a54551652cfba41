//! What answers while the ledger is replayed: nobody gets at people whom a restored backup has brought back.

use super::{Outside, auth, down, health};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use policy::numbers::{counted, grouped};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use tower::ServiceExt as _;

/// The door of the desk: closed until it is opened, once.
#[derive(Clone)]
pub(super) struct Door(Arc<Progress>);

struct Progress {
    desk: OnceLock<Router>,
    people: i64,
    done: AtomicI64,
    outside: Outside,
}

impl Door {
    /// A closed door, while so many people are anonymised again.
    pub(super) fn closed(people: i64, outside: Outside) -> Self {
        Self(Arc::new(Progress { desk: OnceLock::new(), people, done: AtomicI64::new(0), outside }))
    }

    /// Notes how many people were dealt with.
    pub(super) fn tell(&self, people: i64) {
        self.0.done.store(people, Ordering::Relaxed);
    }

    /// Lets everybody in.
    pub(super) fn open(&self, desk: Router) {
        let _ = self.0.desk.set(desk);
    }

    /// Answers every request: by the desk when the door is open.
    pub(super) fn router(&self) -> Router {
        // A process that replays is alive, and not ready.
        Router::new()
            .route(health::LIVE, get(async || health::up()))
            .route("/readyz", get(not_ready))
            .route("/healthz", get(not_ready))
            .fallback(answer)
            .with_state(self.clone())
            .layer(from_fn_with_state(self.0.outside.clone(), auth::only_under_own_name))
    }
}

async fn not_ready(State(door): State<Door>, request: Request) -> Response {
    if door.0.desk.get().is_some() { answer(State(door), request).await } else { health::down() }
}

async fn answer(State(door): State<Door>, request: Request) -> Response {
    if let Some(desk) = door.0.desk.get() {
        // A router cannot fail.
        return desk.clone().oneshot(request).await.into_response();
    }
    let (people, done) = (door.0.people, door.0.done.load(Ordering::Relaxed));
    down::page("One moment, please", &page(people, done), true)
}

/// What the page says.
fn page(people: i64, done: i64) -> [String; 2] {
    let who = if people == 0 {
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
        format!("A backup of the database was restored, or a power failure lost its last changes. {who}"),
        "Until then users cannot be searched or changed. Nothing is lost, and you do not have to do \
         anything: this page reloads automatically and opens the desk when Lethe is ready."
            .to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::http::StatusCode;
    use axum::http::header::RETRY_AFTER;

    async fn ask(door: &Door, path: &str) -> (StatusCode, Option<String>, String) {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let answer = door.router().oneshot(request).await.expect("an answer");
        let retry =
            answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
        (status, retry, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn everything_is_closed_until_the_door_is_opened() {
        let door = Door::closed(1_250, Outside::default());
        door.tell(500);
        for path in ["/", "/users/1", "/pkg/lethe.wasm", "/api/x"] {
            let (status, retry, page) = ask(&door, path).await;
            assert_eq!((status, retry.as_deref()), (StatusCode::SERVICE_UNAVAILABLE, Some("5")), "{path}");
            assert!(page.contains("contains 1,250 users") && page.contains("500 of 1,250"), "{page}");
        }
        for (path, status) in [("/livez", StatusCode::OK), ("/readyz", StatusCode::SERVICE_UNAVAILABLE)] {
            assert_eq!(ask(&door, path).await.0, status, "{path}");
        }
        let down = "{\"status\":\"down\"}".to_owned();
        assert_eq!(ask(&door, "/healthz").await, (StatusCode::SERVICE_UNAVAILABLE, None, down));
        door.open(Router::new().route("/", get(async || "the desk")));
        assert_eq!(ask(&door, "/").await, (StatusCode::OK, None, "the desk".to_owned()));
        assert_eq!(ask(&door, "/nowhere").await.0, StatusCode::NOT_FOUND);
    }

    #[test]
    fn one_person_is_not_people() {
        assert!(page(1, 0)[0].contains("contains 1 user"));
        assert!(page(0, 0)[0].contains("is verifying"));
    }
}
