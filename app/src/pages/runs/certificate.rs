//! The certificate of a run, to be printed or downloaded.

use super::result::{found, maintenance_words};
use super::state_tag;
use crate::pages::tasks::task_link;
use crate::parts::{Action, Day, Frame, Moment, Notice, named_in_path, page};
use crate::state::store;
use leptos::prelude::*;
use policy::numbers::{counted, grouped};
use policy::{Reason, RunId, RunKind, TaskId, register, sentence};
use records::certificate::{self, Certificate, Checked, Signed};
use records::run;
use records::task::TaskName;
use std::collections::BTreeMap;

/// The certificate of a run.
#[component]
pub fn CertificatePage() -> impl IntoView {
    let id = named_in_path::<RunId>("run");
    page(async move {
        let store = store();
        let id = id?;
        let signed = certificate::read(&store, id).await?;
        let checked = certificate::verify_run(&store, id).await?;
        let task = run::read(&store, id).await?.task;
        Ok(view(signed, &checked, task))
    })
}

fn view(signed: Signed, checked: &Checked, task: Option<(TaskId, TaskName)>) -> impl IntoView + use<> {
    let Signed { certificate: says, signature, public_key, .. } = signed;
    let run = format!("{} {}", says.kind.words(), says.run);
    let crumbs =
        vec![("Task centre".to_owned(), "/tasks".to_owned()), (run.clone(), format!("/runs/{}", says.run))];
    let download = Action::Link {
        words: "Download the certificate as JSON".to_owned(),
        href: format!("/runs/{}/certificate.json", says.run),
    };
    let kind = if checked.holds() { "success" } else { "danger" };
    let checked = format!("Checked now. {}.", checked.words());
    let no_details = says.skipped.is_empty() && says.failed.is_empty();
    view! {
        <Frame title=format!("Certificate of {}", lower_first(&run)) lead=lead(&says) crumbs actions=vec![download]>
            <Notice kind><p>{checked}</p></Notice>
            <p>
                "It names nobody. To keep it on paper, print this page. Whoever has the command line of this \
                 installation can check it: "
                <code>{format!("lethe runs verify {}", says.run)}</code>
            </p>
            {found(says.run, says.residue.hits)}
            <h2>"What was done"</h2>
            {figures(&says)}
            {(!no_details).then(|| outcomes(&says))}
            {rows(&says)}
            <h2>"What is left"</h2>
            {residue(&says)}
            <h2>"By which rules"</h2>
            {rules(&says, task.as_ref())}
            <h2>"Proof"</h2>
            <dl class="facts">
                <dt>"Installation"</dt><dd><code>{says.library.clone()}</code></dd>
                <dt>"Ledger up to entry"</dt><dd>{grouped(says.ledger_sequence)}</dd>
                <dt>"Certificate made"</dt><dd><Moment at=says.made_at /></dd>
                <dt>"Signature (Ed25519)"</dt><dd><code>{signature}</code></dd>
                <dt>"Public key"</dt><dd><code>{public_key}</code></dd>
            </dl>
        </Frame>
    }
}

fn lower_first(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn lead(says: &Certificate) -> String {
    let were = if says.done == 1 { "was" } else { "were" };
    format!(
        "{} {were} anonymised for good, on {}.",
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
    .map(|(words, count)| view! { <div><dt>{words}</dt><dd>{grouped(count)}</dd></div> });
    view! { <dl class="figures">{figures.collect_view()}</dl> }
}

/// Why users were skipped, and how others failed.
fn outcomes(says: &Certificate) -> impl IntoView + use<> {
    let skipped = says.skipped.iter().map(|(code, count)| {
        let reason = Reason::from_code(code).map_or_else(|| code.clone(), |reason| reason.words().to_owned());
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
            let words = register::table(name).map_or_else(|| name.clone(), |table| table.words.to_owned());
            (words, *count)
        })
        .collect();
    (!rows.is_empty()).then(|| table("Rows changed or deleted, by table", ["Table", "Rows"], rows))
}

fn table(caption: &'static str, heads: [&'static str; 2], rows: Vec<(String, i64)>) -> impl IntoView {
    let [what, count] = heads;
    let rows = rows.into_iter().map(|(words, count)| {
        view! { <tr><th scope="row">{words}</th><td class="number">{grouped(count)}</td></tr> }
    });
    view! {
        <h3>{caption}</h3>
        <div class="scroll" role="region" aria-label=caption tabindex="0">
            <table>
                <caption class="hidden">{caption}</caption>
                <thead><tr><th scope="col">{what}</th><th scope="col" class="number">{count}</th></tr></thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}

/// What the search for residue found, in words that promise nothing which was not found out.
fn residue(says: &Certificate) -> impl IntoView + use<> {
    let found = says.residue;
    let users = |count: i64| counted(count, "user", "users");
    let lines = [
        (found.clean, format!("Of {} no old value stands anywhere in the database.", users(found.clean))),
        (
            found.hits,
            format!(
                "Of {} a value was found again, in {}; {} not decided about when this was made.",
                users(found.hits),
                counted(found.places, "place", "places"),
                grouped(found.open_places)
            ),
        ),
        (
            found.undeterminable,
            format!(
                "Of {} it cannot be determined: the process was ended before their old values were searched for.",
                users(found.undeterminable)
            ),
        ),
        (found.pending, format!("The search for {} has not come to its end yet.", users(found.pending))),
    ];
    let lines =
        lines.into_iter().filter(|(count, _)| *count > 0).map(|(_, words)| view! { <li>{words}</li> });
    let maintenance = says.maintenance.as_ref().map_or("None is noted", |code| maintenance_words(code));
    view! {
        <ul>{lines.collect_view()}</ul>
        <dl class="facts"><dt>"Cleaning of the database files"</dt><dd>{maintenance}</dd></dl>
    }
}

fn rules(says: &Certificate, task: Option<&(TaskId, TaskName)>) -> impl IntoView + use<> {
    let who = match says.kind {
        RunKind::Single => "One user, from the record: conditions and scope do not count.".to_owned(),
        RunKind::Replay => "Everybody whom the ledger names beyond the backup that was restored.".to_owned(),
        _ => sentence::selection(&says.policy.conditions, says.policy.scope),
    };
    // The certificate itself has the number: what the task is called can change, and is not proven.
    let task = says.task.map(|number| {
        let version = says.task_version.map(|version| format!(", version {version}")).unwrap_or_default();
        view! { {task.map(task_link)} " (task " {number.to_string()} {version} ")" }
    });
    view! {
        <dl class="facts">
            <dt>"State"</dt><dd>{state_tag(says.state)}</dd>
            <dt>"Who"</dt><dd>{who}</dd>
            <dt>"Task"</dt><dd>{task}</dd>
            <dt>"Day of the verdicts"</dt><dd><Day date=says.day /></dd>
            <dt>"Started"</dt><dd><Moment at=says.created_at /></dd>
            <dt>"Ended"</dt><dd><Moment at=says.finished_at /></dd>
            <dt>"Interrupted"</dt><dd>{counted(says.interruptions.into(), "time", "times")}</dd>
            <dt>"Version of the rules"</dt><dd>{says.rules_version}</dd>
            <dt>"Policy (SHA-256)"</dt><dd><code>{says.policy_sha256.clone()}</code></dd>
            <dt>"Seal of the preview"</dt><dd>{says.fingerprint.clone().map(|seal| view! { <code>{seal}</code> })}</dd>
        </dl>
    }
}
