//! The warning before a session ends. Without WebAssembly there is no warning; the account page shows how long a
//! session lasts.

#[cfg(feature = "hydrate")]
mod watch;

use crate::error::AppError;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use policy::numbers::counted;
use serde::{Deserialize, Serialize};

/// The remaining time of a session without further requests.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct TimeLeft {
    /// Milliseconds until the session ends.
    pub left: i64,
    /// The warning appears when fewer milliseconds than this are left.
    pub warning: i64,
    /// Whether a request extends the session.
    pub can_stay: bool,
}

/// Returns the remaining time of the session, without extending it.
#[allow(clippy::unused_async, reason = "the browser waits for the answer")]
#[server(prefix = "/api", endpoint = "session_time", input = Json, output = Json)]
pub async fn session_time() -> Result<TimeLeft, AppError> {
    TimeLeft::now().ok_or(AppError::NotSignedIn)
}

/// Extends the session, like any request of a user, and returns its remaining time.
#[allow(clippy::unused_async, reason = "the browser waits for the answer")]
#[server(prefix = "/api", endpoint = "stay_signed_in", input = Json, output = Json)]
pub async fn stay_signed_in() -> Result<TimeLeft, AppError> {
    TimeLeft::now().ok_or(AppError::NotSignedIn)
}

/// One minute in milliseconds.
#[cfg(feature = "ssr")]
const MINUTE: i64 = 60_000;

#[cfg(feature = "ssr")]
impl TimeLeft {
    /// Returns the remaining time of the request's session. None if no user is signed in.
    pub fn now() -> Option<Self> {
        use crate::state::{session, store};
        use identity::session::{Remaining, Stage, remaining};
        let session = session().filter(|session| session.stage == Stage::SignedIn)?;
        let Remaining { left, warning, can_stay } = remaining(&store(), &session);
        Some(Self { left: left.num_milliseconds(), warning: warning.num_milliseconds(), can_stay })
    }

    /// Returns the remaining time rounded down to a minute, so that the HTML of a page does not change all the time.
    /// The page asks again before it warns.
    pub fn rounded() -> Option<Self> {
        let Self { left, warning, can_stay } = Self::now()?;
        let quiet = (left - warning).max(0) / MINUTE * MINUTE;
        Some(Self { left: warning + quiet, warning, can_stay })
    }
}

/// The state of the warning.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[cfg_attr(
    not(feature = "hydrate"),
    allow(dead_code, reason = "a page that has just been opened has time left")
)]
enum WarningState {
    /// No warning.
    Nothing,
    /// This many seconds are left.
    Warning { seconds: i64, can_stay: bool },
    /// The session may have ended and the server has not answered yet. The rest of the page is covered.
    Covered,
}

impl WarningState {
    const fn is_warning(self) -> bool {
        matches!(self, Self::Warning { .. })
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Nothing | Self::Warning { .. } => "Your session will end soon",
            Self::Covered => "Your session may have ended",
        }
    }

    const fn can_stay(self) -> bool {
        matches!(self, Self::Warning { can_stay: true, .. })
    }

    fn label(self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Warning { seconds, can_stay: true } => format!(
                "You have been inactive. You will be signed out in {} and unsaved changes will be lost.",
                duration(seconds)
            ),
            Self::Warning { seconds, can_stay: false } => format!(
                "Your session has reached its maximum length. You will be signed out in {} and have to sign \
                 in again. Save your changes now: unsaved changes will be lost.",
                duration(seconds)
            ),
            Self::Covered => {
                "This page is hidden until Lethe answers. If your session has ended, sign in again. \
                 Otherwise the page will come back with everything you typed."
                    .to_owned()
            }
        }
    }

    /// Screen readers announce a few steps, not every second.
    const fn step(self) -> (bool, i64) {
        match self {
            Self::Warning { seconds, .. } if seconds > 60 => (true, 120),
            Self::Warning { seconds, .. } if seconds > 20 => (true, 60),
            Self::Warning { .. } => (true, 20),
            Self::Nothing => (false, 0),
            Self::Covered => (false, 1),
        }
    }
}

fn duration(seconds: i64) -> String {
    let (minutes, rest) = (seconds / 60, seconds % 60);
    let rest_text = counted(rest, "second", "seconds");
    match (minutes, rest) {
        (0, _) => rest_text,
        (_, 0) => counted(minutes, "minute", "minutes"),
        _ => format!("{} {rest_text}", counted(minutes, "minute", "minutes")),
    }
}

/// Warns the user before the session ends, and leaves the page when it has ended.
#[island]
pub fn SessionWarning(
    /// The rounded remaining time when the page was rendered.
    time: TimeLeft,
) -> impl IntoView {
    let state = RwSignal::new(WarningState::Nothing);
    let hidden = RwSignal::new(false);
    let watch = watch::Watch::new(time, state);
    Effect::new(move || watch.begin());
    let step = Memo::new(move |_| state.get().step());
    let announcement = move || {
        step.get();
        state.get_untracked().label()
    };
    let is_warning = Memo::new(move |_| state.get().is_warning());
    // The user can hide a warning. A later one is shown again.
    Effect::new(move || {
        if !is_warning.get() {
            hidden.set(false);
        }
    });
    let shown = Memo::new(move |_| match state.get() {
        WarningState::Nothing => false,
        WarningState::Warning { .. } => !hidden.get(),
        WarningState::Covered => true,
    });
    let can_stay = Memo::new(move |_| state.get().can_stay());
    let button = move || match (is_warning.get(), can_stay.get()) {
        (false, _) => ().into_any(),
        (true, true) => {
            let stay = move |_| watch.stay();
            view! { <button class="primary" type="button" on:click=stay>"Stay signed in"</button> }.into_any()
        }
        (true, false) => {
            let hide = move |_| hidden.set(true);
            view! { <button type="button" on:click=hide>"Hide this warning"</button> }.into_any()
        }
    };
    view! {
        <p class="hidden session-said" aria-live="assertive">{announcement}</p>
        <section
            class="session-end" class:cover=move || state.get() == WarningState::Covered hidden=move || !shown.get()
            role="alertdialog" aria-modal="false" aria-labelledby="session-end" aria-describedby="session-end-words"
            tabindex="-1"
        >
            <h2 id="session-end">{move || state.get().title()}</h2>
            <p id="session-end-words">{move || state.get().label()}</p>
            <div class="buttons">{button}</div>
        </section>
    }
}

/// The server does not watch the time.
#[cfg(not(feature = "hydrate"))]
mod watch {
    use super::{TimeLeft, WarningState};
    use leptos::prelude::RwSignal;

    #[derive(Clone, Copy)]
    pub(super) struct Watch;

    #[allow(clippy::unused_self, reason = "as in the browser")]
    impl Watch {
        pub(super) fn new(_time: TimeLeft, _sight: RwSignal<WarningState>) -> Self {
            Self
        }

        pub(super) fn begin(self) {}

        pub(super) fn stay(self) {}
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn the_remaining_time_is_shown_in_words() {
        for (seconds, label) in [
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (61, "1 minute 1 second"),
            (120, "2 minutes"),
        ] {
            assert_eq!(duration(seconds), label);
        }
        let warned = WarningState::Warning { seconds: 90, can_stay: true };
        assert!(warned.label().contains("signed out in 1 minute 30 seconds"));
        assert!(WarningState::Warning { seconds: 90, can_stay: false }.label().contains("sign in again"));
        assert_eq!(warned.step(), WarningState::Warning { seconds: 61, can_stay: true }.step());
        assert_ne!(warned.step(), WarningState::Warning { seconds: 60, can_stay: true }.step());
    }
}
