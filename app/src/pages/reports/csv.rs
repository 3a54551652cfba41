//! A report as a file.

use crate::error::{AppError, log_internal};
use crate::state::AppState;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use records::RecordsError;
use records::report::{Report, ReportForm, count};

/// The query in the address, as it was typed.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Typed {
    from: String,
    to: String,
    by: String,
}

/// A report as a CSV file (`/reports/{report}/csv`). What is wrong is said in plain text.
pub async fn report_csv(
    State(state): State<AppState>,
    Path(code): Path<String>,
    typed: Result<Query<Typed>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let Ok(Query(typed)) = typed else {
        return plain(StatusCode::UNPROCESSABLE_ENTITY, &AppError::Unreadable.to_string());
    };
    match file(&state, &code, typed).await {
        Ok(csv) => {
            let name = format!("attachment; filename=\"{code}.csv\"");
            ([(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, name)], csv)
                .into_response()
        }
        Err(RecordsError::Invalid(errors)) => {
            let lines: Vec<String> =
                errors.0.iter().map(|error| format!("{}: {}.", error.field, error.problem)).collect();
            plain(StatusCode::UNPROCESSABLE_ENTITY, &lines.join("\n"))
        }
        Err(error @ RecordsError::NotFound(_)) => plain(StatusCode::NOT_FOUND, &error.to_string()),
        Err(error) => {
            if let Some(fault) = error.fault() {
                state.store.vitals().note(fault);
                return plain(StatusCode::SERVICE_UNAVAILABLE, &fault.to_string());
            }
            let label = AppError::Internal(log_internal(&error)).to_string();
            plain(StatusCode::INTERNAL_SERVER_ERROR, &label)
        }
    }
}

async fn file(state: &AppState, code: &str, typed: Typed) -> Result<String, RecordsError> {
    let report = Report::from_code(code).ok_or(RecordsError::NotFound("report"))?;
    let form = ReportForm { from: typed.from, to: typed.to, by: typed.by };
    let query = form.validate(report).map_err(RecordsError::Invalid)?;
    count(&state.store, report, &query).await?.csv()
}

fn plain(status: StatusCode, label: &str) -> Response {
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{label}\n")).into_response()
}
