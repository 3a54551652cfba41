//! Watches the time of day, because timers stop while a computer sleeps.

use super::{TimeLeft, WarningState, session_time, stay_signed_in};
use crate::error::AppError;
use crate::islands::{in_place, unsaved_changes};
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::Closure;
use web_sys::js_sys::{Date, encode_uri_component};

const TICK_INTERVAL: Duration = Duration::from_secs(1);
/// Interval between questions to the server during a warning, in milliseconds. A request of another tab may have
/// extended the session.
const REQUEST_INTERVAL_MS: i64 = 5_000;
/// Time limit for an answer, in milliseconds.
const ANSWER_TIMEOUT_MS: i64 = 10_000;

#[derive(Clone, Copy)]
pub(super) struct Watch {
    server_time: StoredValue<ServerTime>,
    state: RwSignal<WarningState>,
}

/// The server's answer about the session.
#[derive(Clone, Copy)]
struct ServerTime {
    time: TimeLeft,
    /// The end of the session, in milliseconds of this computer's clock.
    ends: i64,
    /// The time of the last question to the server.
    asked: i64,
    /// Whether an answer is pending.
    waits: bool,
}

impl ServerTime {
    /// Returns whether an answer is still awaited.
    fn waits(&self) -> bool {
        self.waits && now() - self.asked < ANSWER_TIMEOUT_MS
    }
}

#[allow(clippy::cast_possible_truncation, reason = "milliseconds since 1970")]
fn now() -> i64 {
    Date::now() as i64
}

impl Watch {
    pub(super) fn new(time: TimeLeft, state: RwSignal<WarningState>) -> Self {
        let server_time = ServerTime { time, ends: now() + time.left, asked: 0, waits: false };
        Self { server_time: StoredValue::new(server_time), state }
    }

    pub(super) fn begin(self) {
        in_place::watch_navigation();
        let _ = set_interval_with_handle(move || self.tick(), TICK_INTERVAL);
        // When a page becomes visible again, it is covered until the server has confirmed the session.
        let seen = Closure::<dyn Fn()>::new(move || self.tick());
        let seen_again = seen.as_ref().unchecked_ref();
        let _ = document().add_event_listener_with_callback("visibilitychange", seen_again);
        seen.forget();
    }

    fn tick(self) {
        let ServerTime { time, ends, asked, .. } = self.server_time.get_value();
        let left = ends - now();
        if left > time.warning {
            self.state.set(WarningState::Nothing);
            return;
        }
        if !self.waits() && now() - asked >= REQUEST_INTERVAL_MS.min(left.max(1_000)) {
            self.ask(false);
        }
        if left <= 0 {
            self.state.set(WarningState::Covered);
        } else if !self.waits() || self.state.get_untracked().is_warning() {
            // The warning appears only after the server was asked: a request of another tab may have extended the
            // session.
            let seconds = (left + 999) / 1_000;
            self.state.set(WarningState::Warning { seconds, can_stay: time.can_stay });
        }
    }

    fn waits(self) -> bool {
        self.server_time.with_value(ServerTime::waits)
    }

    pub(super) fn stay(self) {
        self.ask(true);
    }

    fn ask(self, stay: bool) {
        self.server_time.update_value(|server_time| (server_time.asked, server_time.waits) = (now(), true));
        spawn_local(async move {
            let answer = if stay { stay_signed_in().await } else { session_time().await };
            self.server_time.update_value(|server_time| {
                server_time.waits = false;
                if let Ok(time) = &answer {
                    (server_time.time, server_time.ends) = (*time, now() + time.left);
                }
            });
            if matches!(answer, Err(AppError::NotSignedIn)) && !in_place::is_navigating() {
                leave();
            } else {
                self.tick();
            }
        });
    }
}

/// Replaces the page by the sign-in page, also in the browser's history. The sign-in leads back to the page.
fn leave() {
    let location = window().location();
    let here = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    let page = String::from(encode_uri_component(&here));
    unsaved_changes::forget();
    let _ = location.replace(&format!("/sign-in?page={page}"));
}
