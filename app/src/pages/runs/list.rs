//! The list of all runs. Runs are never removed from it.

use super::state_tag;
use crate::components::{
    Column, DataTable, FilterProblem, PageLayout, ProblemSummary, Timestamp, choice, filter, filtered_list,
    guarded_page, options, paging,
};
use crate::state::{actor, store};
use leptos::prelude::*;
use policy::form::FieldErrors;
use policy::numbers::grouped;
use policy::{RunKind, RunState, TaskId};
use task_centre::run::{self, RunQuery, RunRow};

/// Shows all runs and previews, newest first.
#[component]
pub fn RunListPage() -> impl IntoView {
    let task = filter("task", |id| id.parse().ok().map(TaskId));
    let mut errors = FieldErrors::default();
    let kind = choice(&mut errors, "kind", RunKind::from_code);
    let state = choice(&mut errors, "state", RunState::from_code);
    guarded_page(async move {
        let find = RunQuery { task: task?, kind, state };
        let (store, paging) = (store(), paging());
        let load = run::list(&store, &find, &paging);
        let list = filtered_list(&errors, address(&find), &paging, load, |rows| {
            if rows.is_empty() {
                return view! {
                    <p class="empty">
                        "No runs match. A run starts from the preview of a task: "
                        <a href="/tasks">"choose a task"</a>"."
                    </p>
                }
                .into_any();
            }
            run_table(rows).into_any()
        })
        .await?;
        let crumbs = vec![("Task centre".to_owned(), "/tasks".to_owned())];
        Ok(view! {
            <PageLayout title="Runs" lead="All runs and previews, newest first." crumbs>
                <ProblemSummary error=list.error />
                <form class="filters" method="get" action="/runs" role="search" aria-label="Filter runs">
                    {find.task.map(|task| view! { <input type="hidden" name="task" value=task.to_string() /> })}
                    <div class="field">
                        <label for="kind">"Kind"</label>
                        <select id="kind" name="kind" aria-describedby="kind-problem">
                            {options(RunKind::ALL, find.kind, "All kinds", RunKind::code, RunKind::label)}
                        </select>
                        <FilterProblem field="kind" errors=errors.clone() />
                    </div>
                    <div class="field">
                        <label for="state">"State"</label>
                        <select id="state" name="state" aria-describedby="state-problem">
                            {options(RunState::ALL, find.state, "All states", RunState::code, RunState::label)}
                        </select>
                        <FilterProblem field="state" errors=errors.clone() />
                    </div>
                    <button type="submit">"Filter runs"</button>
                    {find.task.map(|_| view! { <a class="button" href="/runs">"Runs of all tasks"</a> })}
                </form>
                {list.content}
            </PageLayout>
        })
    })
}

fn address(query: &RunQuery) -> String {
    let task = query.task.map(|task| task.to_string()).unwrap_or_default();
    let kind = query.kind.map_or("", RunKind::code);
    let state = query.state.map_or("", RunState::code);
    format!("/runs?task={task}&kind={kind}&state={state}")
}

/// Renders a table of runs. A run anonymises users or imports lines of files.
pub(crate) fn run_table(rows: Vec<RunRow>) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|run| {
            let preview = run.kind == RunKind::Preview;
            let counted = |count: i64| if preview { "–".to_owned() } else { grouped(count) };
            view! {
                <tr>
                    <th scope="row"><a href=format!("/runs/{}", run.id)>{run.kind.label()}" "{run.id.to_string()}</a></th>
                    <td>{run.task.map(|task| task.description_for(actor()))}</td>
                    <td><Timestamp at=run.created_at /></td>
                    <td>{if preview { "Preview".into_any() } else { state_tag(run.state, run.open_findings).into_any() }}</td>
                    <td class="number">{grouped(run.previewed)}</td>
                    <td class="number">{counted(run.done)}</td>
                    <td class="number">{counted(run.skipped)}</td>
                    <td class="number">{counted(run.failed)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <DataTable label="Runs" caption="Runs and previews"
            columns=vec![
                Column::text("Run"), Column::text("Task"), Column::text("Started"), Column::text("State"),
                Column::number("Users or lines"), Column::number("Done"), Column::number("Skipped"),
                Column::number("Failed"),
            ]>
            {rows}
        </DataTable>
    }
}
