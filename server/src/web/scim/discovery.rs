//! The features of the API.

use super::{ApiError, host_of, json};
use ::scim::{ScimError, discovery};
use app::state::AppState;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::Value;

pub(super) async fn service_provider_config(State(state): State<AppState>, headers: HeaderMap) -> Response {
    json(StatusCode::OK, &discovery::service_provider_config(&host_of(&state, &headers)))
}

pub(super) async fn resource_types(State(state): State<AppState>, headers: HeaderMap) -> Response {
    json(StatusCode::OK, &discovery::list(&discovery::resource_types(&host_of(&state, &headers))))
}

pub(super) async fn resource_type(
    State(state): State<AppState>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    one(discovery::resource_types(&host_of(&state, &headers)), &id)
}

pub(super) async fn schemas(State(state): State<AppState>, headers: HeaderMap) -> Response {
    json(StatusCode::OK, &discovery::list(&discovery::schemas(&host_of(&state, &headers))))
}

pub(super) async fn schema(
    State(state): State<AppState>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    one(discovery::schemas(&host_of(&state, &headers)), &id)
}

/// Answers with the resource that has this id.
fn one(all: Vec<Value>, id: &str) -> Result<Response, ApiError> {
    let found =
        all.into_iter().find(|one| one["id"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(id)));
    let found = found.ok_or_else(|| ScimError::of_status(404, "There is no such resource"))?;
    Ok(json(StatusCode::OK, &found))
}
