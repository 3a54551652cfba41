//! The cookies: the session, the device, and the login state of a sign-in at the identity provider.

use crate::state::{AppState, Cookies};
use cookie::time::Duration;
use cookie::{Cookie, CookieBuilder, SameSite};
use http::HeaderValue;
use http::header::{HeaderName, SET_COOKIE};
use identity::session::{DEVICE_DAYS, Token};
use leptos::prelude::expect_context;
use leptos_axum::ResponseOptions;

/// The lifetime of a login state.
const LOGIN_STATE_MAX_AGE: Duration = Duration::minutes(10);

/// Sets the cookie of the session. The browser drops it when it is closed; the server ends the session earlier.
pub(crate) fn set_session(token: &Token) {
    send(&session_cookie(own_cookies(), token));
}

/// Sets the cookie of the device.
pub(crate) fn set_device(sealed: &str) {
    send(&device_cookie(own_cookies(), sealed));
}

/// Removes the cookie of the session, and everything that the browser has cached of this site.
pub(crate) fn clear_session() {
    let cookies = own_cookies();
    send(&with_attributes(cookies, Cookie::build((cookies.name(), "")).max_age(Duration::ZERO)));
    // The device cookie stays, so that failed attempts of others do not lock the user out.
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

/// Returns the cookie of a session.
pub fn session_cookie(cookies: Cookies, token: &Token) -> String {
    with_attributes(cookies, Cookie::build((cookies.name(), token.reveal().to_owned())))
}

/// Returns the cookie of a device, for the users who have signed in with it.
pub fn device_cookie(cookies: Cookies, sealed: &str) -> String {
    let age = Duration::days(DEVICE_DAYS);
    with_attributes(cookies, Cookie::build((cookies.device_name(), sealed.to_owned())).max_age(age))
}

/// Returns the cookie of a login state.
pub fn login_state_cookie(cookies: Cookies, sealed: &str) -> String {
    with_attributes(
        cookies,
        Cookie::build((cookies.login_state_name(), sealed.to_owned())).max_age(LOGIN_STATE_MAX_AGE),
    )
}

/// Returns the cookie that removes a login state.
pub fn expired_login_state_cookie(cookies: Cookies) -> String {
    with_attributes(cookies, Cookie::build((cookies.login_state_name(), "")).max_age(Duration::ZERO))
}

/// Adds the common attributes. `Lax`: a link from the identity provider sends the cookies; forms and scripts of other
/// sites do not.
fn with_attributes(cookies: Cookies, cookie: CookieBuilder<'_>) -> String {
    let cookie = cookie.path("/").http_only(true).same_site(SameSite::Lax).secure(cookies == Cookies::Secure);
    cookie.build().to_string()
}

/// Returns the session token in the cookies of a request.
pub fn session_token(cookies: Cookies, header: &str) -> Option<String> {
    value(cookies.name(), header)
}

/// Returns the encrypted login state in the cookies of a request.
pub fn login_state(cookies: Cookies, header: &str) -> Option<String> {
    value(cookies.login_state_name(), header)
}

/// Returns the device in the cookies of a request.
pub fn device(cookies: Cookies, header: &str) -> Option<String> {
    value(cookies.device_name(), header)
}

fn value(name: &str, header: &str) -> Option<String> {
    Cookie::split_parse(header)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned())
}
