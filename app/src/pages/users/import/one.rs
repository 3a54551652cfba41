//! One import: its file, its check, its progress and its result.

use super::actions::{CancelImport, CheckImport, StartImport, StartImportForm};
use super::detection::detection;
use super::result::{counts, first_differences, report_table};
use super::{LIST, import_crumbs, second_person, state_tag};
use crate::components::{
    FieldProblem, Notice, PageAction, PageLayout, Pager, ProblemSummary, Timestamp, guarded_page, paging,
    path_param, person_link,
};
use crate::error::field_errors;
use crate::form::{self, action, error_for, failed_submission};
use crate::islands::Pending;
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::ImportId;
use policy::import::{ImportOrigin, ImportState};
use policy::import_limits::number_label;
use policy::numbers::{counted, grouped};
use transfer::import_history::{self, Import};
use transfer::{import_approval, job};

/// Shows one import.
#[component]
pub fn ImportPage() -> impl IntoView {
    let id = path_param::<ImportId>("import");
    guarded_page(async move {
        let (store, actor, paging) = (store(), actor(), paging());
        let import = import_history::read(&store, actor, id?).await?;
        let report = import_history::report(&store, actor, import.id, &paging).await?;
        let differences = import_history::first_differences(&store, actor, import.id).await?;
        let read = job::lines_read(&store, import.id);
        let here = format!("{LIST}/{}", import.id);
        let error =
            [CheckImport::PATH, StartImport::PATH, CancelImport::PATH].into_iter().find_map(error_for);
        let detected = match import.upload {
            Some(_) if import.state.is_waiting() => {
                Some(transfer::detection::of_upload(&store, actor, &import).await)
            }
            _ => None,
        };
        let is_checked = import.state == ImportState::Checked && import.run.is_none();
        let approval = if is_checked { import_approval::state(&store, actor, &import).await? } else { None };
        let can_start = is_checked && approval.as_ref().is_none_or(|approval| approval.missing.is_none());
        let counts_beyond = import.counts.as_ref().filter(|counts| counts.over_limit.is_some());
        let confirmed_by =
            counts_beyond.filter(|_| approval.is_none()).map(|counts| number_label(counts.counted_by));
        let (rows, next) = (report.rows, report.next);
        let pager = view! { <Pager list=here.clone() paged=paging.after.is_some() next /> };
        Ok(view! {
            <PageLayout title=format!("Import {}", import.id) crumbs=import_crumbs() lead=lead(&import)
                actions=actions(&import)>
                <ProblemSummary error />
                <div data-live="import">
                    {under_way(&import, read, &here)}
                    {import.reason.clone().map(|reason| view! {
                        <Notice kind=notice_kind(import.state)><p>{reason}</p></Notice>
                    })}
                    {import.counts.as_ref().map(counts)}
                    {first_differences(differences)}
                    {approval.map(|approval| second_person::view(&import, approval, actor, &here))}
                    {can_start.then(|| start_form(&import, confirmed_by, &here))}
                    {(!rows.is_empty()).then(|| view! {
                        <h2 id="lines">"Lines to check"</h2>
                        {report_table(rows)}
                        {pager}
                        <p><a href=format!("{LIST}/{}/lines.csv", import.id)>"Download line report (CSV)"</a></p>
                    })}
                    {detected.map(|detected| detection(&import, detected, &here))}
                    {facts(&import)}
                </div>
            </PageLayout>
        })
    })
}

/// Returns what the state means and what comes next.
fn lead(import: &Import) -> &'static str {
    if import.origin == ImportOrigin::Task {
        return lead_of_task(import.state);
    }
    match import.state {
        ImportState::Uploaded => {
            "The file is on the server. Compare what was detected, then check the file: a check changes nothing."
        }
        ImportState::Checking => "Lethe checks the file. You can leave this page.",
        ImportState::Checked => "This is what an import would do. Nothing has been changed yet.",
        ImportState::Importing => "Lethe imports the file. You can leave this page.",
        ImportState::Imported => "The import is complete. The uploaded file was deleted.",
        ImportState::Rejected => {
            "Nothing was imported. Correct the lines below in the other system, then upload a new file. Or choose to import \
             the valid lines only."
        }
        ImportState::Unchanged => "Nothing was imported. The file was imported before.",
        ImportState::Stopped => "Nothing was imported. The file exceeds a safety limit.",
        ImportState::Failed | ImportState::Interrupted => "Nothing was imported. Upload the file again.",
        ImportState::Cancelled => "Nothing was imported. The uploaded file was deleted.",
    }
}

/// Returns what the state of a watched file means and what comes next.
const fn lead_of_task(state: ImportState) -> &'static str {
    match state {
        ImportState::Uploaded | ImportState::Checking | ImportState::Checked => {
            "This is what an import would do. Nothing has been changed yet."
        }
        ImportState::Importing => "A run imports the file. You can leave this page.",
        ImportState::Imported => "The import is complete.",
        ImportState::Rejected => {
            "Nothing was imported. Correct the lines below in the other system. The file is tried again when it has \
             changed."
        }
        ImportState::Unchanged => "Nothing was imported: the task has imported the same content before.",
        ImportState::Stopped => {
            "Nothing was imported: the file exceeds a safety limit. To import it anyway, create a preview of the task, \
             check it and run it."
        }
        ImportState::Failed | ImportState::Interrupted => "Nothing was imported. The next run tries again.",
        ImportState::Cancelled => "Nothing was imported. The file is still in its folder.",
    }
}

const fn notice_kind(state: ImportState) -> &'static str {
    match state {
        ImportState::Rejected | ImportState::Failed => "danger",
        ImportState::Checked | ImportState::Stopped | ImportState::Interrupted => "warning",
        _ => "info",
    }
}

fn actions(import: &Import) -> Vec<PageAction> {
    let cancel = PageAction::Post {
        label: "Cancel import".to_owned(),
        function: CancelImport::PATH,
        values: vec![("import", import.id.to_string())],
    };
    if import.origin == ImportOrigin::Task {
        let run = import.run.map(|run| ("Show run".to_owned(), format!("/runs/{run}")));
        return run.into_iter().map(|(label, href)| PageAction::Link { label, href }).collect();
    }
    let another = PageAction::Link { label: "Upload another file".to_owned(), href: LIST.to_owned() };
    let profile = PageAction::Link {
        label: "Create profile from this file".to_owned(),
        href: format!("{LIST}/{}/profile", import.id),
    };
    match import.state {
        ImportState::Uploaded | ImportState::Checked => vec![profile, cancel],
        ImportState::Checking | ImportState::Importing => vec![cancel],
        ImportState::Rejected => vec![another, profile, cancel],
        _ => vec![another],
    }
}

/// Shows the progress while a process is working on the import.
fn under_way(import: &Import, read: Option<u64>, here: &str) -> Option<impl IntoView + use<>> {
    let here = here.to_owned();
    import.state.is_under_way().then(|| {
        let lines = read.map(|lines| {
            let lines = i64::try_from(lines).unwrap_or(i64::MAX);
            view! { ": "{counted(lines, "line", "lines")}" read" }
        });
        view! {
            <p class="doing" aria-live="polite"><b>{import.state.label()}</b>{lines}" " <Pending here /></p>
        }
    })
}

/// The form that imports a checked file. The number with this label confirms a file beyond the safety limits.
fn start_form(import: &Import, confirmed_by: Option<&'static str>, here: &str) -> impl IntoView + use<> {
    let (typed, error) = match failed_submission::<StartImportForm>(StartImport::PATH) {
        Some((form, error)) => (form.confirm, Some(error)),
        None => (String::new(), error_for(StartImport::PATH)),
    };
    let errors = field_errors(error.as_ref());
    let wrong = errors.message("confirm").is_some();
    let confirm = confirmed_by.map(|label| {
        view! {
            <div class="field">
                <label for="confirm">{label}</label>
                <input id="confirm" name="form[confirm]" type="text" inputmode="numeric" autocomplete="off"
                    value=typed aria-invalid=wrong.then_some("true") aria-describedby="confirm-problem" />
                <FieldProblem field="confirm" errors />
            </div>
        }
    });
    view! {
        <form class="stacked" method="post" action=action(StartImport::PATH, here)>
            <form::Token />
            <input type="hidden" name="form[import]" value=import.id.to_string() />
            {confirm}
            <button class="primary" type="submit">"Import file"</button>
        </form>
    }
}

fn facts(import: &Import) -> impl IntoView + use<> {
    let digest = import.sha256.clone().map(|digest| {
        view! { <dt>"SHA-256"</dt> <dd><code>{digest}</code></dd> }
    });
    view! {
        <dl class="facts">
            <dt>"State"</dt>
            <dd>{state_tag(import.state)}</dd>
            <dt>"Import profile"</dt>
            <dd>{import.profile.label()}</dd>
            <dt>"Origin"</dt>
            <dd>{import.origin.label()}</dd>
            {import.file_name.clone().map(|name| view! { <dt>"File"</dt> <dd>{name}</dd> })}
            {import.run.map(|run| view! {
                <dt>"Run"</dt> <dd><a href=format!("/runs/{run}")>"Run "{run.to_string()}</a></dd>
            })}
            <dt>"Started by"</dt>
            <dd>{match &import.started_by {
                Some(person) => person_link(person).into_any(),
                None => import.origin.label().into_any(),
            }}</dd>
            <dt>"Started"</dt>
            <dd><Timestamp at=import.created_at /></dd>
            <dt>"Ended"</dt>
            <dd><Timestamp at=import.ended_at /></dd>
            <dt>"Size"</dt>
            <dd>{grouped(import.bytes)}" bytes"</dd>
            {digest}
        </dl>
    }
}
