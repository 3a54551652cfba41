//! What was detected about an uploaded file, with its first rows.

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
        {properties(&found.detected)}
        {options_form(import, dates, here)}
        {columns(&found.detected)}
        {(!found.detected.rows.is_empty()).then(|| rows(&found.detected))}
    }
    .into_any()
}

fn properties(detected: &Detected) -> impl IntoView + use<> {
    let delimiter = detected.delimiter.map(|delimiter| match delimiter {
        ',' => "Comma",
        ';' => "Semicolon",
        '\t' => "Tab",
        _ => "Vertical bar",
    });
    let ignored = (!detected.ignored.is_empty()).then(|| detected.ignored.join(", "));
    view! {
        <dl class="facts">
            <dt>"Encoding"</dt>
            <dd>{detected.encoding.clone()}</dd>
            {delimiter.map(|delimiter| view! { <dt>"Delimiter"</dt> <dd>{delimiter}</dd> })}
            {detected.header_line.map(|line| view! {
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
        <DataTable label="Columns" caption="Columns of the file, and the fields that they fill"
            columns=vec![Column::text("Column"), Column::text("Field"), Column::text("Dates")]>
            {rows}
        </DataTable>
    }
}

fn rows(detected: &Detected) -> impl IntoView + use<> {
    let columns = detected.columns.iter().map(|column| Column::text(column.name.clone())).collect();
    let rows = detected
        .rows
        .iter()
        .map(|row| {
            let cells = row.iter().map(|cell| view! { <td>{cell.clone()}</td> }).collect_view();
            view! { <tr>{cells}</tr> }
        })
        .collect_view();
    view! {
        <DataTable label="First rows" caption="The first ten rows of the file" columns>{rows}</DataTable>
    }
}
