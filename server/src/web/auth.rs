//! Authentication and authorization of requests by the table of routes (`app::route_access`). A route without a row is
//! denied.

use super::down;
use super::request_kind::{RequestKind, is_page};
use crate::network::NetworkConfig;
use app::background_request::is_background_request;
use app::error::AppError;
use app::form::{self, FormKey, FormToken};
use app::pages::FORBIDDEN;
use app::route_access::{Access, access_for};
use app::state::{AppState, ClientAddress, DeviceCookie, SessionEnded};
use app::url::percent_encoded;
use app::{cookie, form_post};
use axum::Json;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::header::{COOKIE, RETRY_AFTER, USER_AGENT};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use db::Fault;
use identity::session::{FormOnce, Stage};
use identity::{Session, session};
use policy::Action;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use trail::Actor;

/// The size of the longest cookie header that is read.
const MAX_COOKIE_BYTES: usize = 4_096;
/// The endings of the routes that answer with a file of records.
const EXPORTS: [&str; 4] = ["/csv", "/export", ".csv", ".json"];

/// Reads the address of the client and the session of the cookie, and adds them to the request.
pub(super) async fn authenticate(
    State((state, network)): State<(AppState, NetworkConfig)>,
    mut request: Request,
    next: Next,
) -> Response {
    let address = network.address_of(peer_of(&request), request.headers());
    request.extensions_mut().insert(ClientAddress(address));
    let kind = RequestKind::from_request(&request);
    let key = request
        .headers()
        .get(COOKIE)
        .and_then(|cookies| cookies.to_str().ok())
        .filter(|cookies| cookies.len() <= MAX_COOKIE_BYTES)
        .and_then(|cookies| cookie::session_token(state.cookies, cookies));
    let device = request.headers().get(COOKIE).and_then(|cookies| cookies.to_str().ok());
    let device = device.and_then(|cookies| cookie::device(state.cookies, cookies)).unwrap_or_default();
    request.extensions_mut().insert(DeviceCookie(device));
    let is_background = is_background_request(request.uri());
    let user_agent = request.headers().get(USER_AGENT).filter(|_| !is_background).cloned();
    if let Some(key) = key {
        let found = if is_background {
            session::load(&state.store, &key).await
        } else {
            session::load_and_touch(&state.store, &key).await
        };
        match found {
            Ok(Some(session)) => {
                remember_browser(&state, &session, user_agent).await;
                request.extensions_mut().insert(FormToken(session.form_token.clone()));
                request.extensions_mut().insert(FormKey(FormOnce::new_key()));
                request.extensions_mut().insert(session);
            }
            Ok(None) => {
                _ = request.extensions_mut().insert(SessionEnded { form_token: session::form_token(&key) });
            }
            Err(error) => {
                tracing::error!(code = error.code(), "the session could not be read");
                let fault = error.fault().unwrap_or(Fault::Unreachable);
                state.store.vitals.report(fault);
                return down::respond(kind, fault);
            }
        }
    }
    next.run(request).await
}

/// Stores the browser of a session that has none yet.
async fn remember_browser(state: &AppState, session: &Session, user_agent: Option<HeaderValue>) {
    let user_agent = user_agent.as_ref().and_then(|name| name.to_str().ok());
    if let (None, Some(user_agent)) = (&session.browser, user_agent) {
        session::remember_browser(&state.store, session, session::browser_of(user_agent)).await;
    }
}

/// Returns the address of the peer that opened the connection.
pub(super) fn peer_of(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    peer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// Lets a request through if its session meets the requirement of the route.
pub(super) async fn authorize(
    State(state): State<AppState>,
    route: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let session = request.extensions().get::<Session>();
    let actor = session.map_or_else(Actor::without_session, Session::actor);
    let Some(access) = access_for(route.as_str(), request.uri().path()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let is_open = match access {
        Access::Public => true,
        Access::AnySession => session.is_some(),
        Access::SignedIn => actor.staff.is_some(),
        Access::Permission(action) => actor.may(action),
        // The API authenticates its callers itself (`scim`).
        Access::ApiKey => false,
    };
    if is_open {
        let user = actor.staff.filter(|_| is_export(route.as_str()));
        if user.is_some_and(|user| !state.rate_limits.allows_export(user)) {
            return too_many();
        }
        return next.run(request).await;
    }
    let sign_in_stage = session.map(|session| session.stage);
    let request = match form_post::answer_resent_form(&state, request).await {
        Ok(answer) => return answer,
        Err(request) => request,
    };
    match (sign_in_stage, access) {
        (Some(Stage::SignedIn), Access::Permission(action)) => {
            respond_forbidden(&state, request, actor, action).await
        }
        _ => respond_unauthenticated(&state, request, sign_in_stage).await,
    }
}

/// Answers a request that needs a complete sign-in: 401, with the page of the next sign-in step instead of the page.
async fn respond_unauthenticated(
    state: &AppState,
    request: Request,
    sign_in_stage: Option<Stage>,
) -> Response {
    if !is_page(&request) {
        return (StatusCode::UNAUTHORIZED, Json(AppError::NotSignedIn)).into_response();
    }
    let page = match sign_in_stage {
        None | Some(Stage::SignedIn) => "/sign-in",
        Some(Stage::SecondFactor) => "/sign-in/code",
        Some(Stage::SetUp) => "/sign-in/app",
    };
    let page = format!("{page}?page={}", percent_encoded(&form::page_for(request.uri())));
    let mut response = form_post::render(state, &page, request.into_parts().0.extensions, || ()).await;
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response
}

/// Returns whether a route answers with a file of records.
fn is_export(route: &str) -> bool {
    EXPORTS.iter().any(|end| route.ends_with(end))
}

/// Answers a request that exceeds a rate limit.
fn too_many() -> Response {
    let why = "Too many requests of this kind. Wait a minute, then try again";
    (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, form_post::RETRY_AFTER_SECONDS)], why).into_response()
}

/// Answers a request without permission: 403, with the page that names the missing permission. Records the refusal in
/// the audit. Too many refusals get a short answer without a page.
async fn respond_forbidden(state: &AppState, request: Request, actor: Actor, action: Action) -> Response {
    if let Err(error) = trail::audit::refused(&state.store, actor, action).await {
        tracing::error!(code = error.code(), "a refusal could not be recorded");
    }
    if actor.staff.is_some_and(|user| !state.rate_limits.allows_forbidden_page(user)) {
        return too_many();
    }
    if !is_page(&request) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let page = format!("{FORBIDDEN}?what={}", action.code());
    let mut response = form_post::render(state, &page, request.into_parts().0.extensions, || ()).await;
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

/// Rejects requests whose Host header does not name this server.
pub(super) async fn reject_foreign_host(
    State(network): State<NetworkConfig>,
    request: Request,
    next: Next,
) -> Response {
    if network.is_own_host(request.headers()) {
        next.run(request).await
    } else {
        (StatusCode::MISDIRECTED_REQUEST, "Lethe does not answer at this host name").into_response()
    }
}
