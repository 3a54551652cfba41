//! The settings of the task type *Announce anonymising*: whose users, when, and the e-mail.

use super::super::inputs::{Choice, ChosenField, Form, Problem, Text, TextField, field, posted};
use leptos::prelude::*;
use policy::announcement::{NoticeDays, Placeholder};

const TASK: &str = "The users that this task will anonymise get an e-mail.";
const SUBJECT: &str =
    "Only {library} and {date} can be in it: mail programs show subjects on locked screens.";

#[component]
pub(super) fn AnnouncementFields(form: Form, tasks: Vec<(String, String)>) -> impl IntoView {
    let placeholders = Placeholder::ALL.map(|placeholder| {
        view! { <dt><code>{format!("{{{}}}", placeholder.word())}</code></dt><dd>{placeholder.label()}</dd> }
    });
    // A task that this member of staff does not see stays chosen.
    let chosen = form.initial(|form| form.announced_task.clone());
    let is_missing = !chosen.is_empty() && !tasks.iter().any(|(id, _)| *id == chosen);
    let hidden = is_missing.then(|| (chosen.clone(), format!("Task {chosen}")));
    let tasks: Vec<(String, String)> =
        std::iter::once((String::new(), "Choose a task".to_owned())).chain(tasks).chain(hidden).collect();
    let days = format!(
        "{} to {} days before the first day on which the task can anonymise the user. A user who is \
                        due already is announced, too.",
        NoticeDays::MIN,
        NoticeDays::MAX
    );
    view! {
        <fieldset>
            <legend>"Users"</legend>
            <p class="hint">{TASK}</p>
            <div class="columns">
                <ChosenField form text=field!(text announced_task) label="Task that anonymises" options=Choice::all(tasks) />
                <div>
                    <TextField form text=field!(text days_before) label="Days before" class="date" mode="numeric" />
                    <p class="hint">{days}</p>
                </div>
            </div>
        </fieldset>
        <fieldset>
            <legend>"E-mail"</legend>
            <TextField form text=field!(text mail_subject) label="Subject" hint=SUBJECT />
            <Lines form text=field!(text mail_text) label="Text of the e-mail" />
            <details class="more">
                <summary>"Placeholders"</summary>
                <dl class="facts">{placeholders}</dl>
            </details>
        </fieldset>
    }
}

/// A field for several lines of text.
#[component]
fn Lines(form: Form, text: Text, label: &'static str) -> impl IntoView {
    let name = text.name;
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <p class="hint" id=format!("{name}-hint")>
                "Plain text. It must contain {link}, the address of the page on which users keep their account."
            </p>
            <textarea
                id=name
                name=posted(name)
                rows="14"
                aria-describedby=format!("{name}-hint {name}-problem")
                aria-invalid=move || form.problem(name).map(|_| "true")
                inner_html=content(&form.initial(|form| (text.read)(form).clone()))
                on:input=move |event| form.change(name, |form| *(text.write)(form) = event_target_value(&event))
            ></textarea>
            <Problem form name />
        </div>
    }
}

/// Returns the content of a text area. The server writes it; the browser finds it in the page.
#[cfg(feature = "ssr")]
fn content(text: &str) -> String {
    html_escape::encode_text(text).into_owned()
}

#[cfg(not(feature = "ssr"))]
fn content(_: &str) -> String {
    String::new()
}
