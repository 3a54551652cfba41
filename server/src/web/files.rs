//! Downloads of task files and certificates.

use super::down;
use app::state::AppState;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use db::RecordsError;
use erasure::certificate;
use identity::Session;
use policy::{RunId, TaskId};
use serde::Deserialize;
use task_centre::task;
use trail::Store;

/// Answers with the file of a task, for another installation.
pub(super) async fn export_task(
    State(state): State<AppState>,
    Extension(session): Extension<Session>,
    Path(id): Path<i64>,
) -> Response {
    let file = task::export(&state.store, session.actor(), TaskId(id)).await;
    let text = file.and_then(|file| {
        serde_json::to_string_pretty(&file).map_err(|_| RecordsError::Corrupt("file of the task"))
    });
    answer(&state.store, text, &format!("task-{id}.json"))
}

/// The query of a certificate: its version. The default is the valid version.
#[derive(Deserialize)]
pub(super) struct CertificateQuery {
    version: Option<i32>,
}

/// Answers with the certificate of a run as it was signed.
pub(super) async fn certificate(
    State(state): State<AppState>,
    Path(id): Path<i64>,
    Query(CertificateQuery { version }): Query<CertificateQuery>,
) -> Response {
    let text = certificate::file(&state.store, RunId(id), version).await;
    let suffix = version.map(|version| format!("-{version}")).unwrap_or_default();
    answer(&state.store, text, &format!("certificate-{id}{suffix}.json"))
}

fn answer(store: &Store, text: Result<String, RecordsError>, name: &str) -> Response {
    match text {
        Ok(text) => {
            let disposition = format!("attachment; filename=\"{name}\"");
            let head = [(CONTENT_TYPE, "application/json".to_owned()), (CONTENT_DISPOSITION, disposition)];
            (head, text).into_response()
        }
        Err(error) => down::failed(store, error, "a file could not be created"),
    }
}
