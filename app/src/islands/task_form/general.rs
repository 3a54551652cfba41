//! The tab *General*.

use super::inputs::{CheckboxField, Choice, ChosenField, Form, Problem, RadioField, TextField, field};
use leptos::prelude::*;
use policy::task_form::Visibility;

#[component]
pub(super) fn General(form: Form, owners: Vec<(String, String)>, is_default: bool) -> impl IntoView {
    let choices = Visibility::ALL.map(
        |one| view! { <RadioField form text=field!(text visibility) code=one.code() label=one.label() /> },
    );
    view! {
        <TextField form text=field!(text description) label="Description"
            hint="What the task is for, in a few words. Shown in the task list and on every run." />
        <CheckboxField form checkbox=field!(checkbox active) label="Active: the task runs on schedule" />
        {is_default.then(|| view! {
            <p class="hint" id="active-hint">
                "This task is the default for single users. It stays the default if you deactivate it: its \
                 field settings still apply when a user is anonymised from the record. To change that, set \
                 another task as the default."
            </p>
        })}
        <fieldset>
            <legend>"Who can see this task"</legend>
            {choices}
            <Problem form name="visibility" />
        </fieldset>
        <ChosenField form text=field!(text owner) label="Owner" none="No owner" options=Choice::all(owners)
            hint="Member of staff responsible (optional). A private task without an owner belongs to you." />
    }
}
