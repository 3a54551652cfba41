//! The task form. It is a plain form that works without WebAssembly. Hydrated, it checks the typed values with the
//! same code as the server, and shows one tab at a time.

mod affected;
mod general;
mod inputs;
mod next;
mod schedule;
mod settings;
mod tabs;

use crate::error::AppError;
pub use affected::affected_users;
use inputs::Form;
use leptos::prelude::*;
use leptos::web_sys::SubmitEvent;
#[cfg(feature = "ssr")]
pub(crate) use next::coming;
pub use next::{NextRun, next_runs};
use policy::affected::AffectedTexts;
use policy::form::FieldErrors;
use policy::task_form::{Tab, TaskForm};
use tabs::{TabList, panel_label, panel_role};

/// The form of a new or existing task.
#[island]
pub fn TaskFormIsland(
    /// The initial values.
    form: TaskForm,
    /// The members of staff who may own the task: number and name.
    owners: Vec<(String, String)>,
    /// The custom fields: key and name.
    custom: Vec<(String, String)>,
    /// The import profiles: code and name.
    profiles: Vec<(String, String)>,
    /// The tasks that anonymise: number and description.
    tasks: Vec<(String, String)>,
    /// Whether the settings of the task apply to single users.
    is_default: bool,
    /// The error, if the form was posted.
    error: Option<AppError>,
    /// The library's local time when the page was rendered.
    now: chrono::NaiveDateTime,
    /// The library's time zone.
    zone: String,
    /// The next runs of the initial schedule.
    next: Vec<NextRun>,
    /// The users that the rule affects, if the form was posted to count them.
    affected: Option<AffectedTexts>,
    /// The address that saves the form.
    save: String,
    /// The address that only checks the form.
    check: String,
    /// The page to return to.
    back: String,
    /// The token that binds the form to its session.
    token: String,
    /// The idempotency key.
    key: String,
) -> impl IntoView {
    let saved = !form.id.is_empty();
    let form = Form::new(form, error.clone(), now);
    let awake = RwSignal::new(false);
    let tab = RwSignal::new(Tab::General);
    Effect::new(move || {
        awake.set(true);
        if let Some(wrong) = form.first_wrong() {
            tab.set(Tab::for_field(&wrong));
        } else if let Some(named) = tabs::named_in_address() {
            tab.set(named);
        }
    });
    let affected = RwSignal::new(affected);
    affected::keep_current(form, affected);
    let submit = move |event: SubmitEvent| {
        if form.show_all_problems() {
            event.prevent_default();
            tabs::focus_when_shown("problems");
        }
    };
    let panel = move |of: Tab| move || awake.get() && tab.get() != of;
    view! {
        <form method="post" action=save on:submit=submit novalidate class="task" data-guard="">
            <input type="hidden" name="form_token" value=token />
            <input type="hidden" name="form_key" value=key />
            <Summary form tab awake posted=error />
            <input type="hidden" name="form[id]" value=form.initial(|form| form.id.clone()) />
            <input type="hidden" name="form[version]" value=form.initial(|form| form.version.clone()) />
            <TabList form tab awake />
            <section id="general" hidden=panel(Tab::General) role=panel_role(awake)
                aria-labelledby=panel_label(Tab::General)>
                <h2 class:hidden=move || awake.get()>{Tab::General.label()}</h2>
                <general::General form owners is_default />
            </section>
            <section id="settings" hidden=panel(Tab::Settings) role=panel_role(awake)
                aria-labelledby=panel_label(Tab::Settings)>
                <h2 class:hidden=move || awake.get()>{Tab::Settings.label()}</h2>
                <settings::Settings form custom profiles tasks zone=zone.clone() awake affected check=check.clone() />
            </section>
            <section id="schedule" hidden=panel(Tab::Schedule) role=panel_role(awake)
                aria-labelledby=panel_label(Tab::Schedule)>
                <h2 class:hidden=move || awake.get()>{Tab::Schedule.label()}</h2>
                <schedule::ScheduleTab form zone next awake />
            </section>
            <div class="buttons">
                <button class="primary" type="submit" data-shortcut="s">{if saved { "Save task" } else { "Create task" }}</button>
                <button type="submit" formaction=check hidden=move || awake.get()>
                    "Check without saving"
                </button>
                <a href=back>"Cancel"</a>
            </div>
        </form>
    }
}

/// Shows above the form why it was not saved, with a link to each invalid field.
#[component]
fn Summary(form: Form, tab: RwSignal<Tab>, awake: RwSignal<bool>, posted: Option<AppError>) -> impl IntoView {
    // The server's errors are shown until the form is changed. From then on the same check runs here.
    let came_back = posted.is_some();
    let other = posted.filter(|error| !matches!(error, AppError::Invalid(_)));
    let checked = matches!(other, Some(AppError::Checked));
    let sentence = move || {
        if form.asked() {
            let count = form.problems().0.len();
            return (count > 0).then(|| AppError::Invalid(form.problems()).to_string());
        }
        other.as_ref().map(ToString::to_string)
    };
    let sentence = Memo::new(move |_| sentence());
    let links = move || {
        let FieldErrors(errors) = if form.asked() { form.problems() } else { FieldErrors::default() };
        errors
            .into_iter()
            .map(|error| {
                let field = error.field.clone();
                let go = move |event: leptos::web_sys::MouseEvent| {
                    if awake.get_untracked() {
                        event.prevent_default();
                        tab.set(Tab::for_field(&field));
                        tabs::focus_when_shown(&field);
                    }
                };
                let href = format!("#{}", error.field);
                view! { <li><a href=href on:click=go>{error.problem.to_string()}</a></li> }
            })
            .collect_view()
    };
    let class = if checked { "notice info" } else { "notice danger" };
    view! {
        <div class=class role="alert" id="problems" tabindex="-1" autofocus=came_back hidden=move || sentence.get().is_none()>
            <p><b>{move || sentence.get().map(|label| format!("{label}."))}</b></p>
            <ul>{links}</ul>
        </div>
    }
}
