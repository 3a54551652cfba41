//! The preview of an import: what the next file would do, and the form that starts the run.

use super::crumbs;
use super::preview::{PreviewStatus, back_to_task, unusable};
use super::start::{StartTexts, start_form};
use crate::components::{Notice, PageLayout, Pager, Timestamp};
use crate::pages::approvals::second_person::SecondPerson;
use crate::pages::users::import::{counts, first_differences, report_table};
use leptos::prelude::*;
use policy::TaskSettings;
use policy::import::ImportState;
use policy::numbers::{counted, grouped};
use task_centre::run::Run;
use transfer::import_history::{Import, ReportLine};

/// The first differences, and one page of the lines to check.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) differences: Vec<ReportLine>,
    pub(super) rows: Vec<ReportLine>,
    pub(super) next: Option<String>,
    pub(super) is_paged: bool,
}

pub(super) fn page(
    run: Run,
    status: PreviewStatus,
    second: Option<SecondPerson>,
    report: Lines,
) -> impl IntoView {
    let PreviewStatus { why_not, newer, .. } = status;
    let ready = why_not.is_none() && second.as_ref().is_none_or(SecondPerson::is_ready);
    let actions = back_to_task(&run).into_iter().collect();
    let here = format!("/runs/{}", run.id);
    let found = run.imports.first().map(found);
    let Lines { differences, rows, next, is_paged } = report;
    view! {
        <PageLayout title=format!("Preview {}", run.id) crumbs=crumbs(run.task.as_ref()) actions
            lead="Shows what an import of the next file would do. A preview changes no users.">
            {unusable(&run, why_not, newer)}
            {found}
            {first_differences(differences)}
            <p class="hint">"Created " <Timestamp at=run.created_at /> "."</p>
            {(!rows.is_empty()).then(|| view! {
                <h2 id="lines">"Lines to check"</h2>
                {report_table(rows)}
                <Pager list=here paged=is_paged next />
            })}
            {second.map(SecondPerson::view)}
            {ready.then(|| confirm(&run))}
        </PageLayout>
    }
}

/// Renders the file and what it would do.
fn found(import: &Import) -> impl IntoView + use<> {
    let kind = if import.state == ImportState::Rejected { "danger" } else { "warning" };
    let digest = import.sha256.as_deref().unwrap_or_default().to_owned();
    view! {
        {import.reason.clone().map(|reason| view! { <Notice kind><p>{reason}"."</p></Notice> })}
        {import.counts.as_ref().map(counts)}
        <dl class="facts">
            <dt>"File"</dt><dd>{import.file_name.clone()}</dd>
            <dt>"Lines of the file"</dt><dd>{import.kind.label()}</dd>
            <dt>"Size"</dt><dd>{grouped(import.bytes)}" bytes"</dd>
            <dt>"Preview fingerprint"</dt><dd><code>{digest}</code></dd>
        </dl>
    }
}

/// Renders the form that starts the run after the number of lines is typed.
fn confirm(run: &Run) -> impl IntoView + use<> {
    let texts = StartTexts {
        heading: "Import now",
        not_done: "Nothing has been imported.",
        button: format!("Import {}", counted(run.previewed, "line", "lines")),
    };
    let after = match &run.settings {
        TaskSettings::ImportUsers(settings) => Some(settings.imported_file.label()),
        TaskSettings::AnonymiseUserData(_) | TaskSettings::AnnounceAnonymising(_) => None,
    };
    let consequence = view! {
        <p>
            "The run imports exactly this file, as its fingerprint shows. If the file has changed since, the run \
             imports nothing. This also confirms the settings of the task: from then on it can run on its schedule."
        </p>
        {after.map(|after| view! { <p>"After the import: " {after} "."</p> })}
    };
    start_form(run, texts, consequence.into_any())
}
