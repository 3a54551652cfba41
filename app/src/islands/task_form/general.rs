//! The tab *General*.

use super::inputs::{Form, Problem, RadioField, TextField, TickField, place};
use leptos::prelude::*;
use policy::task_form::Visibility;

#[component]
pub(super) fn General(form: Form) -> impl IntoView {
    let choices = Visibility::ALL.map(
        |one| view! { <RadioField form text=place!(text visibility) code=one.code() label=one.words() /> },
    );
    view! {
        <TextField form text=place!(text description) label="Description"
            hint="What the task is for, in a few words. It stands in the list of tasks and beside every run." />
        <TickField form tick=place!(tick active) label="Active: the task runs by its schedule" />
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
