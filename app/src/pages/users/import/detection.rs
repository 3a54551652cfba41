//! The detected properties of an uploaded file, with its first rows.

use super::options::options_form;
use crate::components::{Column, DataTable, Notice};
use leptos::prelude::*;
use transfer::detection::Detection;
use transfer::import_history::Import;
use transfer::{Detected, TransferError};

/// Shows what was detected, or why the file can't be read.
pub(super) fn detection(
    import: &Import,
    found: Result<Detection, TransferError>,
    here: &str,
) -> impl IntoView + use<> {
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            return view! { <Notice kind="danger"><p>{error.to_string()}</p></Notice> }.into_any();
        }
    };
    let can_be_checked = found.problems.is_empty() || found.is_ambiguous();
    let problems = found
        .problems
        .iter()
        .map(ToString::to_string)
        .map(|problem| view! { <Notice kind="danger"><p>{problem}</p></Notice> })
        .collect_view();
    let has_dates = found.detected.columns.iter().any(|column| column.dates.is_some());
    let dates = has_dates.then(|| found.is_ambiguous());
    view! {
        <h2 id="detected">"What was detected"</h2>
        {problems}
        {properties(
            found.detected.encoding.clone(),
            found.detected.delimiter,
            found.detected.header_line,
            &found.detected.ignored,
        )}
        {can_be_checked.then(|| options_form(import, dates, here))}
        {columns(&found.detected)}
        {(!found.detected.rows.is_empty()).then(|| {
            let names = found.detected.columns.iter().map(|column| column.name.clone());
            first_rows(names.collect(), &found.detected.rows)
        })}
    }
    .into_any()
}

/// Renders the properties of a file.
pub(super) fn properties(
    encoding: String,
    delimiter: Option<char>,
    header_line: Option<u64>,
    ignored: &[String],
) -> impl IntoView + use<> {
    let delimiter = delimiter.map(|delimiter| match delimiter {
        ',' => "Comma",
        ';' => "Semicolon",
        '\t' => "Tab",
        _ => "Vertical bar",
    });
    let ignored = (!ignored.is_empty()).then(|| ignored.join(", "));
    view! {
        <dl class="facts">
            <dt>"Encoding"</dt>
            <dd>{encoding}</dd>
            {delimiter.map(|delimiter| view! { <dt>"Delimiter"</dt> <dd>{delimiter}</dd> })}
            {header_line.map(|line| view! {
                <dt>"Line with the names of the columns"</dt> <dd>{line.to_string()}</dd>
            })}
            {ignored.map(|ignored| view! { <dt>"Ignored columns"</dt> <dd>{ignored}</dd> })}
        </dl>
    }
}

fn columns(detected: &Detected) -> impl IntoView + use<> {
    let rows = detected
        .columns
        .iter()
        .map(|column| {
            let dates = match column.dates {
                Some(_) if column.is_ambiguous => "two meanings",
                Some(format) => format.label(),
                None => "",
            };
            view! {
                <tr>
                    <th scope="row">{column.name.clone()}</th>
                    <td><code>{column.target.clone()}</code></td>
                    <td>{dates}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <DataTable label="Columns" caption="Columns of the file, and the fields that they fill" shows_caption=true
            columns=vec![Column::text("Column"), Column::text("Field"), Column::text("Dates")]>
            {rows}
        </DataTable>
    }
}

/// Renders the first rows of a file, under the names of its columns.
pub(super) fn first_rows(names: Vec<String>, rows: &[Vec<String>]) -> impl IntoView + use<> {
    let columns = names.into_iter().map(Column::text).collect();
    let rows = rows
        .iter()
        .map(|row| {
            let cells = row.iter().map(|cell| view! { <td>{cell.clone()}</td> }).collect_view();
            view! { <tr>{cells}</tr> }
        })
        .collect_view();
    view! {
        <DataTable label="First rows" caption="The first ten rows of the file" shows_caption=true columns>
            {rows}
        </DataTable>
    }
}
