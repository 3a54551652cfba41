//! The first steps in a new installation.

use crate::state::{actor, can_open};
use leptos::prelude::*;
use operations::dashboard::{FirstStep, StepProgress};

/// Renders the steps with their progress. Empty if there are none.
pub(super) fn section(steps: &[StepProgress]) -> Option<impl IntoView + use<>> {
    if steps.is_empty() {
        return None;
    }
    let done = steps.iter().filter(|step| step.is_done).count();
    let items = steps.iter().map(|one| item(*one)).collect_view();
    let (value, max) = (done.to_string(), steps.len().to_string());
    let label = format!("{done} of {} first steps done", steps.len());
    Some(view! {
        <section aria-labelledby="first-steps" class="first-steps">
            <h2 id="first-steps">"First steps"</h2>
            <p><label>{label}" "<progress value=value max=max></progress></label></p>
            <ol>{items}</ol>
        </section>
    })
}

fn item(one: StepProgress) -> impl IntoView {
    let (href, title, why) = texts(one.step);
    let mark = if one.is_done {
        view! { <span class="tag proven">"Done"</span> }.into_any()
    } else {
        view! { <span class="tag">"To do"</span> }.into_any()
    };
    let is_open = !one.is_done && actor().may(one.step.needs());
    let title = match href.filter(|href| is_open && can_open(href)) {
        Some(href) => view! { <a href=href>{title}</a> }.into_any(),
        None => title.into_any(),
    };
    view! { <li class:done=one.is_done>{mark}" "<b>{title}</b>" "<span class="hint">{why}</span></li> }
}

/// Returns the page, title and reason of a step.
const fn texts(step: FirstStep) -> (Option<&'static str>, &'static str, &'static str) {
    match step {
        FirstStep::SecondPerson => (
            Some("/staff"),
            "Add a second person",
            "Two members of staff who can approve: runs that reach further then need both.",
        ),
        FirstStep::Users => (
            Some("/users/import"),
            "Import users",
            "A file of the library or student system. A check shows what an import would change.",
        ),
        FirstStep::Task => (
            Some("/tasks/new"),
            "Create a task",
            "Which users are anonymised, after how many days, and what is removed.",
        ),
        FirstStep::Preview => (
            Some("/tasks"),
            "Create a preview",
            "Which users a run would anonymise, and why. It changes no users.",
        ),
        FirstStep::Run => (
            Some("/tasks"),
            "Run the task",
            "A run that is started by hand confirms the settings for scheduled runs.",
        ),
        FirstStep::Backup => (
            None,
            "Back up the library",
            "On the command line: lethe backup FILE. Then check the backup: lethe drill FILE.",
        ),
    }
}
