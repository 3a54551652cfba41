//! What an import did, or would do.

use crate::components::{Column, DataTable};
use leptos::prelude::*;
use policy::numbers::grouped;
use transfer::ImportSummary;
use transfer::import_history::ReportLine;

/// Renders the numbers of lines. They add up to the lines of the file.
pub(super) fn counts(summary: &ImportSummary) -> impl IntoView + use<> {
    let number = |count: u64| grouped(i64::try_from(count).unwrap_or(i64::MAX));
    let figures = [
        ("lines read", summary.lines),
        ("new", summary.created),
        ("changed", summary.changed),
        ("unchanged", summary.unchanged),
        ("held", summary.suppressed),
        ("skipped", summary.skipped + summary.staff + summary.held + summary.suppressed_ignored),
        ("rejected", summary.rejected),
    ]
    .map(|(label, count)| view! { <div><dt>{label}</dt><dd>{number(count)}</dd></div> })
    .collect_view();
    let decide = (summary.suppressed > 0).then(|| {
        view! {
            <p>
                "Lines are held because an anonymised user had their keys: "
                <a href="/users/held-lines">"decide about held lines"</a> "."
            </p>
        }
    });
    view! { <dl class="figures">{figures}</dl> {decide} }
}

/// Renders the lines that were rejected, held or skipped, or have a note.
pub(super) fn report_table(lines: Vec<ReportLine>) -> impl IntoView {
    let rows = lines
        .into_iter()
        .map(|line| {
            view! {
                <tr>
                    <th scope="row" class="number">{grouped(i64::try_from(line.line).unwrap_or(i64::MAX))}</th>
                    <td>{line.outcome.label()}</td>
                    <td>{line.column}</td>
                    <td>{line.message}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <DataTable label="Lines" caption="Lines that were rejected, held or skipped, or have a note"
            columns=vec![
                Column::number("Line"), Column::text("Result"), Column::text("Column"), Column::text("Message"),
            ]>
            {rows}
        </DataTable>
    }
}
