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
use policy::{Action, RunId, UserNumber};
use records::{RecordsError, Session, run, session};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// How often the run is looked at.
const INTERVAL: Duration = Duration::from_millis(500);

/// How often it is looked whether the session is still there: who has signed out, or was shut out, sees no more.
const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// How many runs are watched at once, by everybody together. A page that is not served asks from time to time instead.
const MAX_WATCHED: usize = 200;
static WATCHED: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(MAX_WATCHED)));

/// How many of them are one person's, so that nobody keeps all others from watching.
const MAX_OF_ONE: usize = 8;
static OF_ONE: LazyLock<Mutex<HashMap<UserNumber, usize>>> = LazyLock::new(Mutex::default);

/// A place among those who watch, until it is dropped.
struct Turn {
    user: UserNumber,
    _of_all: OwnedSemaphorePermit,
}

impl Turn {
    /// A place, if there is one left for this person.
    fn of(user: UserNumber) -> Option<Self> {
        let of_all = Arc::clone(&WATCHED).try_acquire_owned().ok()?;
        let mut of_one = OF_ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = of_one.entry(user).or_default();
        if *taken >= MAX_OF_ONE {
            return None;
        }
        *taken += 1;
        Some(Self { user, _of_all: of_all })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut of_one = OF_ONE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = of_one.get_mut(&self.user) {
            *taken -= 1;
            if *taken == 0 {
                of_one.remove(&self.user);
            }
        }
    }
}

/// Somebody who watches a run.
struct Watcher {
    state: AppState,
    run: RunId,
    /// The key of the session. When that has got a new one, the browser asks again by itself.
    key: String,
    looked_at: Instant,
    last: Option<Progress>,
    _turn: Turn,
}

impl Watcher {
    /// Whether the session is still there and may still see runs.
    async fn may_go_on(&mut self) -> bool {
        if self.looked_at.elapsed() < LOOK_AGAIN {
            return true;
        }
        self.looked_at = Instant::now();
        let session = session::look(&self.state.store, &self.key).await;
        session.is_ok_and(|session| session.is_some_and(|session| session.actor().may(Action::SeeTasks)))
    }

    /// What has changed, once it has; None when there is nobody left to be told.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Option<Self>)> {
        loop {
            if !self.may_go_on().await {
                return None;
            }
            let run = run::read(&self.state.store, self.run).await.ok()?;
            let now = Progress::of(&run);
            if self.last == Some(now) {
                tokio::time::sleep(INTERVAL).await;
                continue;
            }
            let event = Event::default().json_data(now).ok()?;
            if self.last.replace(now).is_some() {
                tokio::time::sleep(INTERVAL).await;
            }
            return Some((Ok(event), (!run.state.is_final()).then_some(self)));
        }
    }
}

/// Sends how far a run is: at once, and then whenever that has changed. When the session ends, that ends, too.
pub(super) async fn run_events(
    State(state): State<AppState>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Response {
    let cookies = headers.get(COOKIE).and_then(|cookies| cookies.to_str().ok()).unwrap_or_default();
    let Some(key) = cookie::key(state.cookies, cookies) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let Some(turn) = Turn::of(session.user) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let run = RunId(id);
    match run::read(&state.store, run).await {
        Ok(_) => {}
        Err(RecordsError::NotFound(_)) => return StatusCode::NOT_FOUND.into_response(),
        Err(error) => return down::failed(&state.store, &error, "the progress of a run could not be read"),
    }
    let watcher = Watcher { state, run, key, looked_at: Instant::now(), last: None, _turn: turn };
    let events = stream::unfold(Some(watcher), async |watcher| watcher?.next().await);
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}
