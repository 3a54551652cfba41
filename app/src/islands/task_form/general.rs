//! The tab *General*.

use super::inputs::{Form, Problem, RadioField, TextField, TickField, place};
use leptos::prelude::*;
use policy::task_form::Visibility;

#[component]
pub(super) fn General(form: Form, is_default: bool) -> impl IntoView {
    let choices = Visibility::ALL.map(
        |one| view! { <RadioField form text=place!(text visibility) code=one.code() label=one.words() /> },
    );
    view! {
        <TextField form text=place!(text description) label="Description"
            hint="What the task is for, in a few words. It stands in the list of tasks and beside every run." />
        <TickField form tick=place!(tick active) label="Active: the task runs by its schedule" />
        {is_default.then(|| view! {
            <p class="hint" id="active-hint">
                "This task is the default for single users. If you deactivate it, it stays the default: its field settings \
                 still apply when a user is anonymised from the record. To change that, use another task as the default."
            </p>
        })}
        <fieldset>
            <legend>"Accessibility"</legend>
            {choices}
            <Problem form name="visibility" />
        </fieldset>
        <TextField form text=place!(text owner) label="Owner (user number)" mode="numeric"
            hint="A member of staff who may see tasks and looks after this one. Empty: a shared task has no owner, a private \
                  one is yours." />
    }
}
