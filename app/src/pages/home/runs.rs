//! The next runs, and the last ones compared with those before.

use crate::components::{Column, DataTable, Timestamp};
use crate::state::actor;
use leptos::prelude::*;
use operations::dashboard::{ComparedRun, NextRun};
use policy::TaskType;
use policy::numbers::grouped;

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
    let ComparedRun { run, task: (_, name), task_type, state, created_at, done, before } = one;
    let unit = match task_type {
        TaskType::AnonymiseUserData => {
            if done == 1 {
                "user"
            } else {
                "users"
            }
        }
        TaskType::ImportUsers => {
            if done == 1 {
                "line"
            } else {
                "lines"
            }
        }
    };
    let difference = before.map_or_else(|| "–".to_owned(), |before| signed(done - before));
    view! {
        <tr>
            <th scope="row"><a href=format!("/runs/{run}")>{name.description_for(actor())}</a></th>
            <td><Timestamp at=created_at /></td>
            <td>{state.label()}</td>
            <td class="number">{grouped(done)}" "{unit}</td>
            <td class="number">{before.map_or_else(|| "–".to_owned(), grouped)}</td>
            <td class="number">{difference}</td>
        </tr>
    }
}

/// Formats a difference with its sign: `+12`, `−3`, `0`.
fn signed(difference: i64) -> String {
    match difference {
        0 => "0".to_owned(),
        more if more > 0 => format!("+{}", grouped(more)),
        less => format!("−{}", grouped(-less)),
    }
}
