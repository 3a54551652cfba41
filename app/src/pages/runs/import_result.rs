//! The page of a run that imports files: its progress, its files and its result.

use super::run_parts::{self, figure};
use super::{crumbs, state_tag};
use crate::components::{Column, DataTable, Notice, PageLayout, task_link};
use crate::pages::users::import::state_tag as import_state_tag;
use crate::state::can_open;
use leptos::prelude::*;
use policy::numbers::{counted, grouped};
use policy::{RunState, SafetyLimit, SafetyLimits, TaskSettings};
use task_centre::run::Run;
use transfer::ImportSummary;
use transfer::import_history::Import;

pub(super) fn page(run: Run, safety_limits: SafetyLimits) -> impl IntoView {
    let ended = run.state.is_final();
    view! {
        <PageLayout title=format!("{} {}", run.kind.label(), run.id) crumbs=crumbs(run.task.as_ref())
            lead=lead(&run)>
            <div data-live="run">
                {(!ended).then(|| under_way(&run))}
                {notice(&run, safety_limits)}
                {run.files_left.iter().map(|(code, count)| left(code, *count)).collect_view()}
                {(run.state.is_final() && run.previewed > 0).then(|| figures(&run))}
                {(!run.imports.is_empty()).then(|| files(&run.imports))}
                {facts(&run)}
            </div>
        </PageLayout>
    }
}

/// Summarises the result in one sentence.
fn lead(run: &Run) -> String {
    match run.state {
        RunState::Queued => "Waiting for another run to end.".to_owned(),
        state if state.is_under_way() => "Imports the files of the folder, oldest first.".to_owned(),
        RunState::NothingToImport => "There was no new file to import. Nothing was changed.".to_owned(),
        _ if run.previewed == 0 => "Nothing was imported.".to_owned(),
        _ => format!(
            "{} imported, {} held or skipped, {} rejected.",
            counted(run.done, "line", "lines"),
            grouped(run.skipped),
            grouped(run.failed)
        ),
    }
}

/// Renders the progress and the button that cancels the run.
fn under_way(run: &Run) -> impl IntoView + use<> {
    let consequence = "The import stops before its next lines, and nothing of its file is kept. Files that the run has \
                       imported before stay imported.";
    run_parts::under_way(run, format!("/runs/{}", run.id), consequence.to_owned())
}

/// Renders why a run ended early, and what to do. None if it did not.
fn notice(run: &Run, safety_limits: SafetyLimits) -> Option<AnyView> {
    let task = run.task.as_ref().map(task_link);
    match (run.state, run.safety_limit) {
        (RunState::StoppedByLimit, Some(limit)) => {
            let why = stopped_import(run).unwrap_or_else(|| limit.label(safety_limits));
            let then = if limit == SafetyLimit::NotConfirmed {
                " Create a preview of the task, check it and run it. From then on the task can run on its schedule."
            } else {
                " Check the file in its folder. To import it anyway, create a preview of the task, check it and run \
                 it. With four eyes, a second person approves the preview first."
            };
            Some(
                view! {
                    <Notice kind="warning">
                        <p><b>"Nothing was imported from the stopped file. "</b> {why} "."</p>
                        <p>{then} " " {task}</p>
                    </Notice>
                }
                .into_any(),
            )
        }
        (RunState::Missed, _) => Some(run_parts::missed("Nothing was imported.")),
        (RunState::Failed, _) if run.errors.iter().any(|code| code == "file_changed") => Some(
            view! {
                <Notice kind="danger">
                    <p>
                        "The file of the preview has changed or is gone. Nothing was imported. Create a new preview, \
                         check it and run that. " {task}
                    </p>
                </Notice>
            }
            .into_any(),
        ),
        (RunState::Failed, _) if !run.errors.is_empty() => {
            let codes = run.errors.join(", ");
            Some(
                view! {
                    <Notice kind="danger">
                        <p>
                            "The run could not be completed (code: "{codes}"). Check that the folder of the task exists \
                             and that the server may read it, or tell the administrator."
                        </p>
                    </Notice>
                }
                .into_any(),
            )
        }
        _ => None,
    }
}

/// Returns which limit the stopped file exceeds.
fn stopped_import(run: &Run) -> Option<String> {
    let stopped = run.imports.iter().find(|import| import.state == policy::import::ImportState::Stopped)?;
    stopped.reason.clone()
}

/// Renders how many files the run has left, and why.
fn left(code: &str, count: i64) -> impl IntoView + use<> {
    let files = counted(count, "file", "files");
    let text = match code {
        "still_written" => format!("{files} still being written. The next run looks again."),
        "rejected_before" => format!(
            "{files} rejected by an earlier run and not changed since. Correct and deliver again, or delete."
        ),
        "not_erased" => {
            format!("{files} imported but not deleted. Check the permissions of the folder, then delete.")
        }
        other => format!("{files}: {other}."),
    };
    view! { <Notice kind="warning"><p>{text}</p></Notice> }
}

fn figures(run: &Run) -> impl IntoView + use<> {
    view! {
        <dl class="figures">
            {figure("lines read", run.previewed)}
            {figure("imported", run.done)}
            {figure("held or skipped", run.skipped)}
            {figure("rejected", run.failed)}
        </dl>
    }
}

/// Renders the files, each with its import in the history.
fn files(imports: &[Import]) -> impl IntoView + use<> {
    let rows = imports
        .iter()
        .map(|import| {
            let count = |of: fn(&ImportSummary) -> u64| {
                let counted = import.counts.as_ref().map(of);
                counted.map_or("–".to_owned(), |count| grouped(i64::try_from(count).unwrap_or(i64::MAX)))
            };
            let href = format!("/users/import/{}", import.id);
            let name = import.file_name.clone();
            let name =
                if can_open(&href) { view! { <a href=href>{name}</a> }.into_any() } else { name.into_any() };
            view! {
                <tr>
                    <th scope="row">{name}</th>
                    <td>{import_state_tag(import.state)}</td>
                    <td class="number">{count(|counts| counts.lines)}</td>
                    <td class="number">{count(|counts| counts.created)}</td>
                    <td class="number">{count(|counts| counts.changed)}</td>
                    <td class="number">{count(|counts| counts.unchanged)}</td>
                    <td class="number">{count(|counts| counts.left)}</td>
                    <td class="number">{count(|counts| counts.rejected)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <h2>"Files"</h2>
        <DataTable label="Files" caption="Files examined by the run"
            columns=vec![
                Column::text("File"), Column::text("State"), Column::number("Lines"), Column::number("New"),
                Column::number("Changed"), Column::number("Unchanged"), Column::number("Left"),
                Column::number("Rejected"),
            ]>
            {rows}
        </DataTable>
    }
}

fn facts(run: &Run) -> impl IntoView + use<> {
    let sentence = match &run.settings {
        TaskSettings::ImportUsers(settings) => settings.sentence(),
        TaskSettings::AnonymiseUserData(_) | TaskSettings::AnnounceAnonymising(_) => String::new(),
    };
    view! {
        <dl class="facts">
            <dt>"State"</dt><dd>{state_tag(run.state, 0)}</dd>
            <dt>"Task"</dt><dd>{run.task.as_ref().map(task_link)}</dd>
            {run_parts::preview_link(run).map(|preview| view! { <dt>"Preview"</dt><dd>{preview}</dd> })}
            <dt>"Files"</dt><dd>{sentence}</dd>
            {run_parts::times(run)}
        </dl>
    }
}
