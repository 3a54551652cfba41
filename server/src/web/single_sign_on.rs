//! Single sign-on: redirects to the identity provider and handles its callback.
//!
//! All routes answer GET, because the content security policy forbids forms that lead to another site. Nothing is
//! changed before a callback answers an authorization request of the same browser. Connecting an account can begin
//! only on the page of the account.

use super::down;
use crate::network::{CALLBACK_ROUTE, NetworkConfig};
use crate::oidc::Provider;
use app::cookie;
use app::pages::{
    CHANGES_SIGN_IN, SignInProblem, local_page, next_step, remember_address_and_device, with_proof,
};
use app::rate_limit::{Account, Attempt, AttemptKind, KnownCaller};
use app::state::{AppState, ClientAddress};
use app::url::percent_encoded;
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::header::{COOKIE, HeaderMap, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{MethodRouter, get};
use db::RecordsError;
use identity::Session;
use identity::session::{self, AgainFor, Identity, LoginState, Purpose, Stage, Token, may_change_sign_in};
use policy::permission::FRESH_MINUTES;
use serde::Deserialize;
use std::net::IpAddr;
use std::sync::Arc;

/// The longest return address. The cookie must hold it.
const MAX_PAGE_BYTES: usize = 400;

/// Returns the routes with their handlers.
pub(super) fn handlers(network: &NetworkConfig) -> Vec<(&'static str, MethodRouter<AppState>)> {
    let provider = Extension(network.provider.clone());
    [
        ("/sign-in/provider", get(sign_in)),
        ("/sign-in/provider/again", get(again)),
        ("/account/provider", get(connect)),
        (CALLBACK_ROUTE, get(callback)),
    ]
    .map(|(route, answer)| (route, answer.layer(provider.clone())))
    .into()
}

type Provided = Extension<Option<Arc<Provider>>>;

/// The query of a sign-in.
#[derive(Deserialize)]
struct SignInQuery {
    /// The page to return to.
    #[serde(default)]
    page: String,
    /// The purpose of signing in again.
    #[serde(default, rename = "for")]
    purpose: String,
}

async fn sign_in(
    State(state): State<AppState>,
    Extension(provider): Provided,
    Query(query): Query<SignInQuery>,
) -> Response {
    authorize(&state, provider, Purpose::SignIn, query.page).await
}

async fn again(
    State(state): State<AppState>,
    Extension(provider): Provided,
    Extension(session): Extension<Session>,
    Query(query): Query<SignInQuery>,
) -> Response {
    let purpose = if query.purpose == CHANGES_SIGN_IN {
        Purpose::ChangeSignIn(session.user)
    } else {
        Purpose::Reauthenticate(session.user)
    };
    authorize(&state, provider, purpose, query.page).await
}

/// The query of connecting an account.
#[derive(Deserialize)]
struct ConnectQuery {
    /// The token that the page of the account puts into its link.
    #[serde(default)]
    from: String,
}

async fn connect(
    State(state): State<AppState>,
    Extension(provider): Provided,
    Extension(session): Extension<Session>,
    Query(query): Query<ConnectQuery>,
) -> Response {
    if !session.is_connecting(&query.from) {
        return Redirect::to("/account").into_response();
    }
    if !may_change_sign_in(&session) {
        return Redirect::to("/sign-in/again?page=/account&for=sign-in").into_response();
    }
    authorize(&state, provider, Purpose::Connect(session.user), "/account".to_owned()).await
}

/// Redirects the browser to the provider.
async fn authorize(
    state: &AppState,
    provider: Option<Arc<Provider>>,
    purpose: Purpose,
    page: String,
) -> Response {
    let Some(provider) = provider else { return StatusCode::NOT_FOUND.into_response() };
    let request = match provider.authorize(purpose != Purpose::SignIn).await {
        Ok(request) => request,
        Err(error) => {
            tracing::warn!("single sign-on: {error}");
            return refused(purpose, SignInProblem::Provider, &page);
        }
    };
    let page = if page.len() > MAX_PAGE_BYTES { "/".to_owned() } else { local_page(&page) };
    let address = request.address;
    let login_state = LoginState {
        purpose,
        state: request.state,
        nonce: request.nonce,
        verifier: request.verifier,
        page,
        begun_at: db::Clock::system_now(),
    };
    match login_state.seal(&state.store).await {
        Ok(sealed) => {
            with_cookies(Redirect::to(&address), [cookie::login_state_cookie(state.cookies, &sealed)])
        }
        Err(error) => failed(state, error),
    }
}

/// The query of the callback.
#[derive(Deserialize)]
struct CallbackQuery {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

async fn callback(
    State(state): State<AppState>,
    Extension(provider): Provided,
    Extension(address): Extension<ClientAddress>,
    before: Option<Extension<Session>>,
    headers: HeaderMap,
    Query(answer): Query<CallbackQuery>,
) -> Response {
    let Some(provider) = provider else { return StatusCode::NOT_FOUND.into_response() };
    let login_state = match login_state_in(&state, &headers).await {
        Ok(login_state) => {
            login_state.filter(|login_state| answer.state.as_ref() == Some(&login_state.state))
        }
        Err(error) => return failed(&state, error),
    };
    let Some(login_state) = login_state else {
        return refused(Purpose::SignIn, SignInProblem::LoginState, "/");
    };
    let (purpose, page) = (login_state.purpose, login_state.page.clone());
    let before = before.map(|Extension(session)| session);
    let client = (address, device_of(&state, &headers));
    let connecting = before.clone();
    let result = finish_callback(&state, &provider, client, before, login_state, answer).await;
    let removed = cookie::expired_login_state_cookie(state.cookies);
    match result {
        Ok(CallbackResult::SignedIn { token, next, device }) => {
            let session = cookie::session_cookie(state.cookies, &token);
            let device = device.map(|device| cookie::device_cookie(state.cookies, &device));
            with_cookies(Redirect::to(&next), [session, removed].into_iter().chain(device))
        }
        Ok(CallbackResult::Connected) => {
            let page = "/account?done=provider-connected";
            let page = connecting.map_or_else(|| page.to_owned(), |session| with_proof(page, &session));
            with_cookies(Redirect::to(&page), [removed])
        }
        Ok(CallbackResult::Rejected(problem)) => with_cookies(refused(purpose, problem, &page), [removed]),
        Err(error) => failed(&state, error),
    }
}

/// The result of a callback.
enum CallbackResult {
    SignedIn { token: Token, next: String, device: Option<String> },
    Connected,
    Rejected(SignInProblem),
}

async fn finish_callback(
    state: &AppState,
    provider: &Provider,
    (ClientAddress(address), device): (ClientAddress, String),
    before: Option<Session>,
    login_state: LoginState,
    answer: CallbackQuery,
) -> Result<CallbackResult, RecordsError> {
    let Some(code) = answer.code.filter(|_| answer.error.is_none()) else {
        return Ok(CallbackResult::Rejected(SignInProblem::Declined));
    };
    // A login state can be used only once, so attempts are counted by address.
    if !is_allowed(state, address, before.as_ref(), login_state.purpose) {
        return Ok(CallbackResult::Rejected(SignInProblem::TooMany));
    }
    let is_ours = answer.iss.is_none_or(|issuer| provider.is_issuer(&issuer));
    let identity = match provider.identity(code, login_state.nonce, login_state.verifier).await {
        Ok(identity) if is_ours => identity,
        Ok(_) => return Ok(CallbackResult::Rejected(SignInProblem::Provider)),
        Err(error) => {
            tracing::warn!("single sign-on: {error}");
            return Ok(CallbackResult::Rejected(SignInProblem::Provider));
        }
    };
    let only = match (login_state.purpose, &before) {
        (Purpose::SignIn, _) => None,
        (Purpose::Reauthenticate(user) | Purpose::ChangeSignIn(user), Some(session))
            if session.user == user =>
        {
            if !is_fresh(&identity) {
                return Ok(CallbackResult::Rejected(SignInProblem::NoFreshSignIn));
            }
            let changes_sign_in = login_state.purpose == Purpose::ChangeSignIn(user);
            Some((user, if changes_sign_in { AgainFor::ChangeSignIn } else { AgainFor::Irreversible }))
        }
        (Purpose::Connect(user), Some(session)) if session.user == user => {
            let is_connected = session::connect(&state.store, session, &identity).await?;
            return Ok(if is_connected {
                CallbackResult::Connected
            } else {
                CallbackResult::Rejected(SignInProblem::OtherUser)
            });
        }
        (Purpose::Reauthenticate(_) | Purpose::ChangeSignIn(_) | Purpose::Connect(_), _) => {
            return Ok(CallbackResult::Rejected(SignInProblem::LoginState));
        }
    };
    let Some((token, sign_in_stage)) = session::sign_in_by_provider(&state.store, &identity, only).await?
    else {
        return Ok(CallbackResult::Rejected(SignInProblem::NotConnected));
    };
    if let Some(before) = before {
        session::end(&state.store, &before).await?;
    }
    let device = match session::load_and_touch(&state.store, token.reveal()).await? {
        Some(session) if sign_in_stage == Stage::SignedIn => {
            Some(remember_address_and_device(state, session.user, address, &device).await?)
        }
        _ => None,
    };
    Ok(CallbackResult::SignedIn { token, next: next_step(sign_in_stage, &login_state.page), device })
}

/// Counts the attempt, and returns whether it is within the rate limit. Attempts of a signed-in session do not count
/// towards the limit of their address.
fn is_allowed(state: &AppState, address: IpAddr, before: Option<&Session>, purpose: Purpose) -> bool {
    let is_signed_in = |session: &&Session| session.stage == Stage::SignedIn && purpose != Purpose::SignIn;
    match before.filter(is_signed_in) {
        Some(session) => {
            let (kind, account, known) =
                (AttemptKind::Reauthentication, Account::User(session.user), Some(KnownCaller::Session));
            state.rate_limits.allows(&Attempt { kind, account, address, known }).is_some()
        }
        None => state.rate_limits.allows_from(address),
    }
}

/// Returns whether the provider authenticated the user within the last minutes.
fn is_fresh(identity: &Identity) -> bool {
    let limit = chrono::TimeDelta::minutes(FRESH_MINUTES);
    identity.shown_at.is_some_and(|at| db::Clock::system_now() - at < limit)
}

/// Returns the value of the device cookie, or an empty string.
fn device_of(state: &AppState, headers: &HeaderMap) -> String {
    let cookies = headers.get(COOKIE).and_then(|cookies| cookies.to_str().ok()).unwrap_or_default();
    cookie::device(state.cookies, cookies).unwrap_or_default()
}

async fn login_state_in(state: &AppState, headers: &HeaderMap) -> Result<Option<LoginState>, RecordsError> {
    let cookies = headers.get(COOKIE).and_then(|cookies| cookies.to_str().ok()).unwrap_or_default();
    match cookie::login_state(state.cookies, cookies) {
        Some(sealed) => LoginState::open(&state.store, &sealed).await,
        None => Ok(None),
    }
}

/// Redirects to the page on which the sign-in began, with the problem. `return_to` is the page to open after signing
/// in.
fn refused(purpose: Purpose, problem: SignInProblem, return_to: &str) -> Response {
    let (page, more) = match purpose {
        Purpose::SignIn => ("/sign-in", ""),
        Purpose::Reauthenticate(_) => ("/sign-in/again", ""),
        Purpose::ChangeSignIn(_) => ("/sign-in/again", "&for=sign-in"),
        Purpose::Connect(_) => ("/account", ""),
    };
    let return_to = percent_encoded(&local_page(return_to));
    Redirect::to(&format!("{page}?problem={}&page={return_to}{more}", problem.code())).into_response()
}

fn failed(state: &AppState, error: RecordsError) -> Response {
    down::failed(&state.store, error, "single sign-on failed")
}

fn with_cookies(
    to: impl axum::response::IntoResponse,
    cookies: impl IntoIterator<Item = String>,
) -> Response {
    let mut response = to.into_response();
    for cookie in cookies {
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    response
}
