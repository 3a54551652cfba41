//! Files to download.

use app::state::AppState;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use policy::TaskId;
use records::{Actor, RecordsError, task};

/// The file of a task, for another installation.
pub(super) async fn export_task(State(state): State<AppState>, Path(id): Path<i64>) -> Response {
    match task::export(&state.store, Actor::DESK, TaskId(id)).await {
        Ok(file) => match serde_json::to_string_pretty(&file) {
            Ok(text) => {
                let name = format!("attachment; filename=\"task-{id}.json\"");
                ([(CONTENT_TYPE, "application/json".to_owned()), (CONTENT_DISPOSITION, name)], text)
                    .into_response()
            }
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        },
        Err(RecordsError::NotFound(_)) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(code = error.code(), "a task could not be exported");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
