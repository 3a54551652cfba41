//! The progress of a run that is under way. Without WebAssembly a link shows how far it is now.

use crate::error::AppError;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use policy::numbers::{counted, grouped};
use policy::{Phase, RunState};
use serde::{Deserialize, Serialize};

/// How far a run is: counts of people whose changes are committed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Progress {
    /// How far it is, or how it ended.
    pub state: RunState,
    /// What it is doing.
    pub phase: Option<Phase>,
    /// People to do.
    pub previewed: i64,
    /// Anonymised.
    pub done: i64,
    /// Skipped.
    pub skipped: i64,
    /// Failed.
    pub failed: i64,
    /// People a second, since it was taken up; None while that says nothing.
    pub rate: Option<f64>,
    /// Seconds since the process that carries it out gave a sign of life.
    pub silent: Option<i64>,
    /// Whether it can be cancelled: it waits, or has users left.
    pub can_cancel: bool,
}

impl Progress {
    const fn counted(&self) -> i64 {
        self.done + self.skipped + self.failed
    }

    const fn remaining(&self) -> i64 {
        self.previewed - self.counted()
    }

    /// What is happening, in a few words.
    fn doing(&self) -> &'static str {
        match (self.state, self.phase) {
            (RunState::Running, Some(phase)) => phase.label(),
            (state, _) => state.label(),
        }
    }

    fn label(&self) -> String {
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
            Some(rate) => format!("{} users per second", grouped(whole(rate))),
        }
    }

    /// The seconds that remain at the rate so far.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "an estimate, shown in words"
    )]
    fn seconds_left(&self) -> Option<i64> {
        let rate = self.rate.filter(|rate| *rate > 0.0)?;
        (self.phase == Some(Phase::Anonymising)).then(|| (self.remaining() as f64 / rate).ceil() as i64)
    }
}

/// A rate as a whole number.
#[allow(clippy::cast_possible_truncation, reason = "shown in words, and never that large")]
fn whole(rate: f64) -> i64 {
    rate.round() as i64
}

/// A duration, rounded for people.
fn duration(seconds: i64) -> String {
    match seconds {
        ..1 => "less than a second".to_owned(),
        1..100 => counted(seconds, "second", "seconds"),
        100..5400 => counted((seconds + 30) / 60, "minute", "minutes"),
        _ => counted((seconds + 1800) / 3600, "hour", "hours"),
    }
}

/// How far a run is.
#[server(prefix = "/api", endpoint = "run_progress", input = Json, output = Json)]
pub async fn run_progress(
    /// The run.
    run: i64,
) -> Result<Progress, AppError> {
    let run = records::run::read(&crate::state::store(), policy::RunId(run)).await?;
    Ok(Progress::from_run(&run))
}

#[cfg(feature = "ssr")]
impl Progress {
    /// How far this run is.
    pub fn from_run(run: &records::run::Run) -> Self {
        let counted = run.done + run.skipped + run.failed;
        Self {
            state: run.state,
            phase: run.phase,
            previewed: run.previewed,
            done: run.done,
            skipped: run.skipped,
            failed: run.failed,
            rate: rate(run, counted),
            silent: run.heartbeat_at.map(|at| (records::Clock::real() - at).num_seconds().max(0)),
            can_cancel: run.can_cancel,
        }
    }
}

/// People a second since the run was taken up. A run that was cut off has stood still for an unknown time.
#[cfg(feature = "ssr")]
#[allow(clippy::cast_precision_loss, reason = "a rate")]
fn rate(run: &records::run::Run, counted: i64) -> Option<f64> {
    let milliseconds = (run.progress_at? - run.started_at?).num_milliseconds();
    (run.interruptions == 0 && milliseconds > 0).then(|| counted as f64 * 1000.0 / milliseconds as f64)
}

/// The bar and the counts of a run, and the way to cancel it as long as it has users left. When the run has ended the
/// result takes their place.
#[island]
pub fn RunProgress(
    /// The run.
    run: i64,
    /// The address of the page.
    here: String,
    /// How far it was when the page was made.
    progress: Progress,
    /// The way to cancel it.
    children: Children,
) -> impl IntoView {
    let now = RwSignal::new(progress);
    // What is said aloud changes with the phase and every tenth of the way, not every second.
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
            <progress max=progress.previewed.max(1) value=move || now.with(Progress::counted)
                aria-label="Progress of the run"></progress>
            <dl class="figures">
                <div><dt>"anonymised"</dt><dd>{number(|now| now.done)}</dd></div>
                <div><dt>"skipped"</dt><dd>{number(|now| now.skipped)}</dd></div>
                <div><dt>"failed"</dt><dd>{number(|now| now.failed)}</dd></div>
                <div><dt>"remaining"</dt><dd>{number(Progress::remaining)}</dd></div>
            </dl>
            <dl class="facts">
                <dt>"Rate"</dt><dd>{rate}</dd>
                <dt>"Time left"</dt><dd>{left}</dd>
                <dt>"Last update"</dt><dd>{last_update}</dd>
            </dl>
            <p hidden=move || is_awake.get() && !has_ended.get()><a href=here>{way}</a></p>
            <p class="hidden" role="status">{announcement}</p>
            <div hidden=move || !now.with(|now| now.can_cancel)>{children()}</div>
        </div>
    }
}

/// Being told about changes: by events that the server sends, else by asking every second.
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

    /// How often the run is asked for where events do not come through.
    const INTERVAL: Duration = Duration::from_secs(1);

    /// What tells about the run. It is silenced when the run has ended.
    #[derive(Clone, Default)]
    struct Source {
        events: Rc<Cell<Option<EventSource>>>,
        interval: Rc<Cell<Option<IntervalHandle>>>,
        has_ended: Rc<Cell<bool>>,
    }

    impl Source {
        fn silence(&self) {
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
        let source = Source::default();
        if listen(run, now, &source).is_none() {
            poll(run, now, &source);
        }
    }

    fn show(found: Progress, now: RwSignal<Progress>, source: &Source) {
        // The region of a run that has ended may be gone, with all that stands in it.
        let _ = now.try_set(found);
        if found.state.is_final() && !source.has_ended.replace(true) {
            source.silence();
            in_place::bring_up_to_date();
        }
    }

    /// Listens to the events of the run. After an error it asks instead.
    fn listen(run: i64, now: RwSignal<Progress>, source: &Source) -> Option<()> {
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
                source.silence();
                if !source.has_ended.get() {
                    poll(run, now, &source);
                }
            })
        };
        events.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        events.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        // They live as long as the page.
        on_message.forget();
        on_error.forget();
        source.events.set(Some(events));
        Some(())
    }

    fn poll(run: i64, now: RwSignal<Progress>, source: &Source) {
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
    fn what_is_left_is_said_in_words() {
        let mut progress = Progress {
            state: RunState::Running,
            phase: Some(Phase::Anonymising),
            previewed: 1000,
            done: 240,
            skipped: 10,
            failed: 0,
            rate: Some(5.0),
            silent: Some(1),
            can_cancel: true,
        };
        assert_eq!(progress.label(), "Anonymising: 250 of 1,000 users processed, 750 remaining");
        assert_eq!(progress.seconds_left().map(duration).as_deref(), Some("3 minutes"));
        progress.phase = Some(Phase::Scanning);
        assert_eq!(progress.seconds_left(), None, "the rate says nothing about the search");
        progress.state = RunState::Cancelling;
        assert_eq!(progress.doing(), "Cancelling");
        assert_eq!(progress.rate_text(), "5.0 users per second");
        progress.rate = Some(1365.7);
        assert_eq!(progress.rate_text(), "1,366 users per second");
        assert_eq!(duration(0), "less than a second");
        assert_eq!(duration(7300), "2 hours");
    }
}
