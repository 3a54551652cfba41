//! The page of a run that announces anonymising: its progress, its result, bounces and answers.

use super::cancel::CancelRun;
use super::members::{MemberPage, MemberSearch, member_section};
use super::result::{left_out, skipped};
use super::{crumbs, state_tag};
use crate::components::{
    AskFirst, Day, Notice, PageLayout, ProblemSummary, Timestamp, task_link, user_address,
};
use crate::form::error_for;
use crate::islands::{Progress, RunProgress};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::announcement::failure_label;
use policy::notification::DeliveryProblem;
use policy::numbers::{counted, grouped};
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
        _ => {
            let not_reached = match run.not_reached() {
                0 => String::new(),
                count => format!(", {} not reached", grouped(count)),
            };
            format!(
                "{} announced, {} skipped, {} failed{not_reached}, of {} in the preview.",
                counted(run.done, "user", "users"),
                grouped(run.skipped),
                grouped(run.failed),
                grouped(run.previewed)
            )
        }
    }
}

/// Renders the progress and the button that cancels the run.
fn under_way(run: &Run, search: &MemberSearch) -> impl IntoView + use<> {
    let here = format!("/runs/{}", run.id);
    let list = search.address(run.id);
    let cancel = run.can_cancel.then(|| {
        let values = vec![("run", run.id.to_string())];
        let label = format!("Cancel run {}", run.id);
        let consequence =
            "The run stops before the next e-mails. A cancelled run does not confirm the settings of \
                           its task. To announce the other users, create a new preview."
                .to_owned();
        view! { <AskFirst function=CancelRun::PATH page=here values label consequence /> }
    });
    view! {
        <ProblemSummary error=error_for(CancelRun::PATH) />
        <RunProgress run=run.id.0 here=list progress=Progress::from_run(run)>{cancel}</RunProgress>
        <p class="hint">"The run continues if you leave this page."</p>
    }
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
        (RunState::Missed, _) => Some(
            view! {
                <Notice kind="warning">
                    <p>
                        "This run could not start when it was due, and its task is set to skip missed runs. No e-mail \
                         was sent."
                    </p>
                </Notice>
            }
            .into_any(),
        ),
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
                    "Correct the addresses, or send letters: these users do not know that they will be anonymised."
                </p>
                <ul>{users} {more.then(|| view! { <li>"…"</li> })}</ul>
            </Notice>
        }
    })
}

fn figures(run: &Run, answers: &Answers) -> impl IntoView + use<> {
    let figure = |label: &'static str, count: i64| {
        view! { <div><dt>{label}</dt><dd>{grouped(count)}</dd></div> }
    };
    view! {
        <dl class="figures">
            {figure("announced", run.done)}
            {figure("skipped", run.skipped)}
            {figure("failed", run.failed)}
            {(run.not_reached() > 0).then(|| figure("not reached", run.not_reached()))}
            {figure("in the preview", run.previewed)}
            {figure("kept by answer", answers.kept_by_answer)}
            {figure("kept by activity", answers.kept_by_activity)}
        </dl>
    }
}

fn facts(run: &Run, sentence: String) -> impl IntoView + use<> {
    let preview =
        run.preview.map(|id| view! { <a href=format!("/runs/{id}")>"Preview "{id.to_string()}</a> });
    view! {
        <dl class="facts">
            <dt>"State"</dt><dd>{state_tag(run.state, 0)}</dd>
            <dt>"Task"</dt><dd>{run.task.as_ref().map(task_link)}</dd>
            <dt>"Preview"</dt><dd>{preview}</dd>
            <dt>"Users"</dt><dd>{sentence}{left_out(run)}</dd>
            <dt>"Assessed on"</dt><dd><Day date=run.today /></dd>
            <dt>"Started"</dt><dd><Timestamp at=run.created_at /></dd>
            <dt>"Ended"</dt><dd><Timestamp at=run.finished_at /></dd>
            {run.due_at.map(|at| view! { <dt>"Due"</dt><dd><Timestamp at /></dd> })}
            {(run.interruptions > 0).then(|| {
                let times = counted(run.interruptions.into(), "time", "times");
                view! { <dt>"Interrupted and resumed"</dt><dd>{times}</dd> }
            })}
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
