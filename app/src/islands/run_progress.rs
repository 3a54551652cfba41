//! The progress of a run. Without WebAssembly a link shows the current state.

use crate::error::AppError;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use policy::numbers::{counted, grouped};
use policy::{Phase, RunState};
use serde::{Deserialize, Serialize};

/// The progress of a run: numbers of users whose changes are committed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Progress {
    /// The state of the run.
    pub state: RunState,
    /// The current phase.
    pub phase: Option<Phase>,
    /// The users in the preview.
    pub previewed: i64,
    /// Anonymised.
    pub done: i64,
    /// Skipped.
    pub skipped: i64,
    /// Failed.
    pub failed: i64,
    /// Users per second since the run was taken up. None while the rate is unknown.
    pub rate: Option<f64>,
    /// Seconds since the last heartbeat of the run's process.
    pub silent: Option<i64>,
    /// Whether the run can be cancelled: it is queued or has users left.
    pub can_cancel: bool,
    /// Whether the run announces the anonymising by e-mail.
    pub announces: bool,
    /// Lines read of the file that the run imports. None for other runs.
    pub lines: Option<i64>,
}

impl Progress {
    const fn counted(&self) -> i64 {
        self.done + self.skipped + self.failed
    }

    const fn remaining(&self) -> i64 {
        self.previewed - self.counted()
    }

    /// Returns the phase while the run is running, otherwise its state.
    fn doing(&self) -> &'static str {
        match (self.state, self.phase) {
            (RunState::Running, Some(phase)) => phase.label(),
            (state, _) => state.label(),
        }
    }

    fn label(&self) -> String {
        if let Some(lines) = self.lines {
            return format!("{}: {} read", self.doing(), counted(lines, "line", "lines"));
        }
        format!(
            "{}: {} of {} users processed, {} remaining",
            self.doing(),
            grouped(self.counted()),
            grouped(self.previewed),
            grouped(self.remaining())
        )
    }

    fn rate_text(&self) -> String {
        match self.rate {
            None => "–".to_owned(),
            Some(rate) if rate < 10.0 => format!("{rate:.1} users per second"),
            Some(rate) => format!("{} users per second", grouped(rounded(rate))),
        }
    }

    /// Estimates the remaining seconds from the rate so far.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "an estimate, shown in words"
    )]
    fn seconds_left(&self) -> Option<i64> {
        let rate = self.rate.filter(|rate| *rate > 0.0)?;
        matches!(self.phase, Some(Phase::Anonymising | Phase::Announcing))
            .then(|| (self.remaining() as f64 / rate).ceil() as i64)
    }
}

/// Rounds a rate.
#[allow(clippy::cast_possible_truncation, reason = "shown in words, and never that large")]
fn rounded(rate: f64) -> i64 {
    rate.round() as i64
}

/// Formats a duration, rounded.
fn duration(seconds: i64) -> String {
    match seconds {
        ..1 => "less than a second".to_owned(),
        1..100 => counted(seconds, "second", "seconds"),
        100..5400 => counted((seconds + 30) / 60, "minute", "minutes"),
        _ => counted((seconds + 1800) / 3600, "hour", "hours"),
    }
}

/// Returns the progress of a run.
#[server(prefix = "/api", endpoint = "run_progress", input = Json, output = Json)]
pub async fn run_progress(
    /// The run.
    run: i64,
) -> Result<Progress, AppError> {
    let run = task_centre::run::read(&crate::state::store(), policy::RunId(run)).await?;
    Ok(Progress::from_run(&run))
}

#[cfg(feature = "ssr")]
impl Progress {
    /// Returns the progress of this run.
    pub fn from_run(run: &task_centre::run::Run) -> Self {
        let counted = run.done + run.skipped + run.failed;
        Self {
            state: run.state,
            phase: run.phase,
            previewed: run.previewed,
            done: run.done,
            skipped: run.skipped,
            failed: run.failed,
            rate: rate(run, counted),
            silent: run.heartbeat_at.map(|at| (db::Clock::system_now() - at).num_seconds().max(0)),
            can_cancel: run.can_cancel,
            announces: matches!(run.settings, policy::TaskSettings::AnnounceAnonymising(_)),
            lines: matches!(run.settings, policy::TaskSettings::ImportUsers(_))
                .then(|| i64::try_from(run.lines_read.unwrap_or_default()).unwrap_or(i64::MAX)),
        }
    }
}

/// Returns the users per second since the run was taken up. None after an interruption, because its length is
/// unknown.
#[cfg(feature = "ssr")]
#[allow(clippy::cast_precision_loss, reason = "a rate")]
fn rate(run: &task_centre::run::Run, counted: i64) -> Option<f64> {
    let milliseconds = (run.progress_at? - run.started_at?).num_milliseconds();
    (run.interruptions == 0 && milliseconds > 0).then(|| counted as f64 * 1000.0 / milliseconds as f64)
}

/// Shows the progress bar and the numbers of a run, and lets the user cancel it while users are left. When the run
/// has ended, its result replaces the island.
#[island]
pub fn RunProgress(
    /// The run.
    run: i64,
    /// The address of the page.
    here: String,
    /// The progress when the page was rendered.
    progress: Progress,
    /// The form that cancels the run.
    children: Children,
) -> impl IntoView {
    let now = RwSignal::new(progress);
    // Screen readers announce a new phase and every tenth of the progress, not every second.
    let step =
        Memo::new(move |_| now.with(|now| (now.state, now.phase, now.counted() * 10 / now.previewed.max(1))));
    let announcement = move || {
        step.get();
        now.get_untracked().label()
    };
    let is_awake = RwSignal::new(false);
    Effect::new(move || {
        is_awake.set(true);
        watch::watch(run, now);
    });
    let has_ended = Memo::new(move |_| now.with(|now| now.state.is_final()));
    let way = move || if has_ended.get() { "Show result" } else { "Show current progress" };
    let number = move |of: fn(&Progress) -> i64| move || grouped(now.with(of));
    let rate = move || now.with(Progress::rate_text);
    let left = move || now.with(Progress::seconds_left).map_or_else(|| "–".to_owned(), duration);
    let last_update = move || {
        now.with(|now| now.silent)
            .map_or_else(|| "–".to_owned(), |seconds| format!("{} ago", duration(seconds)))
    };
    view! {
        <div class="progress">
            <p class="doing"><b>{move || now.with(Progress::doing)}</b></p>
            <div hidden=progress.lines.is_none()>
                <p>{move || now.with(|now| counted(now.lines.unwrap_or_default(), "line read", "lines read"))}</p>
            </div>
            <div hidden=progress.lines.is_some()>
            <progress max=progress.previewed.max(1) value=move || now.with(Progress::counted)
                aria-label="Progress of the run"></progress>
            <dl class="figures">
                <div><dt>{if progress.announces { "announced" } else { "anonymised" }}</dt><dd>{number(|now| now.done)}</dd></div>
                <div><dt>"skipped"</dt><dd>{number(|now| now.skipped)}</dd></div>
                <div><dt>"failed"</dt><dd>{number(|now| now.failed)}</dd></div>
                <div><dt>"remaining"</dt><dd>{number(Progress::remaining)}</dd></div>
            </dl>
            <dl class="facts">
                <dt>"Rate"</dt><dd>{rate}</dd>
                <dt>"Time left"</dt><dd>{left}</dd>
                <dt>"Last update"</dt><dd>{last_update}</dd>
            </dl>
            </div>
            <p hidden=move || is_awake.get() && !has_ended.get()><a href=here>{way}</a></p>
            <p class="hidden" role="status">{announcement}</p>
            <div hidden=move || !now.with(|now| now.can_cancel)>{children()}</div>
        </div>
    }
}

/// Receives changes by server-sent events, or polls every second.
#[cfg(feature = "hydrate")]
mod watch {
    use super::{Progress, run_progress};
    use crate::islands::in_place;
    use leptos::leptos_dom::helpers::IntervalHandle;
    use leptos::prelude::*;
    use leptos::task::spawn_local;
    use std::cell::Cell;
    use std::rc::Rc;
    use std::time::Duration;
    use wasm_bindgen::JsCast as _;
    use wasm_bindgen::prelude::Closure;
    use web_sys::{Event, EventSource, MessageEvent};

    /// The polling interval if events do not arrive.
    const INTERVAL: Duration = Duration::from_secs(1);

    /// The source of changes. It is closed when the run has ended.
    #[derive(Clone, Default)]
    struct ProgressSource {
        events: Rc<Cell<Option<EventSource>>>,
        interval: Rc<Cell<Option<IntervalHandle>>>,
        has_ended: Rc<Cell<bool>>,
    }

    impl ProgressSource {
        fn close(&self) {
            if let Some(events) = self.events.take() {
                events.close();
            }
            if let Some(interval) = self.interval.take() {
                interval.clear();
            }
        }
    }

    pub(super) fn watch(run: i64, now: RwSignal<Progress>) {
        in_place::watch_navigation();
        let source = ProgressSource::default();
        if listen(run, now, &source).is_none() {
            poll(run, now, &source);
        }
    }

    fn show(found: Progress, now: RwSignal<Progress>, source: &ProgressSource) {
        // The region of an ended run may have been replaced, and its signals with it.
        let _ = now.try_set(found);
        if found.state.is_final() && !source.has_ended.replace(true) {
            source.close();
            in_place::bring_up_to_date();
        }
    }

    /// Listens to the events of the run. Polls after an error.
    fn listen(run: i64, now: RwSignal<Progress>, source: &ProgressSource) -> Option<()> {
        let events = EventSource::new(&format!("/events/runs/{run}")).ok()?;
        let on_message = {
            let source = source.clone();
            Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
                let text = event.data().as_string().unwrap_or_default();
                if let Ok(found) = serde_json::from_str(&text) {
                    show(found, now, &source);
                }
            })
        };
        let on_error = {
            let source = source.clone();
            Closure::<dyn Fn(Event)>::new(move |_| {
                source.close();
                if !source.has_ended.get() {
                    poll(run, now, &source);
                }
            })
        };
        events.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        events.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        // The listeners live as long as the page.
        on_message.forget();
        on_error.forget();
        source.events.set(Some(events));
        Some(())
    }

    fn poll(run: i64, now: RwSignal<Progress>, source: &ProgressSource) {
        let ask = {
            let source = source.clone();
            move || {
                let source = source.clone();
                spawn_local(async move {
                    if let Ok(found) = run_progress(run).await {
                        show(found, now, &source);
                    }
                });
            }
        };
        source.interval.set(set_interval_with_handle(ask, INTERVAL).ok());
    }
}

#[cfg(not(feature = "hydrate"))]
mod watch {
    use super::Progress;
    use leptos::prelude::RwSignal;

    pub(super) fn watch(_run: i64, _now: RwSignal<Progress>) {}
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn the_remaining_time_is_shown_in_words() {
        let mut progress = Progress {
            announces: false,
            state: RunState::Running,
            phase: Some(Phase::Anonymising),
            previewed: 1000,
            done: 240,
            skipped: 10,
            failed: 0,
            rate: Some(5.0),
            silent: Some(1),
            can_cancel: true,
            lines: None,
        };
        assert_eq!(progress.label(), "Anonymising: 250 of 1,000 users processed, 750 remaining");
        assert_eq!(progress.seconds_left().map(duration).as_deref(), Some("3 minutes"));
        progress.phase = Some(Phase::Scanning);
        assert_eq!(progress.seconds_left(), None, "the rate does not apply to the search");
        progress.state = RunState::Cancelling;
        assert_eq!(progress.doing(), "Cancelling");
        assert_eq!(progress.rate_text(), "5.0 users per second");
        progress.rate = Some(1365.7);
        assert_eq!(progress.rate_text(), "1,366 users per second");
        assert_eq!(duration(0), "less than a second");
        assert_eq!(duration(7300), "2 hours");
    }
}
