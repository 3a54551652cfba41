//! The effect of an import, or of its check.

use crate::components::{Column, DataTable};
use leptos::prelude::*;
use policy::import_profile::field_label;
use policy::numbers::{counted, grouped};
use transfer::ImportSummary;
use transfer::import_history::ReportLine;

fn number(count: u64) -> String {
    grouped(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Renders the numbers of lines. They add up to the lines of the file.
pub(crate) fn counts(summary: &ImportSummary) -> impl IntoView + use<> {
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
                <a href="/users/held-lines">"review held lines"</a> "."
            </p>
        }
    });
    let absent = (summary.missing > 0).then(|| {
        let missing = i64::try_from(summary.missing).unwrap_or(i64::MAX);
        let date = if summary.dry_run {
            "would be set to today"
        } else {
            "was set to the day of the import"
        };
        let left = match summary.left {
            0 => "Their records stay as they are.".to_owned(),
            left if left == summary.missing => format!("Their leaving date {date}."),
            left => format!(
                "For {} of them, the leaving date {date}. The others are in the files of other tasks.",
                number(left)
            ),
        };
        view! {
            <p>
                "The file lacks " {counted(missing, "user", "users")} " of earlier files of this task. " {left}
            </p>
        }
    });
    view! { <dl class="figures">{figures}</dl> {absent} {decide} {changed_fields(summary)} }
}

/// Renders how many records each field changes in, most frequent first.
fn changed_fields(summary: &ImportSummary) -> Option<impl IntoView + use<>> {
    let mut fields: Vec<(String, u64)> =
        summary.fields.iter().map(|(field, count)| (field_label(field), *count)).collect();
    fields.sort_by(|(label, count), (other_label, other_count)| {
        other_count.cmp(count).then_with(|| label.cmp(other_label))
    });
    let rows: Vec<_> = fields
        .into_iter()
        .map(|(label, count)| {
            view! {
                <tr>
                    <th scope="row">{label}</th>
                    <td class="number">{number(count)}</td>
                </tr>
            }
        })
        .collect();
    (!rows.is_empty()).then(|| {
        view! {
            <DataTable label="Changed fields" caption="Changed fields, most frequent first" shows_caption=true
                columns=vec![Column::text("Field"), Column::number("Changes")]>
                {rows}
            </DataTable>
        }
    })
}

/// Renders the first lines that create or change a record. The table names fields, never values.
pub(crate) fn first_differences(lines: Vec<ReportLine>) -> Option<impl IntoView> {
    let rows: Vec<_> = lines
        .into_iter()
        .map(|line| {
            view! {
                <tr>
                    <th scope="row" class="number">{number(line.line)}</th>
                    <td>{line.outcome.label()}</td>
                    <td>{line.message}</td>
                </tr>
            }
        })
        .collect();
    (!rows.is_empty()).then(|| {
        view! {
            <DataTable label="First differences" caption="The first new and changed lines" shows_caption=true
                columns=vec![Column::number("Line"), Column::text("Result"), Column::text("Changed fields")]>
                {rows}
            </DataTable>
        }
    })
}

/// Renders the lines that were rejected, held or skipped, or have a note.
pub(crate) fn report_table(lines: Vec<ReportLine>) -> impl IntoView {
    let rows = lines
        .into_iter()
        .map(|line| {
            view! {
                <tr>
                    <th scope="row" class="number">{number(line.line)}</th>
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
