//! What was detected about an uploaded file, with its first rows.

use super::actions::ChooseImportDates;
use crate::components::{Column, DataTable, FieldProblem, Notice};
use crate::error::field_errors;
use crate::form::{self, action, error_for};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::import_profile::DateFormat;
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
    let dates = has_dates.then(|| dates_form(import, found.is_ambiguous(), here));
    view! {
        <h2 id="detected">"What was detected"</h2>
        {problems}
        {properties(&found.detected)}
        {dates}
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

/// The form that chooses the format of the dates.
fn dates_form(import: &Import, is_ambiguous: bool, here: &str) -> impl IntoView + use<> {
    let chosen = import.profile.dates;
    let options = DateFormat::ALL
        .map(|format| {
            let label = match format {
                DateFormat::Detect => "Detect".to_owned(),
                format => format!("{}: {}", format.label(), format.example()),
            };
            view! { <option value=format.code() selected=format == chosen>{label}</option> }
        })
        .collect_view();
    let error = error_for(ChooseImportDates::PATH);
    let errors = field_errors(error.as_ref());
    let hint = if is_ambiguous {
        "The dates of the file have two meanings: 03/04/2018 is 3 April or 4 March. Choose what the other system writes."
    } else {
        "Choose a format if the dates below are wrong."
    };
    view! {
        <form class="stacked" method="post" action=action(ChooseImportDates::PATH, here)>
            <form::Token />
            <input type="hidden" name="form[import]" value=import.id.to_string() />
            <div class="field">
                <label for="dates">"Date format"</label>
                <select id="dates" name="form[dates]" aria-describedby="dates-hint">{options}</select>
                <p class="hint" id="dates-hint">{hint}</p>
                <FieldProblem field="dates" errors />
            </div>
            <button type="submit">"Choose date format"</button>
        </form>
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
