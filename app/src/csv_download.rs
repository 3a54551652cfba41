//! CSV and JSON files to download, and the answers if they cannot be created. Errors are plain text, because no page is open.

use crate::error::AppError;
use crate::state::AppState;
use axum::response::{IntoResponse, Response};
use db::RecordsError;
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};

/// Returns the answer with a CSV file of this name, or why there is none.
pub(crate) fn csv_response(state: &AppState, name: &str, csv: Result<String, RecordsError>) -> Response {
    response(state, (&format!("{name}.csv"), "text/csv; charset=utf-8"), csv)
}

/// Returns the answer with a JSON file of this name, or why there is none.
pub(crate) fn json_response(state: &AppState, name: &str, json: Result<String, RecordsError>) -> Response {
    response(state, (&format!("{name}.json"), "application/json"), json)
}

fn response(
    state: &AppState,
    (name, kind): (&str, &'static str),
    text: Result<String, RecordsError>,
) -> Response {
    let error = match text {
        Ok(text) => {
            let disposition = format!("attachment; filename=\"{name}\"");
            let headers = [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, disposition)];
            return (headers, text).into_response();
        }
        Err(error) => error,
    };
    if let Some(fault) = error.fault() {
        state.store.vitals.report(fault);
    }
    let error = AppError::from(error);
    let text = match &error {
        AppError::Invalid(errors) => {
            let lines = errors.0.iter().map(|error| format!("{}: {}.", error.field, error.problem));
            lines.collect::<Vec<_>>().join("\n")
        }
        error => error.to_string(),
    };
    plain_text(error.status(), &text)
}

/// Returns the answer to a query that cannot be read.
pub(crate) fn unreadable_query() -> Response {
    let error = AppError::Unreadable;
    plain_text(error.status(), &error.to_string())
}

fn plain_text(status: StatusCode, text: &str) -> Response {
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{text}\n")).into_response()
}
