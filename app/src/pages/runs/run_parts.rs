//! The parts that the pages of all runs share: progress, figures, times, and why a run did not start.

use super::cancel::CancelRun;
use crate::components::{AskFirst, Notice, ProblemSummary, Timestamp};
use crate::form::error_for;
use crate::islands::{Progress, RunProgress};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::numbers::{counted, grouped};
use task_centre::run::Run;

/// Renders the progress and the button that cancels the run. `here` is the address of the page, `consequence` that of
/// cancelling.
pub(super) fn under_way(run: &Run, here: String, consequence: String) -> impl IntoView + use<> {
    let cancel = run.can_cancel.then(|| {
        let page = format!("/runs/{}", run.id);
        let values = vec![("run", run.id.to_string())];
        let label = format!("Cancel run {}", run.id);
        view! { <AskFirst function=CancelRun::PATH page values label consequence /> }
    });
    view! {
        <ProblemSummary error=error_for(CancelRun::PATH) />
        <RunProgress run=run.id.0 here progress=Progress::from_run(run)>{cancel}</RunProgress>
        <p class="hint">"The run continues if you leave this page."</p>
    }
}

/// Summarises the outcomes of the users of an ended run. `done` says what became of the first ones, such as `anonymised`.
pub(super) fn outcomes(run: &Run, done: &str) -> String {
    let not_reached = match run.not_reached() {
        0 => String::new(),
        count => format!(", {} not reached", grouped(count)),
    };
    format!(
        "{} {done}, {} skipped, {} failed{not_reached}, of {} in the preview.",
        counted(run.done, "user", "users"),
        grouped(run.skipped),
        grouped(run.failed),
        grouped(run.previewed)
    )
}

/// Renders the numbers of users by outcome.
pub(super) fn figures_of_users(run: &Run, done: &'static str) -> impl IntoView + use<> {
    let not_reached = (run.not_reached() > 0).then(|| figure("not reached", run.not_reached()));
    view! {
        {figure(done, run.done)}
        {figure("skipped", run.skipped)}
        {figure("failed", run.failed)}
        {not_reached}
        {figure("in the preview", run.previewed)}
    }
}

/// Renders one number with its label.
pub(super) fn figure(label: &'static str, count: i64) -> impl IntoView {
    view! { <div><dt>{label}</dt><dd>{grouped(count)}</dd></div> }
}

/// Renders the link to the preview of a run.
pub(super) fn preview_link(run: &Run) -> Option<impl IntoView + use<>> {
    run.preview.map(|id| view! { <a href=format!("/runs/{id}")>"Preview "{id.to_string()}</a> })
}

/// Renders when a run was due, started and ended, and its interruptions.
pub(super) fn times(run: &Run) -> impl IntoView + use<> {
    let interrupted = (run.interruptions > 0).then(|| {
        let times = counted(run.interruptions.into(), "time", "times");
        view! { <dt>"Interrupted and resumed"</dt><dd>{times}</dd> }
    });
    view! {
        <dt>"Started"</dt><dd><Timestamp at=run.created_at /></dd>
        <dt>"Ended"</dt><dd><Timestamp at=run.finished_at /></dd>
        {run.due_at.map(|at| view! { <dt>"Due"</dt><dd><Timestamp at /></dd> })}
        {interrupted}
    }
}

/// Renders the notice about a run that its task skipped. `nothing` says what was not done.
pub(super) fn missed(nothing: &'static str) -> AnyView {
    view! {
        <Notice kind="warning">
            <p>"This run could not start when it was due, and its task is set to skip missed runs. " {nothing}</p>
        </Notice>
    }
    .into_any()
}
