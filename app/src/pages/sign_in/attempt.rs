//! Counts the attempts to prove an identity.

use crate::cookie;
use crate::error::AppError;
use crate::rate_limit::{Account, Attempt, AttemptKind, KnownCaller};
use crate::state::{AppState, ClientAddress, DeviceCookie, extension};
use db::RecordsError;
use identity::session::{Stage, device_of, remember_device};
use identity::{Caller, Session, staff};
use leptos::prelude::expect_context;
use policy::UserNumber;
use std::net::{IpAddr, Ipv4Addr};

/// The maximum length of a `UserID`, in characters.
pub(super) const MAX_USER_ID_CHARACTERS: usize = 200;

/// An allowed attempt.
pub(crate) struct AllowedAttempt {
    /// The kind of caller.
    pub(crate) caller: Caller,
    /// The device, if the account signed in with it before.
    pub(crate) device: Option<String>,
}

fn address() -> IpAddr {
    extension::<ClientAddress>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.0)
}

fn device_cookie() -> String {
    extension::<DeviceCookie>().unwrap_or_default().0
}

/// Counts an attempt from the address of the caller, and rejects one too many.
pub(crate) fn count_attempt_from_address() -> Result<(), AppError> {
    let rate_limits = expect_context::<AppState>().rate_limits;
    if rate_limits.allows_from(address()) { Ok(()) } else { Err(AppError::TooMany) }
}

/// Counts an answer to an announcement from the address of the caller, and rejects one too many.
pub(crate) fn count_answer() -> Result<(), AppError> {
    let rate_limits = expect_context::<AppState>().rate_limits;
    if rate_limits.allows_answer(address()) { Ok(()) } else { Err(AppError::TooMany) }
}

/// Counts an attempt in a session, and rejects one too many.
pub(crate) async fn count_attempt(kind: AttemptKind, session: &Session) -> Result<AllowedAttempt, AppError> {
    let known = (session.stage == Stage::SignedIn).then_some(KnownCaller::Session);
    count(kind, Account::User(session.user), known).await
}

/// Counts an attempt to sign in, and rejects one too many. Returns the user with this name, if there is one.
pub(crate) async fn count_sign_in_attempt(
    user_id: &str,
) -> Result<(Option<UserNumber>, AllowedAttempt), AppError> {
    let user_id = user_id.trim();
    let user = staff::user_with_id(&expect_context::<AppState>().store, user_id).await?;
    let name = user_id.to_lowercase();
    let account = user.map_or(Account::Unknown(&name), Account::User);
    Ok((user, count(AttemptKind::Password, account, None).await?))
}

/// Counts an attempt. A known device is recognised first, so that it does not use the budgets that it shares with
/// others at its address.
async fn count(
    kind: AttemptKind,
    account: Account<'_>,
    known: Option<KnownCaller<'_>>,
) -> Result<AllowedAttempt, AppError> {
    let AppState { store, rate_limits, .. } = expect_context();
    let device = match account {
        Account::User(user) => device_of(&store, user, &device_cookie()).await?,
        Account::Unknown(_) => None,
    };
    let known = device.as_deref().map(KnownCaller::Device).or(known);
    let attempt = Attempt { kind, account, address: address(), known };
    match rate_limits.allows(&attempt) {
        Some(caller) => Ok(AllowedAttempt { caller, device }),
        None => Err(AppError::TooMany),
    }
}

/// Stores address and device of a user who has completed a sign-in, and sets the device cookie.
pub(crate) async fn remember_caller(user: UserNumber) {
    let state = expect_context::<AppState>();
    match remember_address_and_device(&state, user, address(), &device_cookie()).await {
        Ok(sealed) => cookie::set_device(&sealed),
        Err(error) => tracing::warn!(code = error.code(), "a device could not be remembered"),
    }
}

/// Stores address and device of a user who has completed a sign-in. Returns the value of the device cookie.
pub async fn remember_address_and_device(
    state: &AppState,
    user: UserNumber,
    address: IpAddr,
    device_cookie: &str,
) -> Result<String, RecordsError> {
    state.rate_limits.remember_address(user, address);
    remember_device(&state.store, user, device_cookie).await
}
