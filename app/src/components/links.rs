//! Links to users and tasks. A name is a link only if the actor has access.

use crate::state::{actor, can_open};
use leptos::prelude::*;
use policy::{TaskId, UserNumber};
use trail::person::Person;
use trail::task_name::TaskName;

/// Returns the address of a user's record.
pub(crate) fn user_address(number: UserNumber) -> String {
    format!("/users/{number}")
}

/// Renders the name of a user, with a link to the record if the actor has access.
pub(crate) fn person_link(person: &Person) -> impl IntoView + use<> {
    let (address, name) = (user_address(person.number), person.name.clone());
    if !can_open(&address) {
        return name.into_any();
    }
    view! { <a href=address>{name}</a> " (user "{person.number.to_string()}")" }.into_any()
}

/// Renders the tasks that use something, or that there is none.
pub(crate) fn task_links(tasks: &[(TaskId, TaskName)]) -> impl IntoView + use<> {
    if tasks.is_empty() {
        return "No task".into_any();
    }
    tasks.iter().map(|task| view! { {task_link(task)} " " }).collect_view().into_any()
}

/// Renders the name of a task, with a link if the actor has access.
pub(crate) fn task_link((id, name): &(TaskId, TaskName)) -> impl IntoView + use<> {
    let (href, label) = (format!("/tasks/{id}"), name.description_for(actor()));
    if !name.is_shown_to(actor()) || !can_open(&href) {
        return label.into_any();
    }
    view! { <a href=href>{label}</a> }.into_any()
}
