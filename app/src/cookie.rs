//! The cookies: one carries the key of a session, one names the device, one keeps a login state to an identity provider.

use crate::state::{AppState, Cookies};
use cookie::time::Duration;
use cookie::{Cookie, CookieBuilder, SameSite};
use http::HeaderValue;
use http::header::{HeaderName, SET_COOKIE};
use leptos::prelude::expect_context;
use leptos_axum::ResponseOptions;
use records::session::{DEVICE_DAYS, Token};

/// How long a browser keeps a login state to an identity provider.
const LOGIN_STATE_MAX_AGE: Duration = Duration::minutes(10);

/// Gives the browser the key of a session. It forgets it when it is closed; the server forgets it earlier.
pub(crate) fn set_session(token: &Token) {
    send(&session_cookie(own_cookies(), token));
}

/// Lets the browser keep which device it is.
pub(crate) fn set_device(sealed: &str) {
    send(&device_cookie(own_cookies(), sealed));
}

/// Lets the browser forget the session, and everything that it has kept of this site.
pub(crate) fn clear_session() {
    let cookies = own_cookies();
    send(&with_attributes(cookies, Cookie::build((cookies.name(), "")).max_age(Duration::ZERO)));
    // Not the other cookies: the device stays known, so that attempts of others do not lock its user out.
    let everything = HeaderValue::from_static("\"cache\", \"storage\"");
    expect_context::<ResponseOptions>().insert_header(HeaderName::from_static("clear-site-data"), everything);
}

fn own_cookies() -> Cookies {
    expect_context::<AppState>().cookies
}

fn send(cookie: &str) {
    if let Ok(value) = HeaderValue::try_from(cookie) {
        expect_context::<ResponseOptions>().append_header(SET_COOKIE, value);
    }
}

/// The cookie that gives the browser the key of a session.
pub fn session_cookie(cookies: Cookies, token: &Token) -> String {
    with_attributes(cookies, Cookie::build((cookies.name(), token.reveal().to_owned())))
}

/// The cookie that names the device, for the users who have signed in with it.
pub fn device_cookie(cookies: Cookies, sealed: &str) -> String {
    let age = Duration::days(DEVICE_DAYS);
    with_attributes(cookies, Cookie::build((cookies.device_name(), sealed.to_owned())).max_age(age))
}

/// The cookie that keeps a login state to an identity provider.
pub fn login_state_cookie(cookies: Cookies, sealed: &str) -> String {
    with_attributes(
        cookies,
        Cookie::build((cookies.login_state_name(), sealed.to_owned())).max_age(LOGIN_STATE_MAX_AGE),
    )
}

/// The cookie that lets the browser forget a login state.
pub fn expired_login_state_cookie(cookies: Cookies) -> String {
    with_attributes(cookies, Cookie::build((cookies.login_state_name(), "")).max_age(Duration::ZERO))
}

/// What all cookies have in common. They come along when somebody comes back from an identity provider by a link, and
/// with no form and no script of another site (`Lax`).
fn with_attributes(cookies: Cookies, cookie: CookieBuilder<'_>) -> String {
    let cookie = cookie.path("/").http_only(true).same_site(SameSite::Lax).secure(cookies == Cookies::Secure);
    cookie.build().to_string()
}

/// The key in the cookies of a request.
pub fn session_token(cookies: Cookies, header: &str) -> Option<String> {
    value(cookies.name(), header)
}

/// The sealed login state in the cookies of a request.
pub fn login_state(cookies: Cookies, header: &str) -> Option<String> {
    value(cookies.login_state_name(), header)
}

/// The device in the cookies of a request.
pub fn device(cookies: Cookies, header: &str) -> Option<String> {
    value(cookies.device_name(), header)
}

fn value(name: &str, header: &str) -> Option<String> {
    Cookie::split_parse(header)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned())
}
