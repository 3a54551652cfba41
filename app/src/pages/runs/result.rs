//! The page of a run: its progress and its result.

use super::cancel::CleanFiles;
use super::members::{MemberPage, MemberSearch, member_section};
use super::run_parts;
use super::{crumbs, state_tag};
use crate::components::{
    Column, DataTable, Day, Notice, PageAction, PageLayout, PrintHeader, task_link, user_address,
};
use crate::state::can_open;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::maintenance::Maintenance;
use policy::numbers::{counted, grouped};
use policy::{Residue, RunId, RunKind, RunState, SafetyLimits, TaskSettings, personal_data, summary};
use task_centre::run::Run;

pub(super) fn page(
    run: Run,
    safety_limits: SafetyLimits,
    search: MemberSearch,
    members: MemberPage,
) -> impl IntoView {
    let crumbs = crumbs(run.task.as_ref());
    let title = format!("{} {}", run.kind.label(), run.id);
    let lead = lead(&run);
    let ended = run.state.is_final();
    let actions = actions(&run);
    view! {
        <PrintHeader run=run.id />
        <PageLayout title crumbs lead actions>
            <div data-live="run">
                {(!ended).then(|| under_way(&run, &search))}
                {stopped(&run, safety_limits)}
                {found(run.id, residue_of(&run, Residue::WithFindings), run.findings, run.open_findings)}
                {run.cancelled_too_late.then(too_late)}
                {ended.then(|| figures(&run))}
                {facts(&run)}
                {(!run.skipped_by.is_empty()).then(|| skipped(&run))}
                {(!run.failed_by.is_empty()).then(|| failed(&run))}
                {(!run.tables.is_empty()).then(|| tables(&run))}
            </div>
            <h2 id="people">"Users"</h2>
            {member_section(run.id, &search, members, None)}
        </PageLayout>
    }
}

/// Returns the number of users with this result of the residue search.
fn residue_of(run: &Run, result: Residue) -> i64 {
    run.residue.iter().filter(|(residue, _)| *residue == result).map(|(_, count)| count).sum()
}

/// Renders the notice that old values were found, with the number of open findings and a link. None if none were
/// found.
pub(super) fn found(run: RunId, users: i64, findings: i64, open: i64) -> Option<impl IntoView + use<>> {
    let (kind, href, label) = if open > 0 {
        ("warning", format!("/residue?run={run}"), "Review findings")
    } else {
        ("info", format!("/residue?run={run}&show=all"), "Show findings")
    };
    let decided = match (findings, open) {
        (1, 0) => "The finding has been decided. ".to_owned(),
        (_, 0) => "All findings have been decided. ".to_owned(),
        _ => format!("{} waiting for a decision. ", counted(open, "finding is", "findings are")),
    };
    let link = can_open(&href).then(|| view! { <a class="on-screen" href=href>{label}</a> });
    (users > 0 || findings > 0).then(|| {
        view! {
            <Notice kind>
                <p>
                    "Old values of " <b>{counted(users, "user", "users")}</b> " were found in "
                    {counted(findings, "place", "places")} ". " <b>{decided}</b> {link}
                </p>
            </Notice>
        }
    })
}

/// Returns the entries of the actions panel: the proof of an ended run.
fn actions(run: &Run) -> Vec<PageAction> {
    let link = |label: &str, href: String| PageAction::Link { label: label.to_owned(), href };
    let mut actions = Vec::new();
    if run.has_certificate {
        actions.push(link("Show certificate", format!("/runs/{}/certificate", run.id)));
    }
    if run.open_findings > 0 {
        actions.push(link("Review findings", format!("/residue?run={}", run.id)));
    } else if run.findings > 0 {
        actions.push(link("Show findings", format!("/residue?run={}&show=all", run.id)));
    }
    if run.state.is_final() && run.done > 0 {
        actions.push(PageAction::Ask {
            label: "Clean database files".to_owned(),
            function: CleanFiles::PATH,
            values: vec![("run", run.id.to_string())],
            consequence: "Lethe rewrites the user tables so that no removed value is left in the database \
                          files. In a large library this can take minutes, and other staff cannot save \
                          changes meanwhile. It cannot be stopped."
                .to_owned(),
        });
    }
    actions
}

/// Renders the progress and the button that cancels the run.
fn under_way(run: &Run, search: &MemberSearch) -> impl IntoView + use<> {
    let mut consequence = "The run stops before the next batch. Users already anonymised stay anonymised. A \
                           cancelled run does not confirm the settings of its task."
        .to_owned();
    if run.preview.is_some() {
        consequence.push_str(
            " It cannot be continued: its preview and any approval are used up. To anonymise the other users, you \
             need new ones.",
        );
    }
    run_parts::under_way(run, search.address(run.id), consequence)
}

/// Renders the notice that a run was cancelled too late.
fn too_late() -> impl IntoView {
    view! {
        <Notice kind="info">
            <p>"The run was cancelled too late: all its users had already been processed."</p>
        </Notice>
    }
}

/// Renders why a run ended early, and what to do. None if it did not.
fn stopped(run: &Run, safety_limits: SafetyLimits) -> Option<AnyView> {
    let preview = run.preview.map(|id| format!("/runs/{id}"));
    match (run.state, run.safety_limit) {
        (RunState::StoppedByLimit, Some(safety_limit)) => {
            let href = preview.unwrap_or_default();
            Some(
                view! {
                    <Notice kind="warning">
                        <p><b>"No user was changed. "</b>{safety_limit.label(safety_limits)}"."</p>
                        <p>
                            <a href=href>"Open the preview"</a>
                            " to confirm the number of users and start the run. A preview can be used only \
                             on the day it was created; after that, create a new one."
                        </p>
                    </Notice>
                }
                .into_any(),
            )
        }
        (RunState::Missed, _) => Some(run_parts::missed("No user was changed.")),
        (RunState::Failed, _) if !run.errors.is_empty() => {
            let codes = run.errors.join(", ");
            Some(
                view! {
                    <Notice kind="danger">
                        <p>"The run could not be completed (code: "{codes}"). Tell the administrator."</p>
                    </Notice>
                }
                .into_any(),
            )
        }
        _ => None,
    }
}

/// Summarises the result in one sentence, including skipped, failed and unreached users.
fn lead(run: &Run) -> String {
    let users = |count| counted(count, "user", "users");
    match run.state {
        RunState::Queued => "Waiting for another run to end.".to_owned(),
        state if state.is_under_way() => {
            format!("{} to anonymise. Users counted as anonymised cannot be restored.", users(run.previewed))
        }
        _ => run_parts::outcomes(run, "anonymised"),
    }
}

fn figures(run: &Run) -> impl IntoView + use<> {
    view! {
        <dl class="figures">
            {run_parts::figures_of_users(run, "anonymised")}
        </dl>
    }
}

fn facts(run: &Run) -> impl IntoView + use<> {
    let preview = run_parts::preview_link(run);
    let task = run.task.as_ref().map(task_link);
    let selection = match run.kind {
        RunKind::Single => "One user, from the record. Conditions and scope are ignored.".to_owned(),
        RunKind::Reapply => "Users anonymised under earlier rules.".to_owned(),
        RunKind::Replay => {
            "Users in the ledger who were anonymised after the restored backup was made.".to_owned()
        }
        RunKind::Preview | RunKind::Manual | RunKind::Scheduled => match &run.settings {
            TaskSettings::AnonymiseUserData(policy) => {
                let selection = summary::selection(&policy.conditions, policy.scope);
                format!("{selection}{}", left_out(run))
            }
            TaskSettings::ImportUsers(settings) => settings.sentence(),
            TaskSettings::AnnounceAnonymising(settings) => settings.sentence(),
        },
    };
    view! {
        <dl class="facts">
            <dt>"State"</dt><dd>{state_tag(run.state, run.open_findings)}</dd>
            <dt>"Task"</dt><dd>{task}</dd>
            <dt>"Preview"</dt><dd>{preview}</dd>
            <dt>"Users"</dt><dd>{selection}</dd>
            {run.grounds.clone().map(|grounds| view! {
                <dt>"Reason"</dt><dd>{grounds.reason.label()}</dd>
                {grounds.case_reference.map(|case| view! { <dt>"Case reference"</dt><dd>{case}</dd> })}
                {grounds.merged_into.map(|into| view! {
                    <dt>"Merged into"</dt><dd><a href=user_address(into)>"User "{into.to_string()}</a></dd>
                })}
            })}
            <dt>"Assessed on"</dt><dd><Day date=run.today /></dd>
            {run_parts::times(run)}
            <dt>"Rules version"</dt><dd>{run.rules_version}</dd>
            {proof(run)}
        </dl>
    }
}

/// Says which users of the task the run left out. Empty if none.
pub(super) fn left_out(run: &Run) -> String {
    let listed =
        run.listed.map(|listed| format!(" Only {}.", counted(listed, "listed user", "listed users")));
    let excluded = (run.excluded > 0)
        .then(|| format!(" Without {} that staff excluded.", counted(run.excluded, "user", "users")));
    listed.into_iter().chain(excluded).collect()
}

/// Renders the proof of the run: the fingerprint of its preview, the residue search, the database files.
fn proof(run: &Run) -> impl IntoView + use<> {
    let fingerprint = run.fingerprint.as_ref().map(|text| text.chars().take(16).collect::<String>());
    let residue = (!run.residue.is_empty()).then(|| {
        let parts = run.residue.iter().map(|(residue, count)| {
            format!("{} {}", counted(*count, "user", "users"), residue.label().to_lowercase())
        });
        parts.collect::<Vec<_>>().join(", ")
    });
    let files = run.maintenance.map(maintenance_label);
    view! {
        {fingerprint.map(|text| view! { <dt>"Preview fingerprint"</dt><dd><code>{text}"…"</code></dd> })}
        {residue.map(|label| view! { <dt>"Residue"</dt><dd>{label}</dd> })}
        {files.map(|label| view! { <dt>"Database files"</dt><dd>{label}</dd> })}
    }
}

pub(super) const fn maintenance_label(done: Maintenance) -> &'static str {
    match done {
        Maintenance::Done => "Cleaned after the run",
        Maintenance::Full => "Cleaned after the run: the file was rewritten",
        Maintenance::Busy => "Not cleaned: the database was busy. Its files may still contain removed values",
    }
}

fn failed(run: &Run) -> impl IntoView + use<> {
    let id = run.id;
    let rows = run
        .failed_by
        .iter()
        .map(|(code, count)| {
            view! { <tr><th scope="row"><code>{code.clone()}</code></th><td class="number">{grouped(*count)}</td></tr> }
        })
        .collect_view();
    view! {
        <h2>"Failed users, by code"</h2>
        <p>
            "These users are unchanged. The next run will try again. "
            <a href=format!("/runs/{id}?outcome=failed#people")>"Show failed users"</a>
        </p>
        <DataTable label="Failed users by code" caption="Failed users by code"
            columns=vec![Column::text("Code"), Column::number("Users")]>
            {rows}
        </DataTable>
    }
}

pub(super) fn skipped(run: &Run) -> impl IntoView + use<> {
    let rows = run
        .skipped_by
        .iter()
        .map(|(reason, count)| {
            view! { <tr><th scope="row">{reason.label()}</th><td class="number">{grouped(*count)}</td></tr> }
        })
        .collect_view();
    view! {
        <h2>"Skipped users, by reason"</h2>
        <DataTable label="Skipped users by reason" caption="Skipped users by reason"
            columns=vec![Column::text("Reason"), Column::number("Users")]>
            {rows}
        </DataTable>
    }
}

fn tables(run: &Run) -> impl IntoView + use<> {
    let rows = run
        .tables
        .iter()
        .map(|(name, count)| {
            let label =
                personal_data::table(name).map_or_else(|| name.clone(), |table| table.label.to_owned());
            view! { <tr><th scope="row">{label}</th><td class="number">{grouped(*count)}</td></tr> }
        })
        .collect_view();
    view! {
        <h2>"Rows changed, by table"</h2>
        <DataTable label="Rows changed by table" caption="Rows changed or deleted, by table"
            columns=vec![Column::text("Table"), Column::number("Rows")]>
            {rows}
        </DataTable>
    }
}
