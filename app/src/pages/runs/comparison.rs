//! The warnings of a preview, and its comparison with the last run.

use crate::components::{Column, DataTable, Timestamp};
use leptos::prelude::*;
use policy::SafetyLimits;
use policy::numbers::{grouped, percent, signed};
use policy::preview_warning::{WarningLevel, level, warnings};
use task_centre::run::{Comparison, LastRun, Run};

const fn class(level: WarningLevel) -> (&'static str, &'static str) {
    match level {
        WarningLevel::Calm => ("notice success", "tag proven"),
        WarningLevel::Notice => ("notice warning", "tag due"),
        WarningLevel::Serious => ("notice danger", "tag bad"),
    }
}

/// Renders the level of the warning and its reasons, in words and colour.
pub(super) fn warning(compared: &Comparison, safety_limits: SafetyLimits) -> impl IntoView + use<> {
    let found = warnings(&compared.facts);
    let level = level(&found);
    let (notice, tag) = class(level);
    let lines = found
        .into_iter()
        .map(|(_, warning)| view! { <li>{warning.label(safety_limits)}"."</li> })
        .collect_view();
    view! {
        <section class=format!("{notice} level") aria-label="Warning level">
            <p><span class=tag>{level.label()}</span></p>
            {(level > WarningLevel::Calm).then(|| view! { <ul>{lines}</ul> })}
        </section>
    }
}

/// Renders the comparison of a preview with the last complete run of its task.
pub(super) fn comparison(run: &Run, last: Option<LastRun>) -> impl IntoView + use<> {
    let Some(last) = last else {
        return view! { <p class="hint">"This task has not run for all users yet: there is nothing to compare with."</p> }
            .into_any();
    };
    if run.listed.is_some() {
        return view! {
            <p class="hint">"A preview of listed users is not compared with "
                <a href=format!("/runs/{}", last.id)>"the last run of the task"</a>"."</p>
        }
        .into_any();
    }
    let line = |label: &'static str, now: i64, then: i64| {
        view! {
            <tr>
                <th scope="row">{label}</th>
                <td class="number">{grouped(now)}</td>
                <td class="number">{grouped(then)}</td>
                <td class="number">{signed(now - then)}</td>
            </tr>
        }
    };
    let (share_now, share_then) = (percent(run.previewed, run.users), percent(last.previewed, last.users));
    let numbers = [("To be anonymised", run.previewed, last.previewed), ("All users", run.users, last.users)];
    let lines = numbers.map(|(label, now, then)| line(label, now, then));
    let share = view! {
        <tr>
            <th scope="row">"Share"</th>
            <td class="number">{share_now}</td>
            <td class="number">{share_then}</td>
            <td></td>
        </tr>
    };
    view! {
        <h2>"Compared with the last run"</h2>
        <DataTable label="Comparison with the last run" caption="Comparison with the last run"
            columns=vec![
                Column::text("Number"), Column::number("This time"), Column::number("Last time"),
                Column::number("Difference"),
            ]>
            {lines}
            {share}
        </DataTable>
        <p class="hint">
            "Last time: " <a href=format!("/runs/{}", last.id)>"run " {last.id.to_string()}</a> ", "
            <Timestamp at=last.created_at /> ", " {grouped(last.done)} " anonymised."
        </p>
    }
    .into_any()
}
