//! The events as a file.

use crate::error::{AppError, log_internal};
use crate::state::AppState;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use records::audit::{AuditForm, csv};
use records::{Actor, RecordsError, Session};

/// The events of some filters as a CSV file (`/audit/csv`). What is wrong is said in plain text.
pub async fn audit_csv(
    State(state): State<AppState>,
    Extension(session): Extension<Session>,
    typed: Result<Query<AuditForm>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let Ok(Query(form)) = typed else {
        return plain(StatusCode::UNPROCESSABLE_ENTITY, &AppError::Unreadable.to_string());
    };
    // As long as there is no sign-in the desk is open to whoever sits at this computer.
    match file(&state, session.actor(), &form).await {
        Ok(csv) => {
            let head = [
                (CONTENT_TYPE, "text/csv; charset=utf-8"),
                (CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
            ];
            (head, csv).into_response()
        }
        Err(RecordsError::Invalid(errors)) => {
            let lines: Vec<String> =
                errors.0.iter().map(|error| format!("{}: {}.", error.field, error.problem)).collect();
            plain(StatusCode::UNPROCESSABLE_ENTITY, &lines.join("\n"))
        }
        Err(error @ RecordsError::Forbidden(_)) => plain(StatusCode::FORBIDDEN, &error.to_string()),
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

async fn file(state: &AppState, actor: Actor, form: &AuditForm) -> Result<String, RecordsError> {
    let query = form.validate().map_err(RecordsError::Invalid)?;
    csv(&state.store, actor, &query).await
}

fn plain(status: StatusCode, label: &str) -> Response {
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{label}\n")).into_response()
}
