//! The context of pages and server functions.

use crate::rate_limit::RateLimits;
use crate::route_access::Access;
use axum::extract::FromRef;
use http::request::Parts;
use identity::Session;
use leptos::config::LeptosOptions;
use leptos::prelude::{expect_context, use_context};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use trail::{Actor, Store};

/// The shared state of one server process.
#[derive(Clone, Debug, FromRef)]
pub struct AppState {
    /// The options of Leptos, with the place of the compiled assets.
    pub options: LeptosOptions,
    /// The records.
    pub store: Store,
    /// The rate limits.
    pub rate_limits: Arc<RateLimits>,
    /// The security of the cookies.
    pub cookies: Cookies,
    /// The name of the library's identity provider, if it has one.
    pub single_sign_on: Option<SingleSignOn>,
    /// Time limit for the arrival of a form's body. A slow sender keeps others waiting.
    pub form_time: Duration,
}

/// The name of the library's identity provider.
#[derive(Clone, Debug)]
pub struct SingleSignOn(pub Arc<str>);

/// The security of the cookies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cookies {
    /// Cookies are sent over TLS only, under a name that no other site can set.
    Secure,
    /// Cookies are sent without TLS, to this computer only.
    Plain,
}

impl Cookies {
    /// Returns the name of the session cookie.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Secure => "__Host-lethe",
            Self::Plain => "lethe",
        }
    }

    /// Returns the name of the device cookie.
    pub const fn device_name(self) -> &'static str {
        match self {
            Self::Secure => "__Host-lethe-device",
            Self::Plain => "lethe-device",
        }
    }

    /// Returns the name of the cookie of a login state.
    pub const fn login_state_name(self) -> &'static str {
        match self {
            Self::Secure => "__Host-lethe-login-state",
            Self::Plain => "lethe-login-state",
        }
    }
}

/// The address of the client, as far as it can be trusted. The web server adds it to the extensions of the request.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// The device cookie of a request, or an empty text. The web server adds it to the extensions of the request.
#[derive(Clone, Debug, Default)]
pub struct DeviceCookie(pub String);

/// The id of a request in the log. The web server generates it.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// The caller has the token of a session that has ended. The web server adds this to the extensions of the request.
#[derive(Clone, Debug)]
pub struct SessionEnded {
    /// The token in the forms of the session.
    pub form_token: String,
}

/// Returns the store.
pub(crate) fn store() -> Store {
    expect_context::<AppState>().store
}

/// Returns a value that the web server has added to the extensions of the request.
pub(crate) fn extension<T: Clone + Send + Sync + 'static>() -> Option<T> {
    use_context::<Parts>().and_then(|parts| parts.extensions.get::<T>().cloned())
}

/// Returns the session of the request, whether its sign-in is complete or not.
pub(crate) fn session() -> Option<Session> {
    extension()
}

/// Returns the actor that the authentication middleware set for this request.
pub(crate) fn actor() -> Actor {
    session().map_or_else(Actor::without_session, |session| session.actor())
}

/// Returns whether the actor has access to an address of this server. Pages offer no link or button without access.
pub(crate) fn can_open(address: &str) -> bool {
    match crate::route_access::access_for_link(address) {
        Some(Access::Permission(action)) => actor().may(action),
        _ => true,
    }
}
