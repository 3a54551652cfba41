//! What answers while the ledger is replayed: nobody gets at people whom a restored backup has brought back.

use super::{Outside, doors};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use policy::numbers::{counted, grouped};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use tower::ServiceExt as _;

/// After how many seconds somebody may look again. The page does so by itself.
const LOOK_AGAIN: &str = "5";

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
        Router::new()
            .fallback(answer)
            .with_state(self.clone())
            .layer(from_fn_with_state(self.0.outside.clone(), doors::only_under_own_name))
    }
}

async fn answer(State(door): State<Door>, request: Request) -> Response {
    if let Some(desk) = door.0.desk.get() {
        // A router cannot fail.
        return desk.clone().oneshot(request).await.into_response();
    }
    let head = [
        (RETRY_AFTER, LOOK_AGAIN),
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    let (people, done) = (door.0.people, door.0.done.load(Ordering::Relaxed));
    (StatusCode::SERVICE_UNAVAILABLE, head, page(people, done)).into_response()
}

/// The page, readable without a style sheet: there is no desk yet that could send one.
fn page(people: i64, done: i64) -> String {
    let who = if people == 0 {
        "Everybody has been anonymised again; that is being verified.".to_owned()
    } else {
        format!(
            "With that {} came back who had been anonymised before. They are being anonymised again now: {} of {} so \
             far.",
            counted(people, "person", "people"),
            grouped(done.min(people)),
            grouped(people),
        )
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"refresh\" content=\"{LOOK_AGAIN}\">\n<title>One moment – Lethe</title>\n</head>\n<body>\n\
         <main>\n<h1>One moment, please</h1>\n<p>A backup of the database was restored, or its last changes were \
         lost when the power failed. {who}</p>\n\
         <p>Until then nothing can be looked up or changed, by anybody. Nothing is lost, and nobody has to do \
         anything: this page loads itself again and becomes the desk.</p>\n</main>\n</body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;

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
        for path in ["/", "/users/1", "/pkg/lethe.wasm", "/api/x", "/healthz"] {
            let (status, retry, page) = ask(&door, path).await;
            assert_eq!((status, retry.as_deref()), (StatusCode::SERVICE_UNAVAILABLE, Some("5")), "{path}");
            assert!(page.contains("1,250 people came back") && page.contains("500 of 1,250"), "{page}");
        }
        door.open(Router::new().route("/", get(async || "the desk")));
        assert_eq!(ask(&door, "/").await, (StatusCode::OK, None, "the desk".to_owned()));
        assert_eq!(ask(&door, "/nowhere").await.0, StatusCode::NOT_FOUND);
    }

    #[test]
    fn one_person_is_not_people() {
        assert!(page(1, 0).contains("1 person came back"));
        assert!(page(0, 0).contains("being verified"));
    }
}
