//! The table of the users of a run or preview.

use super::exclusion::{Exclusions, IncludeUsers, tick};
use crate::components::{Column, DataTable, Day, PostButton, RecordDay};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::announcement::failure_label;
use policy::dates::{joined, shown};
use policy::{Blocker, Outcome, TaskType, VerdictKind};
use task_centre::run::Member;

/// A column by which the list can be sorted.
pub(super) struct Order {
    pub(super) label: &'static str,
    /// The list sorted by this column.
    pub(super) href: String,
    /// Whether the list is sorted by this column in descending order. `None` if it is sorted by another one.
    pub(super) direction: Option<bool>,
}

impl Order {
    fn column(self) -> Column {
        let direction = self.direction.map(|descending| if descending { "descending" } else { "ascending" });
        Column::sortable(self.label, self.href, direction)
    }
}

/// Renders the users. `orders` has the columns number, name, first day and verdict. Outcomes have no order.
pub(super) fn table(
    rows: Vec<Member>,
    orders: [Order; 4],
    exclusions: Option<Exclusions>,
    task_type: TaskType,
) -> impl IntoView + use<> {
    let (is_preview, can_exclude) =
        (exclusions.is_some(), exclusions.as_ref().is_some_and(|exclusions| exclusions.are_possible));
    let [number, name, first_day, verdict] = orders;
    let result = if is_preview { verdict.column() } else { Column::text("Outcome") };
    let caption = if is_preview { "Users with verdict and reason" } else { "Users with outcome and reason" };
    let mut columns = Vec::new();
    if can_exclude {
        columns.push(Column::hidden("Tick"));
    }
    columns.extend([
        number.column(),
        name.column(),
        Column::text("Leaving date"),
        Column::text("Last activity"),
        Column::text("Marked for deletion"),
        first_day.column(),
        result,
        Column::text("Reason"),
    ]);
    let rows = rows.into_iter().map(|member| row(member, exclusions.as_ref(), task_type)).collect_view();
    view! { <DataTable label="Users" caption=caption columns>{rows}</DataTable> }
}

fn row(member: Member, exclusions: Option<&Exclusions>, task_type: TaskType) -> impl IntoView + use<> {
    let number = member.number.to_string();
    let by_month = member.dates_by_month;
    let (tag, label) = if exclusions.is_some() { verdict(&member) } else { outcome(&member, task_type) };
    let changeable = exclusions.filter(|exclusions| exclusions.are_possible);
    let ticked = changeable.map(|exclusions| view! { <td>{tick(exclusions, &member)}</td> });
    let include = changeable.filter(|_| member.exclusion.is_some()).map(|exclusions| {
        let values = vec![("preview", exclusions.preview.to_string()), ("user", number.clone())];
        view! {
            " "
            <PostButton function=IncludeUsers::PATH page=exclusions.page.clone() values label="Include again"
                about=format!("user {number}") />
        }
    });
    let is_gone = member.reason.verdict() == VerdictKind::AlreadyAnonymised;
    let first_day = member.first_day.filter(|_| !is_gone && !by_month);
    view! {
        <tr>
            {ticked}
            <td class="number"><a href=format!("/users/{number}")>{number.clone()}</a></td>
            <th scope="row">{member.name}</th>
            <td><RecordDay date=member.leaving_on by_month /></td>
            <td><RecordDay date=member.last_activity_on by_month /></td>
            <td><RecordDay date=member.marked_on by_month /></td>
            <td><Day date=first_day /></td>
            <td>{tag}</td>
            <td>{label} {include}</td>
        </tr>
    }
}

/// Returns the class of a verdict's tag.
pub(super) const fn verdict_class(kind: VerdictKind) -> &'static str {
    match kind {
        VerdictKind::Eligible => "tag ready",
        VerdictKind::Blocked => "tag due",
        VerdictKind::NotYet | VerdictKind::Excluded => "tag quiet",
        VerdictKind::AlreadyAnonymised => "tag proven",
    }
}

fn verdict(member: &Member) -> (AnyView, String) {
    let kind = member.reason.verdict();
    let label = match (kind, member.first_day, &member.exclusion) {
        (_, _, Some(exclusion)) => {
            let by = exclusion.by.as_deref().unwrap_or("the command line");
            format!("excluded by {by}: {}", exclusion.reason.label())
        }
        (VerdictKind::Blocked, ..) => {
            let blockers: Vec<&str> = member.blockers.iter().map(Blocker::label).collect();
            joined(&blockers, "and")
        }
        (VerdictKind::NotYet, Some(day), _) if member.reason == policy::Reason::Waiting => {
            format!("eligible from {}", shown(day))
        }
        _ => member.reason.label().to_owned(),
    };
    (view! { <span class=verdict_class(kind)>{kind.label()}</span> }.into_any(), label)
}

fn outcome(member: &Member, task_type: TaskType) -> (AnyView, String) {
    let (class, outcome) = match member.outcome {
        Some(Outcome::Done) => ("tag proven", Outcome::Done.label_of(task_type)),
        Some(Outcome::Skipped) => ("tag quiet", Outcome::Skipped.label()),
        Some(Outcome::Failed) => ("tag bad", Outcome::Failed.label()),
        None => ("tag ready", "Remaining"),
    };
    let why = member.outcome_reason.map(|reason| reason.label().to_owned());
    let failed = member.failure.as_ref().map(|code| match task_type {
        TaskType::AnnounceAnonymising => failure_label(code),
        _ => format!("unchanged; code {code}"),
    });
    (view! { <span class=class>{outcome}</span> }.into_any(), why.or(failed).unwrap_or_default())
}
