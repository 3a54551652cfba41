//! The events as a file.

use crate::csv_download::{csv_response, unreadable_query};
use crate::state::AppState;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use db::RecordsError;
use identity::Session;
use trail::Actor;
use trail::audit::{AuditForm, csv};

/// Answers with the filtered events as a CSV file (`/audit/csv`).
pub async fn audit_csv(
    State(state): State<AppState>,
    Extension(session): Extension<Session>,
    query: Result<Query<AuditForm>, QueryRejection>,
) -> Response {
    let Ok(Query(form)) = query else { return unreadable_query() };
    csv_response(&state, "audit", file(&state, session.actor(), &form).await)
}

async fn file(state: &AppState, actor: Actor, form: &AuditForm) -> Result<String, RecordsError> {
    let query = form.validate().map_err(RecordsError::Invalid)?;
    csv(&state.store, actor, &query).await
}
