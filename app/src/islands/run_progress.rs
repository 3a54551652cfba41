//! The progress of a run that is under way. Asleep, the page reloads itself.

use crate::error::AppError;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use leptos::task::spawn_local;
use policy::numbers::grouped;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How often the run is asked for.
const INTERVAL: Duration = Duration::from_secs(1);

/// How far a run is: counts of people whose changes are committed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Progress {
    /// Whether it is still at work.
    pub running: bool,
    /// People to do.
    pub previewed: i64,
    /// Anonymised.
    pub done: i64,
    /// Skipped.
    pub skipped: i64,
    /// Failed.
    pub failed: i64,
}

impl Progress {
    const fn counted(self) -> i64 {
        self.done + self.skipped + self.failed
    }

    fn words(self) -> String {
        format!(
            "{} of {}: {} anonymised, {} skipped, {} failed, {} remaining",
            grouped(self.counted()),
            grouped(self.previewed),
            grouped(self.done),
            grouped(self.skipped),
            grouped(self.failed),
            grouped(self.previewed - self.counted())
        )
    }
}

/// How far a run is.
#[server(prefix = "/api", endpoint = "run_progress", input = Json, output = Json)]
pub async fn run_progress(
    /// The run.
    run: i64,
) -> Result<Progress, AppError> {
    let run = records::run::read(&crate::state::store(), policy::RunId(run)).await?;
    Ok(Progress::of(&run))
}

#[cfg(feature = "ssr")]
impl Progress {
    /// How far this run is.
    pub(crate) fn of(run: &records::run::Run) -> Self {
        Self {
            running: run.state == policy::RunState::Running,
            previewed: run.previewed,
            done: run.done,
            skipped: run.skipped,
            failed: run.failed,
        }
    }
}

/// The bar and the counts of a run. When the run has ended the page is loaded again and shows the result.
#[island]
pub fn RunProgress(
    /// The run.
    run: i64,
    /// How far it was when the page was made.
    progress: Progress,
) -> impl IntoView {
    let now = RwSignal::new(progress);
    // What is said aloud changes every tenth of the way, not every second.
    let tenth = Memo::new(move |_| now.with(|now| now.counted() * 10 / now.previewed.max(1)));
    let said = move || {
        tenth.get();
        now.get_untracked().words()
    };
    Effect::new(move || {
        let handle = set_interval_with_handle(
            move || {
                spawn_local(async move {
                    let Ok(found) = run_progress(run).await else { return };
                    now.set(found);
                    if !found.running {
                        let _ = window().location().reload();
                    }
                });
            },
            INTERVAL,
        );
        on_cleanup(move || {
            if let Ok(handle) = handle {
                handle.clear();
            }
        });
    });
    view! {
        <progress max=progress.previewed value=move || now.get().counted() aria-label="Progress of the run"></progress>
        <p>{move || now.get().words()}</p>
        <p class="hidden" role="status">{said}</p>
    }
}
