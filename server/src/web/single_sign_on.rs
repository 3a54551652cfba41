//! Single sign-on: to the identity provider of the library, and back.
//!
//! All of it answers GET, because the policy for forms lets none lead elsewhere. Nothing is changed before somebody comes
//! back with an answer to a question that this browser has asked; what connects an account begins on the account's page
//! only.

use super::{Outside, down};
use crate::oidc::Provider;
use app::components::percent_encoded;
use app::cookie;
use app::pages::{CHANGES_SIGN_IN, SignInProblem, go_on_to, own_page, remember};
use app::rate_limit::{Account, Attempt, Known, Shown};
use app::state::{AppState, ClientAddress};
use axum::Extension;
use axum::extract::{Query, State};
use axum::http::header::{COOKIE, HeaderMap, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{MethodRouter, get};
use policy::permission::FRESH_MINUTES;
use records::session::{self, AgainFor, Identity, LoginState, Purpose, Stage, Token, may_change_sign_in};
use records::{RecordsError, Session};
use serde::Deserialize;
use std::net::IpAddr;
use std::sync::Arc;

/// Where the provider brings people back to.
pub(crate) const RETURN: &str = "/sign-in/provider/return";
/// The longest page that is gone back to; the cookie has to hold it.
const LONGEST_PAGE: usize = 400;

/// The routes.
pub(super) fn handlers(outside: &Outside) -> Vec<(&'static str, MethodRouter<AppState>)> {
    let provider = Extension(outside.provider.clone());
    [
        ("/sign-in/provider", get(sign_in)),
        ("/sign-in/provider/again", get(again)),
        ("/account/provider", get(connect)),
        (RETURN, get(come_back)),
    ]
    .map(|(route, answer)| (route, answer.layer(provider.clone())))
    .into()
}

type Provided = Extension<Option<Arc<Provider>>>;

/// Where to go afterwards.
#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    page: String,
    /// What for, where they are signed in.
    #[serde(default, rename = "for")]
    purpose: String,
}

async fn sign_in(
    State(state): State<AppState>,
    Extension(provider): Provided,
    Query(wanted): Query<Wanted>,
) -> Response {
    begin(&state, provider, Purpose::SignIn, wanted.page).await
}

async fn again(
    State(state): State<AppState>,
    Extension(provider): Provided,
    Extension(session): Extension<Session>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let purpose = if wanted.purpose == CHANGES_SIGN_IN {
        Purpose::ChangeSignIn(session.user)
    } else {
        Purpose::Again(session.user)
    };
    begin(&state, provider, purpose, wanted.page).await
}

/// What shows that the page of the account leads here.
#[derive(Deserialize)]
struct Connecting {
    #[serde(default)]
    from: String,
}

async fn connect(
    State(state): State<AppState>,
    Extension(provider): Provided,
    Extension(session): Extension<Session>,
    Query(connecting): Query<Connecting>,
) -> Response {
    if !session.is_connecting(&connecting.from) {
        return Redirect::to("/account").into_response();
    }
    if !may_change_sign_in(&session) {
        return Redirect::to("/sign-in/again?page=/account&for=sign-in").into_response();
    }
    begin(&state, provider, Purpose::Connect(session.user), "/account".to_owned()).await
}

/// Sends the browser to the provider.
async fn begin(
    state: &AppState,
    provider: Option<Arc<Provider>>,
    purpose: Purpose,
    page: String,
) -> Response {
    let Some(provider) = provider else { return StatusCode::NOT_FOUND.into_response() };
    let begun = match provider.begin(purpose != Purpose::SignIn).await {
        Ok(begun) => begun,
        Err(error) => {
            tracing::warn!("single sign-on: {error}");
            return refused(purpose, SignInProblem::Provider, &page);
        }
    };
    let page = if page.len() > LONGEST_PAGE { "/".to_owned() } else { own_page(&page) };
    let address = begun.address;
    let login_state = LoginState {
        purpose,
        state: begun.state,
        nonce: begun.nonce,
        verifier: begun.verifier,
        page,
        begun_at: records::Clock::real(),
    };
    match login_state.seal(&state.store).await {
        Ok(sealed) => with_cookies(Redirect::to(&address), [cookie::of_trip(state.cookies, &sealed)]),
        Err(error) => failed(state, &error),
    }
}

/// The answer of the provider.
#[derive(Deserialize)]
struct Answer {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

async fn come_back(
    State(state): State<AppState>,
    Extension(provider): Provided,
    Extension(address): Extension<ClientAddress>,
    before: Option<Extension<Session>>,
    headers: HeaderMap,
    Query(answer): Query<Answer>,
) -> Response {
    let Some(provider) = provider else { return StatusCode::NOT_FOUND.into_response() };
    let login_state = match trip_of(&state, &headers).await {
        Ok(login_state) => {
            login_state.filter(|login_state| answer.state.as_ref() == Some(&login_state.state))
        }
        Err(error) => return failed(&state, &error),
    };
    let Some(login_state) = login_state else {
        return refused(Purpose::SignIn, SignInProblem::LoginState, "/");
    };
    let (purpose, page) = (login_state.purpose, login_state.page.clone());
    let before = before.map(|Extension(session)| session);
    let client = (address, device_of(&state, &headers));
    let arrived = arrive(&state, &provider, client, before, login_state, answer).await;
    let gone = cookie::of_trip_gone(state.cookies);
    match arrived {
        Ok(Arrived::SignedIn { token, next, device }) => {
            let session = cookie::of_session(state.cookies, &token);
            let device = device.map(|device| cookie::of_device(state.cookies, &device));
            with_cookies(Redirect::to(&next), [session, gone].into_iter().chain(device))
        }
        Ok(Arrived::Connected) => with_cookies(Redirect::to("/account?done=provider-connected"), [gone]),
        Ok(Arrived::Not(problem)) => with_cookies(refused(purpose, problem, &page), [gone]),
        Err(error) => failed(&state, &error),
    }
}

/// How a login state has ended.
enum Arrived {
    SignedIn { token: Token, next: String, device: Option<String> },
    Connected,
    Not(SignInProblem),
}

async fn arrive(
    state: &AppState,
    provider: &Provider,
    (ClientAddress(address), device): (ClientAddress, String),
    before: Option<Session>,
    login_state: LoginState,
    answer: Answer,
) -> Result<Arrived, RecordsError> {
    let Some(code) = answer.code.filter(|_| answer.error.is_none()) else {
        return Ok(Arrived::Not(SignInProblem::Declined));
    };
    // Each login state is tried once; what is counted is from where.
    if !is_allowed(state, address, before.as_ref(), login_state.purpose) {
        return Ok(Arrived::Not(SignInProblem::TooMany));
    }
    let is_ours = answer.iss.is_none_or(|issuer| provider.is(&issuer));
    let identity = match provider.identity(code, login_state.nonce, login_state.verifier).await {
        Ok(identity) if is_ours => identity,
        Ok(_) => return Ok(Arrived::Not(SignInProblem::Provider)),
        Err(error) => {
            tracing::warn!("single sign-on: {error}");
            return Ok(Arrived::Not(SignInProblem::Provider));
        }
    };
    let only = match (login_state.purpose, &before) {
        (Purpose::SignIn, _) => None,
        (Purpose::Again(user) | Purpose::ChangeSignIn(user), Some(session)) if session.user == user => {
            if !is_fresh(&identity) {
                return Ok(Arrived::Not(SignInProblem::NotAskedAgain));
            }
            let changes_sign_in = login_state.purpose == Purpose::ChangeSignIn(user);
            Some((user, if changes_sign_in { AgainFor::ChangeSignIn } else { AgainFor::Irreversible }))
        }
        (Purpose::Connect(user), Some(session)) if session.user == user => {
            let is_connected = session::connect(&state.store, session, &identity).await?;
            return Ok(if is_connected {
                Arrived::Connected
            } else {
                Arrived::Not(SignInProblem::SomebodyElse)
            });
        }
        (Purpose::Again(_) | Purpose::ChangeSignIn(_) | Purpose::Connect(_), _) => {
            return Ok(Arrived::Not(SignInProblem::LoginState));
        }
    };
    let Some((token, come_to)) = session::sign_in_by_provider(&state.store, &identity, only).await? else {
        return Ok(Arrived::Not(SignInProblem::Nobody));
    };
    if let Some(before) = before {
        session::end(&state.store, &before).await?;
    }
    let device = match session::find(&state.store, token.reveal()).await? {
        Some(session) if come_to == Stage::Whole => {
            Some(remember(state, session.user, address, &device).await?)
        }
        _ => None,
    };
    Ok(Arrived::SignedIn { token, next: go_on_to(come_to, &login_state.page), device })
}

/// Counts the login state, and tells whether it is one too many. In a session it takes nothing from what others at its address have.
fn is_allowed(state: &AppState, address: IpAddr, before: Option<&Session>, purpose: Purpose) -> bool {
    let is_whole = |session: &&Session| session.stage == Stage::Whole && purpose != Purpose::SignIn;
    match before.filter(is_whole) {
        Some(session) => {
            let (shown, account, known) = (Shown::Again, Account::User(session.user), Some(Known::Session));
            state.throttle.allows(&Attempt { shown, account, address, known }).is_some()
        }
        None => state.throttle.allows_from(address),
    }
}

/// Whether they have shown the provider just now who they are.
fn is_fresh(identity: &Identity) -> bool {
    let young = chrono::TimeDelta::minutes(FRESH_MINUTES);
    identity.shown_at.is_some_and(|at| records::Clock::real() - at < young)
}

/// The cookie of the device; empty where there is none.
fn device_of(state: &AppState, headers: &HeaderMap) -> String {
    let cookies = headers.get(COOKIE).and_then(|cookies| cookies.to_str().ok()).unwrap_or_default();
    cookie::device(state.cookies, cookies).unwrap_or_default()
}

async fn trip_of(state: &AppState, headers: &HeaderMap) -> Result<Option<LoginState>, RecordsError> {
    let cookies = headers.get(COOKIE).and_then(|cookies| cookies.to_str().ok()).unwrap_or_default();
    match cookie::login_state(state.cookies, cookies) {
        Some(sealed) => LoginState::open(&state.store, &sealed).await,
        None => Ok(None),
    }
}

/// Back to where the login state began, with the reason in words. `wanted` is where it was to lead.
fn refused(purpose: Purpose, problem: SignInProblem, wanted: &str) -> Response {
    let (page, more) = match purpose {
        Purpose::SignIn => ("/sign-in", ""),
        Purpose::Again(_) => ("/sign-in/again", ""),
        Purpose::ChangeSignIn(_) => ("/sign-in/again", "&for=sign-in"),
        Purpose::Connect(_) => ("/account", ""),
    };
    let wanted = percent_encoded(&own_page(wanted));
    Redirect::to(&format!("{page}?problem={}&page={wanted}{more}", problem.code())).into_response()
}

fn failed(state: &AppState, error: &RecordsError) -> Response {
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
