//! Everything held about a user, as a file.

use crate::csv_download::json_response;
use crate::state::AppState;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use db::RecordsError;
use identity::Session;
use policy::UserNumber;
use records::access_request::user_data;

/// Answers with everything held about a user as JSON (`/users/{id}/data.json`).
pub async fn user_data_json(
    State(state): State<AppState>,
    Extension(session): Extension<Session>,
    Path(number): Path<i64>,
) -> Response {
    let data = user_data(&state.store, session.actor(), UserNumber(number)).await;
    let text = data
        .and_then(|data| serde_json::to_string_pretty(&data).map_err(|_| RecordsError::Corrupt("user data")));
    json_response(&state, &format!("user-{number}"), text)
}
