//! A report as a file.

use crate::csv_download::{csv_response, unreadable_query};
use crate::state::AppState;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use db::RecordsError;
use records::report::{Report, ReportForm, count};

/// The query of the address.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReportParams {
    from: String,
    to: String,
    by: String,
}

/// Answers with a report as a CSV file (`/reports/{report}/csv`).
pub async fn report_csv(
    State(state): State<AppState>,
    Path(code): Path<String>,
    query: Result<Query<ReportParams>, QueryRejection>,
) -> Response {
    let Ok(Query(params)) = query else { return unreadable_query() };
    csv_response(&state, &code, file(&state, &code, params).await)
}

async fn file(state: &AppState, code: &str, params: ReportParams) -> Result<String, RecordsError> {
    let report = Report::from_code(code).ok_or(RecordsError::NotFound("report"))?;
    let form = ReportForm { from: params.from, to: params.to, by: params.by };
    let query = form.validate(report).map_err(RecordsError::Invalid)?;
    count(&state.store, report, &query).await?.csv()
}
