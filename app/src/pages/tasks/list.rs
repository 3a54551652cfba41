//! The list of tasks.

use crate::components::{
    DataTable, FilterProblem, PageAction, PageLayout, ProblemSummary, Timestamp, choice, filtered_list,
    guarded_page, paging, query, search_text, text_columns,
};
use crate::state::{actor, can_open, store};
use crate::url::percent_encoded;
use leptos::prelude::*;
use policy::form::FieldErrors;
use policy::{RunKind, Schedule, TaskType};
use task_centre::task::{self, TaskQuery, TaskRow};

/// Shows the tasks, with filters.
#[component]
pub fn TaskListPage() -> impl IntoView {
    let status = query("status");
    let task_type = query("type");
    let mut errors = FieldErrors::default();
    let text = search_text(&mut errors, "q");
    let filtered = !(status.is_empty() && task_type.is_empty() && text.is_empty());
    let active = choice(&mut errors, "status", |status| match status {
        "active" => Some(true),
        "inactive" => Some(false),
        _ => None,
    });
    let of_type = choice(&mut errors, "type", TaskType::from_code);
    let address = format!(
        "/tasks?type={}&status={}&q={}",
        percent_encoded(&task_type),
        percent_encoded(&status),
        percent_encoded(&text)
    );
    guarded_page(async move {
        let find = TaskQuery { task_type: of_type, active, text: text.clone() };
        let (store, paging) = (store(), paging());
        let load = task::list(&store, actor(), &find, &paging);
        let list = filtered_list(&errors, address, &paging, load, |rows| {
            if rows.is_empty() { empty_list(filtered).into_any() } else { table(rows).into_any() }
        })
        .await?;
        let actions = vec![
            PageAction::Create { label: "Create task".to_owned(), href: "/tasks/new".to_owned() },
            PageAction::Link { label: "All runs".to_owned(), href: "/runs".to_owned() },
            PageAction::Link { label: "Task owners".to_owned(), href: "/tasks/owners".to_owned() },
        ];
        Ok(view! {
            <PageLayout title="Task centre" lead="Tasks that the library has set up: what they do and when they \
                                             run." actions>
                <ProblemSummary error=list.error />
                <Filters status text task_type errors />
                {list.content}
            </PageLayout>
        })
    })
}

#[component]
fn Filters(status: String, text: String, task_type: String, errors: FieldErrors) -> impl IntoView {
    let chosen = |code: &str| status == code;
    let types = TaskType::ALL.map(|one| {
        let label = format!("{} › {}", one.category().label(), one.label());
        view! { <option value=one.code() selected=task_type == one.code()>{label}</option> }
    });
    view! {
        <form class="filters" method="get" action="/tasks" role="search" aria-label="Filter tasks">
            <div class="field">
                <label for="type">"Type"</label>
                <select id="type" name="type" aria-describedby="type-problem">
                    <option value="">"All types"</option>
                    {types}
                </select>
                <FilterProblem field="type" errors=errors.clone() />
            </div>
            <div class="field">
                <label for="status">"Status"</label>
                <select id="status" name="status" aria-describedby="status-problem">
                    <option value="">"Active and inactive"</option>
                    <option value="active" selected=chosen("active")>"Active"</option>
                    <option value="inactive" selected=chosen("inactive")>"Inactive"</option>
                </select>
                <FilterProblem field="status" errors=errors.clone() />
            </div>
            <div class="field">
                <label for="q">"Description"</label>
                <input id="q" name="q" type="search" value=text aria-invalid=errors.message("q").map(|_| "true")
                    aria-describedby="q-problem" />
                <FilterProblem field="q" errors=errors.clone() />
            </div>
            <button type="submit">"Filter tasks"</button>
        </form>
    }
}

fn empty_list(filtered: bool) -> impl IntoView {
    if filtered {
        view! { <p class="empty">"No tasks match these filters. " <a href="/tasks">"Show all tasks"</a></p> }
            .into_any()
    } else {
        view! {
            <div class="empty">
                <p>
                    <b>"There are no tasks yet. "</b>
                    "A task anonymises users who have left, become inactive or been marked for deletion. You \
                     see every user it would anonymise before anything changes."
                </p>
                {can_open("/tasks/new").then(|| view! { <p><a class="button" href="/tasks/new">"Create task"</a></p> })}
            </div>
        }
        .into_any()
    }
}

/// Renders whether a task runs. An active task without a schedule runs only when it is started by hand.
pub(super) fn status_tag(is_active: bool, schedule: &Schedule) -> impl IntoView + use<> {
    let (class, label) = match (is_active, schedule.is_manual_only()) {
        (true, false) => ("tag ready", "Active"),
        (true, true) => ("tag ready", "Active, by hand only"),
        (false, _) => ("tag quiet", "Inactive"),
    };
    view! { <span class=class>{label}</span> }
}

fn table(rows: Vec<TaskRow>) -> impl IntoView {
    let rows = rows.into_iter().map(row).collect_view();
    view! {
        <DataTable label="Tasks" caption="Tasks"
            columns=text_columns(["Description", "Type", "Status", "Schedule", "Next run", "Last run"])>
            {rows}
        </DataTable>
    }
}

fn row(task: TaskRow) -> impl IntoView {
    let status = status_tag(task.active, &task.schedule);
    let last = match task.last {
        None => "never".into_any(),
        Some(last) => view! {
            <a href=format!("/runs/{}", last.id)><Timestamp at=last.created_at /></a>
            {(last.kind == RunKind::Single).then_some(" (single user)")}
            <br />
            {crate::pages::runs::state_tag(last.state, last.open_findings)}
        }
        .into_any(),
    };
    view! {
        <tr>
            <th scope="row">
                <a href=format!("/tasks/{}", task.id)>{task.description}</a>
                {task.private.then_some(view! { <br /><small>"Private"</small> })}
                {task.single_default.then_some(view! { <br /><small>"Default for single users"</small> })}
            </th>
            <td>{task.task_type.label()}</td>
            <td>{status}</td>
            <td>{task.schedule.label()}</td>
            <td>{task.next.map_or_else(|| "Only when started by hand".to_owned(), |next| next.shown)}</td>
            <td>{last}</td>
        </tr>
    }
}
