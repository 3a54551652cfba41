//! The certificate of a run, for printing and downloading.

mod rules;
mod users;

pub(crate) use rules::fields as treated_fields;

use super::result::{found, maintenance_label};
use crate::components::{
    Column, DataTable, Notice, PageAction, PageLayout, PrintHeader, Timestamp, guarded_page, path_param,
    query,
};
use crate::state::store;
use erasure::certificate::{self, Certificate, Checked, Counted, ResidueCounts, Signed};
use erasure::residue::FindingDecision;
use leptos::prelude::*;
use policy::maintenance::Maintenance;
use policy::numbers::{counted, grouped};
use policy::text::inside_sentence;
use policy::{Reason, RunId, TaskId, UserNumber, personal_data};
use std::collections::BTreeMap;
use task_centre::run;
use trail::task_name::TaskName;

/// Shows the certificate of a run.
#[component]
pub fn CertificatePage() -> impl IntoView {
    let id = path_param::<RunId>("run");
    let version = query("version").parse().ok();
    guarded_page(async move {
        let store = store();
        let id = id?;
        let signed = certificate::read_version(&store, id, version).await?;
        let checked = certificate::verify_version(&store, id, version).await?;
        let users = certificate::users(&store, id).await?;
        let task = run::read(&store, id).await?.task;
        Ok(view(signed, &checked, task, users))
    })
}

fn view(
    signed: Signed,
    checked: &Checked,
    task: Option<(TaskId, TaskName)>,
    counted: Vec<(Counted, Vec<UserNumber>)>,
) -> impl IntoView + use<> {
    let versions = versions(&signed);
    let Signed { certificate: says, signature, public_key, superseded_by, .. } = signed;
    let run = format!("{} {}", says.kind.label(), says.run);
    let crumbs =
        vec![("Task centre".to_owned(), "/tasks".to_owned()), (run.clone(), format!("/runs/{}", says.run))];
    let download = PageAction::Link {
        label: "Download certificate as JSON".to_owned(),
        href: format!("/runs/{}/certificate.json?version={}", says.run, says.version),
    };
    let kind = if checked.holds() { "success" } else { "danger" };
    let checked = format!("Checked now. {}.", checked.label());
    let no_details = says.skipped.is_empty() && says.failed.is_empty();
    view! {
        <PrintHeader run=says.run />
        <PageLayout title=format!("Certificate of {}", inside_sentence(&run)) lead=lead(&says) crumbs actions=vec![download]>
            <Notice kind><p>{checked}</p></Notice>
            {versions}
            <p>
                "It contains no names: users and members of staff appear by user number. "
                <span class="on-screen">"To keep it on paper, print this page. "</span>
                "To check it on the command line of this installation: "
                <code>{format!("lethe runs verify {}", says.run)}</code>
                ", or for a downloaded certificate: " <code>"lethe runs verify FILE"</code>
            </p>
            {superseded_by.is_none().then(|| {
                found(says.run, says.residue.with_findings, says.residue.places, says.residue.open_places)
            })}
            <h2>"What was done"</h2>
            {figures(&says)}
            {(!no_details).then(|| outcomes(&says))}
            {rows(&says)}
            <h2>"What happened to each field"</h2>
            {rules::fields(&says.fields)}
            <h2>"Residue and database files"</h2>
            {residue(&says)}
            <h2>"Rules and people responsible"</h2>
            {rules::rules(&says, task.as_ref())}
            <h2>"Users counted in this certificate"</h2>
            {users::list(&counted)}
            <h2>"Proof"</h2>
            <dl class="facts">
                <dt>"Library"</dt>
                <dd>{says.library.clone().unwrap_or_else(|| "Not named (Library settings)".to_owned())}</dd>
                <dt>"Installation"</dt><dd><code>{says.installation.clone()}</code></dd>
                <dt>"Program"</dt><dd>{says.program.clone()}</dd>
                <dt>"Certificate version"</dt><dd>{says.version}</dd>
                <dt>"List of users (SHA-256)"</dt><dd><code>{says.users_sha256.clone()}</code></dd>
                <dt>"Ledger up to entry"</dt><dd>{grouped(says.ledger_sequence)}</dd>
                <dt>"Certificate created"</dt><dd><Timestamp at=says.made_at /></dd>
                <dt>"Signature (Ed25519)"</dt><dd><code>{signature}</code></dd>
                <dt>"Public key"</dt><dd><code>{public_key}</code></dd>
            </dl>
        </PageLayout>
    }
}

/// Renders the links to the previous and the next version.
fn versions(signed: &Signed) -> impl IntoView + use<> {
    let run = signed.certificate.run;
    let link = move |version: i32| {
        let href = format!("/runs/{run}/certificate?version={version}");
        view! { <a href=href>"version " {version}</a> }
    };
    let this = signed.certificate.version;
    let later = signed.superseded_by.map(|later| {
        view! {
            <Notice kind="warning">
                <p>
                    "This is version " {this} ". It has been superseded by " {link(later.version)} ", created " <Timestamp at=later.made_at />
                    ", which has more recent results."
                </p>
            </Notice>
        }
    });
    let earlier = signed.certificate.supersedes.as_ref().map(|earlier| {
        view! {
            <p>
                "This is version " {this} ". It supersedes " {link(earlier.version)} ", whose signature stays valid."
            </p>
        }
    });
    view! { {later} {earlier} }
}

fn lead(says: &Certificate) -> String {
    let were = if says.done == 1 { "was" } else { "were" };
    format!(
        "{} {were} anonymised permanently on {}.",
        counted(says.done, "user", "users"),
        policy::dates::shown(says.day)
    )
}

fn figures(says: &Certificate) -> impl IntoView + use<> {
    let sum = |counts: &BTreeMap<String, i64>| counts.values().sum::<i64>();
    let figures = [
        ("anonymised", says.done),
        ("skipped", sum(&says.skipped)),
        ("failed", sum(&says.failed)),
        ("not reached", says.not_reached),
        ("in the preview", says.previewed),
    ]
    .map(|(label, count)| view! { <div><dt>{label}</dt><dd>{grouped(count)}</dd></div> });
    view! { <dl class="figures">{figures.collect_view()}</dl> }
}

/// Renders why users were skipped or failed.
fn outcomes(says: &Certificate) -> impl IntoView + use<> {
    let skipped = says.skipped.iter().map(|(code, count)| {
        let reason = Reason::from_code(code).map_or_else(|| code.clone(), |reason| reason.label().to_owned());
        (format!("Skipped: {reason}"), *count)
    });
    let failed = says.failed.iter().map(|(code, count)| (format!("Failed: {code}"), *count));
    table("Skipped and failed users, by reason", ["Reason", "Users"], skipped.chain(failed).collect())
}

fn rows(says: &Certificate) -> impl IntoView + use<> {
    let rows: Vec<(String, i64)> = says
        .rows
        .iter()
        .map(|(name, count)| {
            let label =
                personal_data::table(name).map_or_else(|| name.clone(), |table| table.label.to_owned());
            (label, *count)
        })
        .collect();
    (!rows.is_empty()).then(|| table("Rows changed or deleted, by table", ["Table", "Rows"], rows))
}

fn table(caption: &'static str, heads: [&'static str; 2], rows: Vec<(String, i64)>) -> impl IntoView {
    let [what, count] = heads;
    let rows = rows
        .into_iter()
        .map(|(label, count)| {
            view! { <tr><th scope="row">{label}</th><td class="number">{grouped(count)}</td></tr> }
        })
        .collect_view();
    view! {
        <h3>{caption}</h3>
        <DataTable label=caption caption=caption columns=vec![Column::text(what), Column::number(count)]>
            {rows}
        </DataTable>
    }
}

/// Renders the result of the residue search, and promises nothing that the search did not find out.
fn residue(says: &Certificate) -> impl IntoView + use<> {
    let found = &says.residue;
    let users = |count: i64| counted(count, "user", "users");
    let lines = [
        (found.clean, format!("{}: no old values were found in the database.", users(found.clean))),
        (
            found.with_findings,
            format!(
                "{}: old values were found in {} ({}).",
                users(found.with_findings),
                counted(found.places, "place", "places"),
                decisions(found)
            ),
        ),
        (
            found.undeterminable,
            format!(
                "{}: cannot be determined. The process ended before Lethe could search for their old values.",
                users(found.undeterminable)
            ),
        ),
        (found.pending, format!("{}: the search has not ended yet.", users(found.pending))),
    ];
    let lines =
        lines.into_iter().filter(|(count, _)| *count > 0).map(|(_, label)| view! { <li>{label}</li> });
    let maintenance = says.maintenance.as_deref().map_or("Not recorded", |code| {
        maintenance_label(Maintenance::from_code(code).unwrap_or(Maintenance::Busy))
    });
    view! {
        <ul>{lines.collect_view()}</ul>
        <dl class="facts"><dt>"Cleaning of the database files"</dt><dd>{maintenance}</dd></dl>
    }
}

/// Describes the decisions about the findings, and how many are open.
fn decisions(found: &ResidueCounts) -> String {
    let decided = found.decisions.iter().map(|(code, count)| {
        let label =
            FindingDecision::from_code(code).map_or_else(|| code.clone(), |one| one.label().to_lowercase());
        format!("{} {label}", grouped(*count))
    });
    let open = (found.open_places > 0).then(|| format!("{} not decided", grouped(found.open_places)));
    decided.chain(open).collect::<Vec<_>>().join("; ")
}
