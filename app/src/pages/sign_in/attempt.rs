//! Attempts to prove an identity, counted.

use crate::cookie;
use crate::error::AppError;
use crate::rate_limit::{Account, Attempt, Known, Shown};
use crate::state::{AppState, ClientAddress, DeviceCookie, extension};
use leptos::prelude::expect_context;
use policy::UserNumber;
use records::session::{Stage, device_of, remember_device};
use records::{Caller, RecordsError, Session, staff};
use std::net::{IpAddr, Ipv4Addr};

/// The most characters of a `UserID`. No user has a longer one.
pub(super) const MAX_USER_ID_CHARACTERS: usize = 200;

/// An attempt that is allowed.
pub(crate) struct Allowed {
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
pub(crate) fn attempt_from_here() -> Result<(), AppError> {
    let throttle = expect_context::<AppState>().throttle;
    if throttle.allows_from(address()) { Ok(()) } else { Err(AppError::TooMany) }
}

/// Counts an attempt to show something in a session, and rejects one too many.
pub(crate) async fn attempt(shown: Shown, session: &Session) -> Result<Allowed, AppError> {
    let known = (session.stage == Stage::Whole).then_some(Known::Session);
    count(shown, Account::User(session.user), known).await
}

/// Counts an attempt to sign in, and rejects one too many. Returns the user with this name, if there is one.
pub(crate) async fn attempt_to_sign_in(user_id: &str) -> Result<(Option<UserNumber>, Allowed), AppError> {
    let user_id = user_id.trim();
    let user = staff::user_with_id(&expect_context::<AppState>().store, user_id).await?;
    let name = user_id.to_lowercase();
    let account = user.map_or(Account::Unknown(&name), Account::User);
    Ok((user, count(Shown::Password, account, None).await?))
}

/// Counts an attempt. A known device is looked for first, so that it takes nothing from the budgets that it shares with
/// others at its address.
async fn count(shown: Shown, account: Account<'_>, known: Option<Known<'_>>) -> Result<Allowed, AppError> {
    let AppState { store, throttle, .. } = expect_context();
    let device = match account {
        Account::User(user) => device_of(&store, user, &device_cookie()).await?,
        Account::Unknown(_) => None,
    };
    let known = device.as_deref().map(Known::Device).or(known);
    let attempt = Attempt { shown, account, address: address(), known };
    match throttle.allows(&attempt) {
        Some(caller) => Ok(Allowed { caller, device }),
        None => Err(AppError::TooMany),
    }
}

/// Remembers address and device of a user who has just signed in with everything that they have to show.
pub(crate) async fn keep_known(user: UserNumber) {
    let state = expect_context::<AppState>();
    match remember(&state, user, address(), &device_cookie()).await {
        Ok(sealed) => cookie::keep_device(&sealed),
        Err(error) => tracing::warn!(code = error.code(), "a device could not be remembered"),
    }
}

/// Remembers address and device of a user who has just signed in: the cookie for the browser.
pub async fn remember(
    state: &AppState,
    user: UserNumber,
    address: IpAddr,
    device_cookie: &str,
) -> Result<String, RecordsError> {
    state.throttle.signed_in(user, address);
    remember_device(&state.store, user, device_cookie).await
}
