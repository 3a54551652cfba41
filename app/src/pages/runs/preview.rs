//! A preview: which users would be anonymised and why, and the form that starts the run.

use super::crumbs;
use super::members::{MemberPage, MemberSearch, member_section};
use super::start::{StartTexts, start_form};
use crate::components::{Column, Count, DataTable, PageAction, PageLayout, PrintHeader, Timestamp};
use crate::state::actor;
use leptos::prelude::*;
use policy::numbers::{counted, grouped};
use policy::{Reason, RunId, VerdictKind, summary};
use task_centre::run::Run;

use crate::pages::approvals::second_person::SecondPerson;

/// The width of the bar of verdicts, in its own units.
const WIDTH: i64 = 1000;

/// Whether a preview can still be used.
pub(super) struct PreviewStatus {
    /// Why the preview cannot be used.
    pub(super) why_not: Option<String>,
    /// The newest preview of the task, if it is newer.
    pub(super) newer: Option<RunId>,
}

pub(super) fn page(
    run: Run,
    status: PreviewStatus,
    second: Option<SecondPerson>,
    search: MemberSearch,
    members: MemberPage,
) -> impl IntoView {
    let PreviewStatus { why_not, newer } = status;
    let ready = why_not.is_none() && second.as_ref().is_none_or(SecondPerson::is_ready);
    let task = run.task.clone();
    let crumbs = crumbs(task.as_ref());
    let letters = (run.previewed > 0).then(|| format!("/runs/{}/letters", run.id));
    let actions = task
        .iter()
        .filter(|(_, name)| name.is_shown_to(actor()))
        .flat_map(|(id, _)| {
            [
                Some(PageAction::Link { label: "Back to task".to_owned(), href: format!("/tasks/{id}") }),
                letters.clone().map(|href| PageAction::Link { label: "Print letters".to_owned(), href }),
            ]
        })
        .flatten()
        .collect();
    let policy = run.settings.policy();
    let selection = policy.map(|policy| summary::selection(&policy.conditions, policy.scope));
    let title = format!("Preview {}", run.id);
    view! {
        <PrintHeader run=run.id />
        <PageLayout title lead="Shows which users would be anonymised, and why. A preview changes no users." crumbs actions>
            {unusable(&run, why_not.clone(), newer)}
            <div class="sentence"><p>{selection}</p></div>
            <p class="headline"><Count of=run.previewed />" of " {counted(run.users, "user", "users")}
                " would be anonymised"</p>
            {bar(&run, &search)}
            {reasons(&run)}
            <p class="hint">"Created " <Timestamp at=run.created_at /> ", using rules version " {run.rules_version}"."</p>
            <h2 id="people">"Users"</h2>
            {member_section(run.id, &search, members, true)}
            {second.map(SecondPerson::view)}
            {ready.then(|| confirm(&run))}
        </PageLayout>
    }
}

/// Renders why a preview can't be used.
pub(super) fn unusable(
    run: &Run,
    why_not: Option<String>,
    newer: Option<RunId>,
) -> Option<impl IntoView + use<>> {
    let executed_by = run.executed_by;
    why_not.map(|why| {
        let done = executed_by.map(|by| view! { <a href=format!("/runs/{by}")>"Show run"</a> });
        let newer = newer
            .map(|id| view! { " " <a href=format!("/runs/{id}")>"Show the newest preview of this task"</a> });
        view! { <p class="notice warning">{why}". " {done} {newer}</p> }
    })
}

fn total(run: &Run, kind: VerdictKind) -> i64 {
    run.verdicts.iter().filter(|(reason, _)| reason.verdict() == kind).map(|(_, count)| count).sum()
}

/// Renders the verdicts as one bar. Each part links to a filter.
fn bar(run: &Run, search: &MemberSearch) -> impl IntoView + use<> {
    let id = run.id;
    let all = run.users.max(1);
    let mut begins = 0;
    let parts = VerdictKind::ALL
        .into_iter()
        .filter_map(|kind| {
            let count = total(run, kind);
            let width = (count * WIDTH / all).max(i64::from(count > 0) * 4);
            let x = begins;
            begins += width;
            (count > 0).then(|| {
                let label = format!("{}: {}", kind.label(), counted(count, "user", "users"));
                let title = label.clone();
                view! {
                    <a href=format!("/runs/{id}?verdict={}#people", kind.code()) aria-label=label>
                        <title>{title}</title>
                        <rect class=format!("fill-{}", kind.code()) x=x y="0" width=width height="28"></rect>
                    </a>
                }
            })
        })
        .collect_view();
    let legend = VerdictKind::ALL.map(|kind| {
        let current = (search.query.verdict == Some(kind)).then_some("true");
        view! {
            <li>
                <a href=format!("/runs/{id}?verdict={}#people", kind.code()) aria-current=current>
                    <i class=format!("fill-{}", kind.code())></i>
                    {kind.label()}" "{grouped(total(run, kind))}
                </a>
            </li>
        }
    });
    view! {
        <svg class="verdicts" viewBox=format!("0 0 {begins} 28") preserveAspectRatio="none" role="group"
            aria-label="Users by verdict">{parts}</svg>
        <ul class="legend">{legend}</ul>
    }
}

/// Renders the number of users by verdict and reason, which add up to all users.
fn reasons(run: &Run) -> impl IntoView + use<> {
    let id = run.id;
    let rows = run
        .verdicts
        .iter()
        .map(|&(reason, count)| {
            view! {
                <tr>
                    <td>{reason.verdict().label()}</td>
                    <th scope="row">
                        <a href=format!("/runs/{id}?reason={}#people", reason.code())>{reason.label()}</a>
                    </th>
                    <td class="number">{grouped(count)}</td>
                </tr>
            }
        })
        .collect_view();
    let sum: i64 = run.verdicts.iter().map(|(_, count)| count).sum();
    let footer = view! {
        <tr><td></td><th scope="row">"All users"</th><td class="number">{grouped(sum)}</td></tr>
    };
    view! {
        <details class="more" open>
            <summary>"Users by verdict and reason"</summary>
            <DataTable label="Users by verdict and reason" caption="Users by verdict and reason" footer=footer.into_any()
                columns=vec![Column::text("Verdict"), Column::text("Reason"), Column::number("Users")]>
                {rows}
            </DataTable>
        </details>
    }
}

/// Renders the form that starts the run after the number of users is typed.
fn confirm(run: &Run) -> impl IntoView + use<> {
    let people = counted(run.previewed, "user", "users");
    let texts = StartTexts {
        heading: "Run now",
        not_done: "No user has been anonymised.",
        button: format!("Anonymise {people}"),
    };
    let blocked: i64 = run
        .verdicts
        .iter()
        .filter(|(reason, _)| reason.verdict() == VerdictKind::Blocked && *reason != Reason::Eligible)
        .map(|(_, count)| count)
        .sum();
    let consequence = view! {
        <p>
            <b>{people}</b>
            " will be anonymised: UserID, names and e-mail are removed permanently, other fields as set \
             in the task. Loans, requests and statistics stay. " <b>"This cannot be undone."</b>
        </p>
        <p>
            "Only users in this preview are changed, and each is assessed again immediately before. "
            {(blocked > 0).then(|| format!(
                "{} blocked and will not be changed.",
                if blocked == 1 { "1 user is".to_owned() } else { format!("{} users are", grouped(blocked)) }
            ))}
        </p>
    };
    start_form(run, texts, consequence.into_any())
}
