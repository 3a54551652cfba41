//! A preview: which users would be anonymised and why, and the form that starts the run.

use super::comparison::{comparison, warning};
use super::discard::{DiscardPreview, discard_form};
use super::exclusion::Exclusions;
use super::members::{MemberPage, MemberSearch, member_section};
use super::start::{StartTexts, start_form};
use super::{PLACE, crumbs};
use crate::components::{
    Column, Count, DataTable, PageAction, PageLayout, PrintHeader, ProblemSummary, Timestamp,
};
use crate::form::error_for;
use crate::pages::approvals::second_person::SecondPerson;
use crate::state::actor;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::numbers::{counted, grouped, percent};
use policy::{Reason, RunId, SafetyLimits, VerdictKind, summary};
use task_centre::run::{Comparison, Run};

/// The width of the bar of verdicts, in its own units.
const WIDTH: i64 = 1000;
/// The width of the bar of a reason, in its own units.
const REASON_WIDTH: i64 = 100;

/// Whether a preview can still be used.
pub(super) struct PreviewStatus {
    /// Why the preview cannot be run.
    pub(super) why_not: Option<String>,
    /// The newest preview of the task, if it is newer.
    pub(super) newer: Option<RunId>,
    /// Whether users can be excluded: the preview is of today, unused and the newest.
    pub(super) is_current: bool,
}

/// The content of a page beside the preview itself.
pub(super) struct Surroundings {
    pub(super) status: PreviewStatus,
    pub(super) compared: Comparison,
    pub(super) safety_limits: SafetyLimits,
    pub(super) second: Option<SecondPerson>,
}

pub(super) fn page(
    run: Run,
    around: Surroundings,
    search: MemberSearch,
    members: MemberPage,
) -> impl IntoView {
    let Surroundings { status, compared, safety_limits, second } = around;
    let PreviewStatus { why_not, newer, is_current } = status;
    let ready = why_not.is_none() && second.as_ref().is_none_or(SecondPerson::is_ready);
    let task = run.task.clone();
    let crumbs = crumbs(task.as_ref());
    // A preview that can't be run any more announces nothing, and warns of nothing.
    let announces = is_current && run.previewed > 0;
    let back = back_to_task(&run);
    let letters = back.as_ref().filter(|_| announces).map(|_| {
        let href = format!("/runs/{}/letters", run.id);
        PageAction::Link { label: "Print letters".to_owned(), href }
    });
    let actions = back.into_iter().chain(letters).collect();
    let policy = run.settings.policy();
    let selection = policy.map(|policy| summary::selection(&policy.conditions, policy.scope));
    let title = format!("Preview {}", run.id);
    let exclusions = Exclusions::new(run.id, is_current);
    view! {
        <PrintHeader run=run.id />
        <PageLayout title lead="Shows which users would be anonymised, and why. A preview changes no users." crumbs actions>
            <ProblemSummary error=error_for(DiscardPreview::PATH) />
            {unusable(&run, why_not.clone(), newer)}
            {headline(&run)}
            {announces.then(|| warning(&compared, safety_limits))}
            <div class="sentence"><p>{selection}</p></div>
            {bar(&run, &search)}
            <div class="beside">
                <div>{reasons(&run)}</div>
                <div>{comparison(&run, compared.last)}</div>
            </div>
            <p class="hint">"Created " <Timestamp at=run.created_at /> ", using rules version " {run.rules_version}"."</p>
            {second.map(SecondPerson::view)}
            {ready.then(|| confirm(&run))}
            {is_current.then(|| discard_form(run.id))}
            <h2 id="people">"Users"</h2>
            {member_section(run.id, &search, members, Some(exclusions))}
        </PageLayout>
    }
}

/// Returns the link to the task, if the reader may see it.
pub(super) fn back_to_task(run: &Run) -> Option<PageAction> {
    let (id, _) = run.task.as_ref().filter(|(_, name)| name.is_shown_to(actor()))?;
    Some(PageAction::Link { label: "Back to task".to_owned(), href: format!("/tasks/{id}") })
}

/// Renders the number of users that a run would anonymise, and of those left out.
fn headline(run: &Run) -> impl IntoView + use<> {
    let of = match run.listed {
        Some(listed) => counted(listed, "listed user", "listed users"),
        None => counted(run.users, "user", "users"),
    };
    let share = percent(run.previewed, run.users);
    let excluded = (run.excluded > 0).then(|| {
        let href = format!("/runs/{}?reason={}{PLACE}", run.id, Reason::ExcludedByStaff.code());
        view! {
            <p>
                "Staff excluded " <a href=href>{counted(run.excluded, "eligible user", "eligible users")}</a>
                ". A run that leaves out users does not confirm the settings of the task."
            </p>
        }
    });
    let listed = run.listed.map(|_| {
        view! {
            <p>
                "This preview is for listed users only. Its run does not confirm the settings of the task. Filter the \
                 users below by verdict to see why the others are not eligible."
            </p>
        }
    });
    view! {
        <p class="headline"><Count of=run.previewed />" of " {of} " will be anonymised ("{share}")"</p>
        {excluded}
        {listed}
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
pub(super) fn bar(run: &Run, search: &MemberSearch) -> impl IntoView + use<> {
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
                    <a href=format!("/runs/{id}?verdict={}{PLACE}", kind.code()) aria-label=label>
                        <title>{title}</title>
                        <rect class=format!("fill-{}", kind.code()) x=x y="0" width=width height="28"></rect>
                    </a>
                }
            })
        })
        .collect_view();
    let numbers = VerdictKind::ALL.map(|kind| format!("{} {}", kind.label(), grouped(total(run, kind))));
    let description = format!("A bar of {}: {}.", counted(run.users, "user", "users"), numbers.join(", "));
    let legend = VerdictKind::ALL.map(|kind| {
        let current = (search.query.verdict == Some(kind)).then_some("true");
        view! {
            <li>
                <a href=format!("/runs/{id}?verdict={}{PLACE}", kind.code()) aria-current=current>
                    <i class=format!("fill-{}", kind.code())></i>
                    {kind.label()}" "{grouped(total(run, kind))}
                </a>
            </li>
        }
    });
    view! {
        <svg class="verdicts" viewBox=format!("0 0 {begins} 28") preserveAspectRatio="none" role="group"
            aria-label="Users by verdict" aria-describedby="verdicts-about">
            <desc id="verdicts-about">{description}</desc>
            {parts}
        </svg>
        <ul class="legend">{legend}</ul>
    }
}

/// Renders the number of users by verdict and reason, which add up to all users.
pub(super) fn reasons(run: &Run) -> impl IntoView + use<> {
    let id = run.id;
    let most = run.verdicts.iter().map(|(_, count)| *count).max().unwrap_or_default().max(1);
    let rows = run
        .verdicts
        .iter()
        .map(|&(reason, count)| {
            view! {
                <tr>
                    <td>{reason.verdict().label()}</td>
                    <th scope="row">
                        <a href=format!("/runs/{id}?reason={}{PLACE}", reason.code())>{reason.label()}</a>
                    </th>
                    <td class="number">{grouped(count)}</td>
                    <td class="share">{share_bar(reason, count, most)}</td>
                </tr>
            }
        })
        .collect_view();
    let sum: i64 = run.verdicts.iter().map(|(_, count)| count).sum();
    let all = if run.listed.is_some() { "All listed users" } else { "All users" };
    let footer = view! {
        <tr><td></td><th scope="row">{all}</th><td class="number">{grouped(sum)}</td><td></td></tr>
    };
    view! {
        <details class="more" open>
            <summary>"Users by verdict and reason"</summary>
            <DataTable label="Users by verdict and reason" caption="Users by verdict and reason" footer=footer.into_any()
                columns=vec![
                    Column::text("Verdict"), Column::text("Reason"), Column::number("Users"),
                    Column::hidden("Compared with the other reasons"),
                ]>
                {rows}
            </DataTable>
        </details>
    }
}

/// Renders the bar of a reason. The number beside it is its text alternative.
fn share_bar(reason: Reason, count: i64, most: i64) -> impl IntoView {
    let width = (count * REASON_WIDTH / most).max(i64::from(count > 0));
    view! {
        <svg viewBox=format!("0 0 {REASON_WIDTH} 10") preserveAspectRatio="none" aria-hidden="true">
            <rect class=format!("fill-{}", reason.verdict().code()) x="0" y="0" width=width height="10"></rect>
        </svg>
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
