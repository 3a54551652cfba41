//! The progress of a run as server-sent events, until it has ended.

use super::down;
use app::cookie;
use app::islands::Progress;
use app::state::AppState;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use identity::{Session, session};
use policy::{Action, RunId, UserNumber};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;
use task_centre::run;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Interval between readings of the run.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Interval between checks of the session. The stream ends when the session ends.
const SESSION_CHECK_INTERVAL: Duration = Duration::from_secs(3);

/// Maximum number of streams that are open at the same time. A page without a stream polls instead.
const MAX_STREAMS: usize = 200;
static STREAMS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(MAX_STREAMS)));

/// Maximum number of streams of one member of staff, so that no member of staff blocks the others.
const MAX_STREAMS_PER_USER: usize = 8;
static STREAMS_BY_USER: LazyLock<Mutex<HashMap<UserNumber, usize>>> = LazyLock::new(Mutex::default);

/// The right to one stream, until it is dropped.
struct StreamPermit {
    user: UserNumber,
    _permit: OwnedSemaphorePermit,
}

impl StreamPermit {
    /// Returns a permit, or `None` if a limit is reached.
    fn try_acquire(user: UserNumber) -> Option<Self> {
        let permit = Arc::clone(&STREAMS).try_acquire_owned().ok()?;
        let mut by_user = STREAMS_BY_USER.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = by_user.entry(user).or_default();
        if *taken >= MAX_STREAMS_PER_USER {
            return None;
        }
        *taken += 1;
        Some(Self { user, _permit: permit })
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let mut by_user = STREAMS_BY_USER.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = by_user.get_mut(&self.user) {
            *taken -= 1;
            if *taken == 0 {
                by_user.remove(&self.user);
            }
        }
    }
}

/// An open stream about a run.
struct Watcher {
    state: AppState,
    run: RunId,
    /// The token of the session. If the session gets a new token the stream ends, and the browser reconnects.
    key: String,
    checked_at: Instant,
    last: Option<Progress>,
    _permit: StreamPermit,
}

impl Watcher {
    /// Returns whether the session still exists and may see runs. Checks at intervals only.
    async fn is_allowed(&mut self) -> bool {
        if self.checked_at.elapsed() < SESSION_CHECK_INTERVAL {
            return true;
        }
        self.checked_at = Instant::now();
        let session = session::load(&self.state.store, &self.key).await;
        session.is_ok_and(|session| session.is_some_and(|session| session.actor().may(Action::SeeTasks)))
    }

    /// Waits for a change of the progress and returns it. Returns `None` if the session has ended.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Option<Self>)> {
        loop {
            if !self.is_allowed().await {
                return None;
            }
            let run = run::read(&self.state.store, self.run).await.ok()?;
            let progress = Progress::from_run(&run);
            if self.last == Some(progress) {
                tokio::time::sleep(POLL_INTERVAL).await;
                continue;
            }
            let event = Event::default().json_data(progress).ok()?;
            if self.last.replace(progress).is_some() {
                tokio::time::sleep(POLL_INTERVAL).await;
            }
            return Some((Ok(event), (!run.state.is_final()).then_some(self)));
        }
    }
}

/// Streams the progress of a run: now and after each change, until the run or the session ends.
pub(super) async fn run_events(
    State(state): State<AppState>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Response {
    let cookies = headers.get(COOKIE).and_then(|cookies| cookies.to_str().ok()).unwrap_or_default();
    let Some(key) = cookie::session_token(state.cookies, cookies) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let Some(permit) = StreamPermit::try_acquire(session.user) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let run = RunId(id);
    if let Err(error) = run::read(&state.store, run).await {
        return down::failed(&state.store, error, "the progress of a run could not be read");
    }
    let watcher = Watcher { state, run, key, checked_at: Instant::now(), last: None, _permit: permit };
    let events = stream::unfold(Some(watcher), async |watcher| watcher?.next().await);
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}
