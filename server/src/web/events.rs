//! The progress of a run as server-sent events, until it has ended.

use app::islands::Progress;
use app::state::AppState;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use policy::RunId;
use records::{Clock, RecordsError, Session, run};
use std::convert::Infallible;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::Semaphore;

/// How often the run is looked at.
const INTERVAL: Duration = Duration::from_millis(500);

/// How many runs are watched at once, by everybody together. A page that is not served asks from time to time instead.
const MOST_WATCHED: usize = 200;
static WATCHED: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(MOST_WATCHED)));

/// Sends how far a run is: at once, and then whenever that has changed. When the session ends, that ends, too.
pub(super) async fn run_events(
    State(state): State<AppState>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
) -> Response {
    let Ok(turn) = Arc::clone(&WATCHED).try_acquire_owned() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    match run::read(&state.store, RunId(id)).await {
        Ok(_) => {}
        Err(RecordsError::NotFound(_)) => return StatusCode::NOT_FOUND.into_response(),
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
    let events = stream::unfold(Some((state, turn, None::<Progress>)), move |watched| async move {
        let (state, turn, last) = watched?;
        loop {
            if session.ends_at < Clock::real() {
                return None;
            }
            let run = run::read(&state.store, RunId(id)).await.ok()?;
            let now = Progress::of(&run);
            if last == Some(now) {
                tokio::time::sleep(INTERVAL).await;
                continue;
            }
            let event = Event::default().json_data(now).ok()?;
            if last.is_some() {
                tokio::time::sleep(INTERVAL).await;
            }
            let more = (!run.state.is_final()).then_some((state, turn, Some(now)));
            return Some((Ok::<_, Infallible>(event), more));
        }
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}
