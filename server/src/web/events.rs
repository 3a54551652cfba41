//! The progress of a run as server-sent events, until it has ended.

use app::islands::Progress;
use app::state::AppState;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use policy::RunId;
use records::{RecordsError, run};
use std::convert::Infallible;
use std::time::Duration;

/// How often the run is looked at.
const INTERVAL: Duration = Duration::from_millis(500);

/// Sends how far a run is: at once, and then whenever that has changed.
pub(super) async fn run_events(State(state): State<AppState>, Path(id): Path<i64>) -> Response {
    match run::read(&state.store, RunId(id)).await {
        Ok(_) => {}
        Err(RecordsError::NotFound(_)) => return StatusCode::NOT_FOUND.into_response(),
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
    let events = stream::unfold(Some((state, None::<Progress>)), move |watched| async move {
        let (state, last) = watched?;
        loop {
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
            let more = (!run.state.is_final()).then_some((state, Some(now)));
            return Some((Ok::<_, Infallible>(event), more));
        }
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}
