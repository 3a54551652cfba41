//! What an import did, or would do.

use crate::components::{Column, DataTable};
use leptos::prelude::*;
use policy::numbers::{counted, grouped};
use transfer::ImportSummary;
use transfer::import_history::ReportLine;

/// Renders the numbers of lines. They add up to the lines of the file.
pub(crate) fn counts(summary: &ImportSummary) -> impl IntoView + use<> {
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
    let absent = (summary.missing > 0).then(|| {
        let missing = i64::try_from(summary.missing).unwrap_or(i64::MAX);
        let left = match summary.left {
            0 => "Their records stay as they are.".to_owned(),
            _ if summary.dry_run => "Their leaving date would be set to today.".to_owned(),
            _ => "Their leaving date was set to the day of the import.".to_owned(),
        };
        view! { <p>"The file lacks " {counted(missing, "imported user", "imported users")} ". " {left}</p> }
    });
    view! { <dl class="figures">{figures}</dl> {absent} {decide} }
}

/// Renders the lines that were rejected, held or skipped, or have a note.
pub(crate) fn report_table(lines: Vec<ReportLine>) -> impl IntoView {
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
