//! A run: how far it is, and what it did.

use super::people::{People, people};
use super::state_tag;
use crate::islands::{Progress, RunProgress};
use crate::parts::{Day, Frame, Moment};
use leptos::prelude::*;
use policy::numbers::{counted, grouped};
use policy::{RunState, register, sentence};
use records::page::Page;
use records::run::{Member, Run};

pub(super) fn page(run: Run, asked: People, members: Page<Member>) -> impl IntoView {
    let crumbs = std::iter::once(("Task centre".to_owned(), "/tasks".to_owned()))
        .chain(run.task.iter().map(|(id, words)| (words.clone(), format!("/tasks/{id}"))))
        .collect();
    let title = format!("{} {}", run.kind.words(), run.id);
    let running = run.state == RunState::Running;
    let progress = Progress::of(&run);
    let lead = lead(&run);
    view! {
        <Frame title crumbs lead>
            {running.then(|| view! {
                <RunProgress run=run.id.0 progress />
                <noscript><meta http-equiv="refresh" content="2" /></noscript>
                <p class="hint">"The run goes on when you leave this page."</p>
            })}
            {(!running).then(|| figures(&run))}
            {facts(&run)}
            {(!run.skipped_by.is_empty()).then(|| skipped(&run))}
            {(!run.tables.is_empty()).then(|| tables(&run))}
            <h2 id="people">"People"</h2>
            {people(run.id, &asked, members, false)}
        </Frame>
    }
}

/// What happened, in a sentence that hides nothing.
fn lead(run: &Run) -> String {
    let users = |count| counted(count, "user", "users");
    match run.state {
        RunState::Running => {
            format!("{} to anonymise. What is counted is done for good.", users(run.previewed))
        }
        _ => format!(
            "{} anonymised, {} skipped, {} failed, of {} in the preview.",
            users(run.done),
            grouped(run.skipped),
            grouped(run.failed),
            grouped(run.previewed)
        ),
    }
}

fn figures(run: &Run) -> impl IntoView + use<> {
    let figure = |words: &'static str, count: i64| {
        view! { <div><dt>{words}</dt><dd>{grouped(count)}</dd></div> }
    };
    view! {
        <dl class="figures">
            {figure("anonymised", run.done)}
            {figure("skipped", run.skipped)}
            {figure("failed", run.failed)}
            {figure("in the preview", run.previewed)}
        </dl>
    }
}

fn facts(run: &Run) -> impl IntoView + use<> {
    let preview =
        run.preview.map(|id| view! { <a href=format!("/runs/{id}")>"Preview "{id.to_string()}</a> });
    let task = match &run.task {
        Some((id, words)) => view! { <a href=format!("/tasks/{id}")>{words.clone()}</a> }.into_any(),
        None => ().into_any(),
    };
    let selection = match run.kind {
        policy::RunKind::Single => "One user, from the record: conditions and scope do not count.".to_owned(),
        _ => sentence::selection(&run.policy.conditions, run.policy.scope),
    };
    view! {
        <dl class="facts">
            <dt>"State"</dt><dd>{state_tag(run.state)}</dd>
            <dt>"Task"</dt><dd>{task}</dd>
            <dt>"Preview"</dt><dd>{preview}</dd>
            <dt>"Who"</dt><dd>{selection}</dd>
            <dt>"Day of the verdicts"</dt><dd><Day date=run.today /></dd>
            <dt>"Started"</dt><dd><Moment at=run.created_at /></dd>
            <dt>"Ended"</dt><dd><Moment at=run.finished_at /></dd>
            <dt>"Version of the rules"</dt><dd>{run.rules_version}</dd>
        </dl>
    }
}

fn skipped(run: &Run) -> impl IntoView + use<> {
    let rows = run
        .skipped_by
        .iter()
        .map(|(reason, count)| {
            view! { <tr><th scope="row">{reason.words()}</th><td class="number">{grouped(*count)}</td></tr> }
        })
        .collect_view();
    view! {
        <h2>"Skipped, by reason"</h2>
        <div class="scroll" role="region" aria-label="Skipped people by reason" tabindex="0">
            <table>
                <caption class="hidden">"Skipped people by reason"</caption>
                <thead><tr><th scope="col">"Reason"</th><th scope="col" class="number">"Users"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

fn tables(run: &Run) -> impl IntoView + use<> {
    let rows = run
        .tables
        .iter()
        .map(|(name, count)| {
            let words = register::table(name).map_or_else(|| name.clone(), |table| table.words.to_owned());
            view! { <tr><th scope="row">{words}</th><td class="number">{grouped(*count)}</td></tr> }
        })
        .collect_view();
    view! {
        <h2>"Rows changed, by table"</h2>
        <div class="scroll" role="region" aria-label="Rows changed by table" tabindex="0">
            <table>
                <caption class="hidden">"Rows changed or deleted, by table"</caption>
                <thead><tr><th scope="col">"Table"</th><th scope="col" class="number">"Rows"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}
