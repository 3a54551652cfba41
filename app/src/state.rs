//! What the pages and server functions find in their context.

use crate::rate_limit::RateLimits;
use crate::route_access::Access;
use axum::extract::FromRef;
use http::request::Parts;
use leptos::config::LeptosOptions;
use leptos::prelude::{expect_context, use_context};
use records::{Actor, Session, Store};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Everything that one server process shares.
#[derive(Clone, Debug, FromRef)]
pub struct AppState {
    /// Where the compiled assets are.
    pub options: LeptosOptions,
    /// The records.
    pub store: Store,
    /// The rate limits.
    pub rate_limits: Arc<RateLimits>,
    /// How the cookie of a session is sent.
    pub cookies: Cookies,
    /// What the identity provider of the library is called, where it has one.
    pub single_sign_on: Option<SingleSignOn>,
    /// How long a form may take to arrive. Whoever sends one slowly keeps others waiting.
    pub form_time: Duration,
}

/// What the identity provider of the library is called.
#[derive(Clone, Debug)]
pub struct SingleSignOn(pub Arc<str>);

/// How the cookie of a session is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cookies {
    /// Over TLS only, under a name that no other site can set.
    Secure,
    /// Without TLS: to this computer only.
    Plain,
}

impl Cookies {
    /// The name of the cookie.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Secure => "__Host-lethe",
            Self::Plain => "lethe",
        }
    }

    /// The name of the cookie that names the device.
    pub const fn device_name(self) -> &'static str {
        match self {
            Self::Secure => "__Host-lethe-device",
            Self::Plain => "lethe-device",
        }
    }

    /// The name of the cookie that keeps a login state to an identity provider.
    pub const fn login_state_name(self) -> &'static str {
        match self {
            Self::Secure => "__Host-lethe-login-state",
            Self::Plain => "lethe-login-state",
        }
    }
}

/// From where a request comes, as far as it can be believed. The web server puts it into the extensions of the request.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// The cookie of the device from which a request comes; empty where it has none. The web server puts it into the extensions
/// of the request.
#[derive(Clone, Debug, Default)]
pub struct DeviceCookie(pub String);

/// The id of a request, which stands in the log. The web server makes it up.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Whoever asks has the key of a session that has ended. The web server puts it into the extensions of the request.
#[derive(Clone, Debug)]
pub struct SessionEnded {
    /// What the forms of the session carry.
    pub form_token: String,
}

/// The records, in a page or server function.
pub(crate) fn store() -> Store {
    expect_context::<AppState>().store
}

/// Something that the web server has put into the extensions of the request.
pub(crate) fn extension<T: Clone + Send + Sync + 'static>() -> Option<T> {
    use_context::<Parts>().and_then(|parts| parts.extensions.get::<T>().cloned())
}

/// The session of the request, whole or not.
pub(crate) fn session() -> Option<Session> {
    extension()
}

/// Who is at the page, or asks a server function: whom the web server found by the cookie of the request.
pub(crate) fn actor() -> Actor {
    session().map_or_else(Actor::without_session, |session| session.actor())
}

/// Whether the door at an address of this server opens for whoever is at the page. What somebody may not do is not
/// offered to them.
pub(crate) fn can_open(address: &str) -> bool {
    match crate::route_access::access_for_link(address) {
        Some(Access::Permission(action)) => actor().may(action),
        _ => true,
    }
}
