//! The page of a run that announces anonymising: its progress, its result, bounces and answers.

use super::members::{MemberPage, MemberSearch, member_section};
use super::result::{left_out, skipped};
use super::run_parts::{self, figure};
use super::{crumbs, state_tag};
use crate::components::{Day, Notice, PageLayout, task_link, user_address};
use leptos::prelude::*;
use policy::announcement::failure_label;
use policy::notification::DeliveryProblem;
use policy::numbers::counted;
use policy::{RunState, SafetyLimits};
use task_centre::announcement::Answers;
use task_centre::run::Run;

pub(super) fn page(
    run: Run,
    (sentence, safety_limits): (String, SafetyLimits),
    answers: Answers,
    search: MemberSearch,
    members: MemberPage,
) -> impl IntoView + use<> {
    let ended = run.state.is_final();
    view! {
        <PageLayout title=format!("{} {}", run.kind.label(), run.id) crumbs=crumbs(run.task.as_ref()) lead=lead(&run)>
            <div data-live="run">
                {(!ended).then(|| under_way(&run, &search))}
                {stopped(&run, safety_limits)}
                {bounced(&answers)}
                {ended.then(|| figures(&run, &answers))}
                {facts(&run, sentence)}
                {(!run.skipped_by.is_empty()).then(|| skipped(&run))}
                {(!run.failed_by.is_empty()).then(|| failed(&run))}
            </div>
            <h2 id="people">"Users"</h2>
            {member_section(run.id, &search, members, None)}
        </PageLayout>
    }
}

/// Summarises the result in one sentence.
fn lead(run: &Run) -> String {
    match run.state {
        RunState::Queued => "Waiting for another run to end.".to_owned(),
        state if state.is_under_way() => {
            format!(
                "{} to announce. A sent e-mail cannot be taken back.",
                counted(run.previewed, "user", "users")
            )
        }
        _ => run_parts::outcomes(run, "announced"),
    }
}

/// Renders the progress and the button that cancels the run.
fn under_way(run: &Run, search: &MemberSearch) -> impl IntoView + use<> {
    let consequence = "The run stops before the next e-mails. A cancelled run does not confirm the settings of its task. \
                       To announce the other users, create a new preview.";
    run_parts::under_way(run, search.address(run.id), consequence.to_owned())
}

/// Renders why a run ended early, and what to do. None if it did not.
fn stopped(run: &Run, safety_limits: SafetyLimits) -> Option<AnyView> {
    let preview = run.preview.map(|id| format!("/runs/{id}")).unwrap_or_default();
    match (run.state, run.safety_limit) {
        (RunState::StoppedByLimit, Some(limit)) => Some(
            view! {
                <Notice kind="warning">
                    <p><b>"No e-mail was sent. "</b>{limit.label(safety_limits)}"."</p>
                    <p>
                        <a href=preview>"Open the preview"</a>
                        " to confirm the number of users and start the run. A preview can be used only on the day it \
                         was created; after that, create a new one."
                    </p>
                </Notice>
            }
            .into_any(),
        ),
        (RunState::Missed, _) => Some(run_parts::missed("No e-mail was sent.")),
        (RunState::Failed, _) if !run.errors.is_empty() => {
            let why = run.errors.iter().map(|code| cause(code)).collect::<Vec<_>>().join(" ");
            Some(view! { <Notice kind="danger"><p><b>"The run was not completed. "</b>{why}</p></Notice> }.into_any())
        }
        _ => None,
    }
}

/// Returns why a run failed, and what to do.
fn cause(code: &str) -> String {
    if code == "mail_not_configured" {
        return "E-mail is not configured: set LETHE_SMTP_HOST, LETHE_MAIL_FROM and LETHE_PUBLIC_URL."
            .to_owned();
    }
    match DeliveryProblem::from_code(code) {
        Some(problem) => format!("{}. The next run tries again.", problem.label()),
        None => format!("Tell the administrator (code: {code})."),
    }
}

/// Renders the users whose e-mail bounced, with links to their records.
fn bounced(answers: &Answers) -> Option<impl IntoView + use<>> {
    let (count, listed) = (answers.bounces, answers.bounced.len());
    (count > 0).then(|| {
        let users: Vec<_> = answers
            .bounced
            .iter()
            .map(|number| {
                view! { <li><a href=user_address(*number)>"User "{number.to_string()}</a></li> }
            })
            .collect();
        let more = i64::try_from(listed).is_ok_and(|listed| listed < count);
        view! {
            <Notice kind="warning">
                <p>
                    <b>{counted(count, "e-mail", "e-mails")} " bounced. "</b>
                    "Print letters for these users: they do not know that they will be anonymised."
                </p>
                <ul>{users} {more.then(|| view! { <li>"…"</li> })}</ul>
            </Notice>
        }
    })
}

fn figures(run: &Run, answers: &Answers) -> impl IntoView + use<> {
    view! {
        <dl class="figures">
            {run_parts::figures_of_users(run, "announced")}
            {figure("kept by answer", answers.kept_by_answer)}
            {figure("kept by activity", answers.kept_by_activity)}
        </dl>
    }
}

fn facts(run: &Run, sentence: String) -> impl IntoView + use<> {
    view! {
        <dl class="facts">
            <dt>"State"</dt><dd>{state_tag(run.state, 0)}</dd>
            <dt>"Task"</dt><dd>{run.task.as_ref().map(task_link)}</dd>
            <dt>"Preview"</dt><dd>{run_parts::preview_link(run)}</dd>
            <dt>"Users"</dt><dd>{sentence}{left_out(run)}</dd>
            <dt>"Assessed on"</dt><dd><Day date=run.today /></dd>
            {run_parts::times(run)}
        </dl>
    }
}

/// Renders the numbers of users who got no e-mail.
fn failed(run: &Run) -> impl IntoView + use<> {
    let id = run.id;
    let lines = run.failed_by.iter().map(|(code, count)| {
        view! { <li>{counted(*count, "user", "users")} ": " {failure_label(code)}</li> }
    });
    view! {
        <h2>"Failed"</h2>
        <ul>{lines.collect_view()}</ul>
        <p><a href=format!("/runs/{id}?outcome=failed#people")>"Show failed users"</a></p>
    }
}
