//! The next runs, and the last ones compared with those before.

use crate::components::{Column, DataTable, Timestamp};
use crate::pages::runs::state_tag;
use crate::state::actor;
use leptos::prelude::*;
use operations::dashboard::{ComparedRun, NextRun};
use policy::TaskType;
use policy::numbers::{counted, grouped, signed};

/// Renders both lists.
pub(super) fn sections(next: Vec<NextRun>, last: Vec<ComparedRun>) -> impl IntoView {
    view! {
        <section aria-labelledby="next-runs"><h2 id="next-runs">"Next runs"</h2> {coming(next)}</section>
        <section aria-labelledby="last-runs"><h2 id="last-runs">"Last runs"</h2> {compared(last)}</section>
    }
}

fn coming(next: Vec<NextRun>) -> AnyView {
    if next.is_empty() {
        return view! { <p class="empty">"No task is scheduled."</p> }.into_any();
    }
    let items = next.into_iter().map(|one| {
        view! { <li>{one.at.shown} " – " <a href=format!("/tasks/{}", one.task)>{one.description}</a></li> }
    });
    view! { <ol class="runs">{items.collect_view()}</ol> }.into_any()
}

fn compared(last: Vec<ComparedRun>) -> AnyView {
    if last.is_empty() {
        return view! { <p class="empty">"No task has run yet."</p> }.into_any();
    }
    view! {
        <DataTable label="The last run of each task" caption="The last run of each task, and the run before"
            columns=vec![
                Column::text("Task"), Column::text("When"), Column::text("State"), Column::number("Changed"),
                Column::number("Run before"), Column::number("Difference"),
            ]>
            {last.into_iter().map(row).collect_view()}
        </DataTable>
    }
    .into_any()
}

fn row(one: ComparedRun) -> impl IntoView {
    let ComparedRun { run, task: (_, name), task_type, state, open_findings, created_at, done, before } = one;
    let changed = match task_type {
        TaskType::AnonymiseUserData | TaskType::AnnounceAnonymising => counted(done, "user", "users"),
        TaskType::ImportUsers => counted(done, "line", "lines"),
    };
    let difference = before.map_or_else(|| "–".to_owned(), |before| signed(done - before));
    view! {
        <tr>
            <th scope="row"><a href=format!("/runs/{run}")>{name.description_for(actor())}</a></th>
            <td><Timestamp at=created_at /></td>
            <td>{state_tag(state, open_findings)}</td>
            <td class="number">{changed}</td>
            <td class="number">{before.map_or_else(|| "–".to_owned(), grouped)}</td>
            <td class="number">{difference}</td>
        </tr>
    }
}
