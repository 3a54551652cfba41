//! The preview of an announcement: which users would get an e-mail, its text, and the form that starts the run.

use super::discard::{DiscardPreview, discard_form};
use super::exclusion::Exclusions;
use super::members::{MemberPage, MemberSearch, member_section};
use super::preview::{PreviewStatus, back_to_task, bar, reasons, unusable};
use super::start::{StartTexts, start_form};
use super::{PLACE, crumbs};
use crate::components::{Count, Notice, PageLayout, ProblemSummary, Timestamp};
use crate::form::error_for;
use crate::pages::approvals::second_person::SecondPerson;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::numbers::{counted, grouped};
use policy::{Reason, VerdictKind};
use task_centre::run::Run;

/// What the page shows beside the preview itself.
pub(super) struct Surroundings {
    pub(super) status: PreviewStatus,
    pub(super) second: Option<SecondPerson>,
    /// Subject and text, with filled placeholders.
    pub(super) example: [String; 2],
    /// Why the installation can't send announcements.
    pub(super) cannot_send: Option<&'static str>,
}

pub(super) fn page(
    run: Run,
    sentence: String,
    around: Surroundings,
    search: MemberSearch,
    members: MemberPage,
) -> impl IntoView + use<> {
    let Surroundings { status, second, example: [subject, text], cannot_send } = around;
    let PreviewStatus { why_not, newer, is_current } = status;
    let ready = why_not.is_none() && second.as_ref().is_none_or(SecondPerson::is_ready);
    // The reason why the preview can't be run says the same.
    let cannot_send = cannot_send.filter(|_| why_not.as_deref() != cannot_send);
    let actions = back_to_task(&run).into_iter().collect();
    let exclusions = Exclusions::new(run.id, is_current);
    view! {
        <PageLayout title=format!("Preview {}", run.id) crumbs=crumbs(run.task.as_ref()) actions
            lead="Shows which users would get an e-mail, and why. A preview sends nothing.">
            <ProblemSummary error=error_for(DiscardPreview::PATH) />
            {cannot_send.map(|why| view! { <Notice kind="warning"><p>{why}"."</p></Notice> })}
            {unusable(&run, why_not, newer)}
            {headline(&run)}
            <div class="sentence"><p>{sentence}</p></div>
            {bar(&run, &search)}
            {reasons(&run)}
            <section aria-labelledby="example">
                <h2 id="example">"E-mail"</h2>
                <dl class="facts">
                    <dt>"Subject"</dt><dd>{subject}</dd>
                    <dt>"Text"</dt><dd><span class="lines">{text}</span></dd>
                </dl>
            </section>
            <p class="hint">"Created " <Timestamp at=run.created_at /> "."</p>
            {second.map(SecondPerson::view)}
            {ready.then(|| confirm(&run))}
            {is_current.then(|| discard_form(run.id))}
            <h2 id="people">"Users"</h2>
            {member_section(run.id, &search, members, Some(exclusions))}
        </PageLayout>
    }
}

/// Renders the number of users that get an e-mail, and of due users that get none.
fn headline(run: &Run) -> impl IntoView + use<> {
    let of = |wanted: Reason| {
        run.verdicts.iter().filter(|(reason, _)| *reason == wanted).map(|(_, count)| count).sum::<i64>()
    };
    let blocked: i64 = run
        .verdicts
        .iter()
        .filter(|(reason, _)| reason.verdict() == VerdictKind::Blocked)
        .map(|(_, count)| count)
        .sum();
    let id = run.id;
    let line = |count: i64, what: &'static str, filter: String| {
        (count > 0).then(|| {
            let href = format!("/runs/{id}?{filter}{PLACE}");
            view! { <li><a href=href>{counted(count, "user", "users")}</a> {what}</li> }
        })
    };
    let by_reason = |reason: Reason| format!("reason={}", reason.code());
    view! {
        <p class="headline"><Count of=run.previewed />" of " {counted(run.users, "user", "users")} " will get an e-mail"</p>
        <ul>
            {line(
                of(Reason::WithoutEmail),
                " without a usable e-mail address. Print letters for them from the task that anonymises.",
                by_reason(Reason::WithoutEmail),
            )}
            {line(of(Reason::AlreadyAnnounced), " announced already.", by_reason(Reason::AlreadyAnnounced))}
            {line(
                blocked,
                " due, but blocked. They are announced when nothing blocks them any more.",
                format!("verdict={}", VerdictKind::Blocked.code()),
            )}
            {line(
                run.excluded,
                " excluded by staff. A run that leaves out users does not confirm the settings of the task.",
                by_reason(Reason::ExcludedByStaff),
            )}
        </ul>
    }
}

/// Renders the form that starts the run after the number of users is typed.
fn confirm(run: &Run) -> impl IntoView + use<> {
    let people = counted(run.previewed, "user", "users");
    let texts = StartTexts {
        heading: "Send now",
        not_done: "No e-mail has been sent.",
        button: format!("Send e-mail to {people}"),
    };
    let consequence = view! {
        <p>
            <b>{grouped(run.previewed)}</b> " e-mails will be sent. Each user is assessed again immediately before. \
             This also confirms the settings of the task: from then on it can run on its schedule. "
            <b>"A sent e-mail cannot be taken back."</b>
        </p>
    };
    start_form(run, texts, consequence.into_any())
}
