//! The SCIM 2.0 API at `/scim/v2`, for identity systems.
//!
//! A caller authenticates with an API key as bearer token; cookies mean nothing here, so a browser can't be made to
//! call it. Crate `scim` knows the protocol, `records::user::provision` the rules. Each error has the format of SCIM,
//! also one that a layer of the router answers.

mod authenticate;
mod discovery;
mod query;
mod users;

use super::{down, header, request_log};
use crate::network::NetworkConfig;
use ::scim::{MEDIA_TYPE, ScimError};
use app::form_post::RETRY_AFTER_SECONDS;
use app::state::AppState;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use db::RecordsError;
use serde_json::Value;

/// The routes of the API. `app::route_access` has a row for each.
#[cfg(test)]
pub(super) const ROUTES: [&str; 10] = [
    "/scim/v2/ServiceProviderConfig",
    "/scim/v2/ResourceTypes",
    "/scim/v2/ResourceTypes/{id}",
    "/scim/v2/Schemas",
    "/scim/v2/Schemas/{id}",
    "/scim/v2/.search",
    "/scim/v2/Users",
    "/scim/v2/Users/.search",
    "/scim/v2/Users/{id}",
    "/scim/{*rest}",
];

/// The path of the API and of everything that it may become.
const PREFIX: &str = "/scim/";
/// The seconds after which an identity system may send a change again that a safety limit rejected.
const LIMIT_RETRY_SECONDS: &str = "3600";

/// Returns the routes with their own layers.
pub(super) fn routes(state: &AppState, network: &NetworkConfig) -> Router {
    Router::new()
        .route("/scim/v2/ServiceProviderConfig", get(discovery::service_provider_config))
        .route("/scim/v2/ResourceTypes", get(discovery::resource_types))
        .route("/scim/v2/ResourceTypes/{id}", get(discovery::resource_type))
        .route("/scim/v2/Schemas", get(discovery::schemas))
        .route("/scim/v2/Schemas/{id}", get(discovery::schema))
        .route("/scim/v2/.search", post(users::search))
        .route("/scim/v2/Users", get(users::list).post(users::create))
        .route("/scim/v2/Users/.search", post(users::search))
        .route(
            "/scim/v2/Users/{id}",
            get(users::read).put(users::replace).patch(users::patch).delete(users::delete),
        )
        .route("/scim/{*rest}", any(not_found))
        .with_state(state.clone())
        .route_layer(from_fn_with_state((state.clone(), network.clone()), authenticate::authenticate))
        .route_layer(from_fn(request_log::log_request))
        .layer(from_fn_with_state(state.clone(), down::reject_while_down))
        .layer(header(CACHE_CONTROL, "no-store"))
}

async fn not_found() -> ApiError {
    ScimError::of_status(404, "There is no such resource").into()
}

/// A response with the JSON of SCIM.
fn json(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, body.to_string()).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response
}

/// The error of a request.
#[derive(Debug)]
struct ApiError {
    error: ScimError,
    retry_after: Option<&'static str>,
}

impl From<ScimError> for ApiError {
    fn from(error: ScimError) -> Self {
        Self { error, retry_after: None }
    }
}

impl From<RecordsError> for ApiError {
    fn from(error: RecordsError) -> Self {
        let of_status = |status: u16, detail: String| ScimError::of_status(status, detail);
        let (error, retry_after) = match &error {
            _ if error.fault().is_some() => {
                tracing::warn!(code = error.code(), "a request of the API could not be executed");
                let detail = error.fault().map(|fault| fault.to_string()).unwrap_or_default();
                (of_status(503, detail), Some(RETRY_AFTER_SECONDS))
            }
            RecordsError::NotFound(what) => (of_status(404, format!("There is no such {what}")), None),
            RecordsError::Invalid(errors) => (ScimError::of_fields(errors), None),
            RecordsError::Stale => (stale(), None),
            RecordsError::Refused(why) => (of_status(403, why.clone()), None),
            RecordsError::Forbidden(_) | RecordsError::SignInAgain | RecordsError::ConfirmSignIn => {
                (of_status(403, "The API key may not do this".to_owned()), None)
            }
            RecordsError::Suppression(why) => (of_status(503, why.clone()), None),
            RecordsError::ImportLimit(why) => (of_status(429, why.clone()), Some(LIMIT_RETRY_SECONDS)),
            RecordsError::LimitReached(_) | RecordsError::Busy => {
                (of_status(429, error.to_string()), Some(RETRY_AFTER_SECONDS))
            }
            RecordsError::Ledger(_)
            | RecordsError::Audit(_)
            | RecordsError::NotReady(_)
            | RecordsError::Fault(_)
            | RecordsError::Database(_)
            | RecordsError::Corrupt(_) => {
                tracing::error!(code = error.code(), "internal error of the API");
                (of_status(500, "Something went wrong on our side. Nothing was changed".to_owned()), None)
            }
        };
        Self { error, retry_after }
    }
}

/// Returns the error of a change that names another version.
fn stale() -> ScimError {
    ScimError::of_status(412, "The user was changed in the meantime. Read it again and repeat the change")
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json(status, &self.error.to_json());
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        response
    }
}

/// Returns the address of this server, as the caller names it. The Host header was checked by
/// `auth::reject_foreign_host`.
fn host_of(state: &AppState, headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let scheme = match state.cookies {
        app::state::Cookies::Secure => "https",
        app::state::Cookies::Plain => "http",
    };
    format!("{scheme}://{host}")
}

/// Gives the errors that a layer of the router answers the format of SCIM.
pub(super) async fn errors_as_scim(request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with(PREFIX) {
        return next.run(request).await;
    }
    let response = next.run(request).await;
    let status = response.status();
    let is_scim = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == MEDIA_TYPE);
    if is_scim || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let detail = match status {
        StatusCode::METHOD_NOT_ALLOWED => "The resource does not support this method",
        StatusCode::PAYLOAD_TOO_LARGE => "The body is too large",
        StatusCode::REQUEST_TIMEOUT => "The body did not arrive completely or in time. Nothing was changed",
        StatusCode::TOO_MANY_REQUESTS => "Too many requests. Try again in a moment",
        StatusCode::SERVICE_UNAVAILABLE => {
            "Lethe cannot answer right now. Read the user again before you repeat a change"
        }
        StatusCode::MISDIRECTED_REQUEST => "Lethe does not answer at this host name",
        status if status.is_server_error() => "Something went wrong on our side",
        _ => "The request cannot be read",
    };
    let (mut parts, _) = response.into_parts();
    let body = ScimError::of_status(status.as_u16(), detail).to_json().to_string();
    parts.headers.remove(axum::http::header::CONTENT_LENGTH);
    parts.headers.remove(axum::http::header::CONTENT_SECURITY_POLICY);
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    parts.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Response::from_parts(parts, Body::from(body))
}
