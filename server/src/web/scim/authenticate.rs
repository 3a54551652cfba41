//! The API key of a request.

use super::{ApiError, json};
use crate::network::NetworkConfig;
use crate::web::auth::peer_of;
use ::scim::ScimError;
use app::form_post::RETRY_AFTER_SECONDS;
use app::state::AppState;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use identity::api_key;
use policy::{Action, ApiScope};
use std::net::IpAddr;
use trail::Actor;
use trail::audit::{self, AuditAction, Subject};

/// Reads the API key, and adds its actor to the request. Wrong keys are limited by address, as wrong passwords are; the
/// right key from the same address still works.
pub(super) async fn authenticate(
    State((state, network)): State<(AppState, NetworkConfig)>,
    mut request: Request,
    next: Next,
) -> Response {
    let address = network.address_of(peer_of(&request), request.headers());
    let Some(key) = bearer(request.headers()) else {
        return unauthorized("Bearer realm=\"Lethe\"", "Send an API key as bearer token");
    };
    match api_key::actor_of(&state.store, key).await {
        Ok(Some(actor)) => {
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
        Ok(None) => reject(&state, address).await,
        Err(error) => {
            if let Some(fault) = error.fault() {
                state.store.vitals.report(fault);
            }
            ApiError::from(error).into_response()
        }
    }
}

/// Returns the bearer token.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

/// Answers a wrong key, and counts it.
async fn reject(state: &AppState, address: IpAddr) -> Response {
    let actor = Actor::unprivileged(None, policy::Channel::Api);
    let noted =
        audit::note_repeated(&state.store, actor, AuditAction::ApiKeyRefused, Subject::Library, "api_key");
    if let Err(error) = noted.await {
        tracing::error!(code = error.code(), "a wrong API key could not be recorded");
    }
    if !state.rate_limits.allows_from(address) {
        let error = ScimError::of_status(429, "Too many wrong API keys. Wait a minute, then try again");
        let mut response = json(StatusCode::TOO_MANY_REQUESTS, &error.to_json());
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
        return response;
    }
    unauthorized(
        "Bearer realm=\"Lethe\", error=\"invalid_token\"",
        "The API key is wrong, expired or revoked",
    )
}

fn unauthorized(challenge: &'static str, detail: &str) -> Response {
    let mut response = json(StatusCode::UNAUTHORIZED, &ScimError::of_status(401, detail).to_json());
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

/// Returns the answer to a key without this scope, or `None` if it has the scope. Records the refusal.
pub(super) async fn lacks(state: &AppState, actor: Actor, scope: ApiScope) -> Option<Response> {
    let (action, challenge) = match scope {
        ApiScope::ReadUsers => {
            (Action::SeeUsers, "Bearer realm=\"Lethe\", error=\"insufficient_scope\", scope=\"read_users\"")
        }
        ApiScope::WriteUsers => {
            (Action::EditUsers, "Bearer realm=\"Lethe\", error=\"insufficient_scope\", scope=\"write_users\"")
        }
    };
    if actor.may(action) {
        return None;
    }
    if let Err(error) = audit::refused(&state.store, actor, action).await {
        tracing::error!(code = error.code(), "a refusal could not be recorded");
    }
    let detail = format!("The API key lacks the scope {}", scope.code());
    let mut response = json(StatusCode::FORBIDDEN, &ScimError::of_status(403, detail).to_json());
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    Some(response)
}
