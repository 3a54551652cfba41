//! The next runs of the typed schedule. The server computes them, because it knows time zones and cron expressions.

use crate::error::AppError;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use policy::task_form::TaskForm;
use serde::{Deserialize, Serialize};

/// The time of one coming run.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct NextRun {
    /// `Sun 29 Mar 2026 03:00 BST (+01:00)`.
    pub shown: String,
    /// The effect of a clock change.
    pub note: Option<String>,
}

/// Returns the next five runs of the schedule in this form. Empty if the schedule is invalid.
#[allow(clippy::unused_async, reason = "the browser waits for the answer")]
#[server(prefix = "/api", endpoint = "next_runs", input = Json, output = Json)]
pub async fn next_runs(
    /// The form; only its schedule is used.
    form: TaskForm,
) -> Result<Vec<NextRun>, AppError> {
    Ok(coming(crate::state::store().clock, &form))
}

/// Returns the next five runs of the schedule in this form. Empty if the schedule is invalid.
#[cfg(feature = "ssr")]
pub(crate) fn coming(clock: db::Clock, form: &TaskForm) -> Vec<NextRun> {
    use policy::task_form::{NEXT_RUNS, schedule_so_far};
    let Ok((schedule, _)) = schedule_so_far(&form.with_shown_fields(), clock.wall()) else {
        return Vec::new();
    };
    policy::timezone::next_occurrences(&schedule, clock.zone(), clock.now(), NEXT_RUNS)
        .into_iter()
        .map(|next| NextRun { shown: next.shown, note: next.note })
        .collect()
}
