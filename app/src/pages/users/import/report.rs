//! The report of an import as a CSV file: the lines that were rejected, held or skipped, or have a note.

use crate::csv_download::csv_response;
use crate::state::AppState;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use identity::Session;
use policy::ImportId;
use transfer::import_history;

/// Answers with the report of an import.
pub async fn report_csv(
    State(state): State<AppState>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
) -> Response {
    let csv = import_history::report_csv(&state.store, session.actor(), ImportId(id)).await;
    csv_response(&state, &format!("import-{id}-lines"), csv)
}
