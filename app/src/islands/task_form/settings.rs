//! The tab *Task specific settings*: the task type, and the settings of the chosen type.

mod announcing;
mod anonymising;
mod importing;

use super::inputs::{Choice, ChosenField, Form, field};
use announcing::AnnouncementFields;
use anonymising::Policy;
use importing::ImportFields;
use leptos::prelude::*;
use policy::affected::AffectedTexts;
use policy::{TaskCategory, TaskType};

#[component]
pub(super) fn Settings(
    form: Form,
    custom: Vec<(String, String)>,
    profiles: Vec<(String, String)>,
    tasks: Vec<(String, String)>,
    zone: String,
    awake: RwSignal<bool>,
    affected: RwSignal<Option<AffectedTexts>>,
    check: String,
) -> impl IntoView {
    let chosen = Memo::new(move |_| form.with(|form| TaskType::from_code(&form.task_type)));
    // A saved task keeps its type.
    let saved_type = form.initial(|form| {
        let saved = TaskType::from_code(&form.task_type);
        saved.filter(|_| !form.id.is_empty())
    });
    let settings = TaskType::ALL.into_iter().filter(|one| saved_type.is_none_or(|saved| saved == *one));
    let settings = settings.map(|task_type| {
        let settings = match task_type {
            TaskType::AnonymiseUserData => view! {
                <Policy form custom=custom.clone() zone=zone.clone() awake affected check=check.clone() />
            }
            .into_any(),
            TaskType::ImportUsers => view! { <ImportFields form profiles=profiles.clone() /> }.into_any(),
            TaskType::AnnounceAnonymising => {
                view! { <AnnouncementFields form tasks=tasks.clone() /> }.into_any()
            }
        };
        // Without WebAssembly the settings of all types are shown. Hydrated, those of the other types are hidden and
        // not posted.
        let unused = move || awake.get() && chosen.get().is_some_and(|chosen| chosen != task_type);
        let heading = saved_type.is_none().then(|| {
            view! { <h3 class:hidden=move || awake.get()>{format!("Only for {}", task_type.label())}</h3> }
        });
        view! { <fieldset class="part" hidden=unused disabled=unused>{heading} {settings}</fieldset> }
    });
    view! {
        <ChosenType form awake />
        {settings.collect_view()}
    }
}

/// Two dropdowns: the first one determines the choices of the second. Without WebAssembly the second one has all types.
#[component]
fn ChosenType(form: Form, awake: RwSignal<bool>) -> impl IntoView {
    let category = field!(text category);
    let task_type = field!(text task_type);
    let chosen = Memo::new(move |_| form.with(|form| TaskCategory::from_code(&form.category)));
    let shown = Signal::stored(false);
    let categories = TaskCategory::ALL.map(|category| Choice::new(category.code(), category.label(), shown));
    let types = TaskType::ALL.map(|one| {
        let elsewhere = Signal::derive(move || awake.get() && chosen.get() != Some(one.category()));
        Choice::new(one.code(), one.label(), elsewhere)
    });
    view! {
        <div class="columns">
            <ChosenField form text=category label="Category" none="Choose a category" options=categories.into() />
            <ChosenField form text=task_type label="Task type" none="Choose a task type" options=types.into() />
        </div>
        <p class="hidden" role="status">
            {move || chosen.get().is_none().then_some("Choose a category first: it determines the task types.")}
        </p>
    }
}
