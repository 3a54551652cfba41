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
const TRIP: Duration = Duration::minutes(10);

/// Gives the browser the key of a session. It forgets it when it is closed; the server forgets it earlier.
pub(crate) fn keep(token: &Token) {
    send(&of_session(name(), token));
}

/// Lets the browser keep which device it is.
pub(crate) fn keep_device(sealed: &str) {
    send(&of_device(name(), sealed));
}

/// Lets the browser forget the session, and everything that it has kept of this site.
pub(crate) fn forget() {
    let cookies = name();
    send(&whole(cookies, Cookie::build((cookies.name(), "")).max_age(Duration::ZERO)));
    // Not the other cookies: the device stays known, so that attempts of others do not lock its user out.
    let everything = HeaderValue::from_static("\"cache\", \"storage\"");
    expect_context::<ResponseOptions>().insert_header(HeaderName::from_static("clear-site-data"), everything);
}

fn name() -> Cookies {
    expect_context::<AppState>().cookies
}

fn send(cookie: &str) {
    if let Ok(value) = HeaderValue::try_from(cookie) {
        expect_context::<ResponseOptions>().append_header(SET_COOKIE, value);
    }
}

/// The cookie that gives the browser the key of a session.
pub fn of_session(cookies: Cookies, token: &Token) -> String {
    whole(cookies, Cookie::build((cookies.name(), token.reveal().to_owned())))
}

/// The cookie that names the device, for the users who have signed in with it.
pub fn of_device(cookies: Cookies, sealed: &str) -> String {
    let age = Duration::days(DEVICE_DAYS);
    whole(cookies, Cookie::build((cookies.name_of_device(), sealed.to_owned())).max_age(age))
}

/// The cookie that keeps a login state to an identity provider.
pub fn of_trip(cookies: Cookies, sealed: &str) -> String {
    whole(cookies, Cookie::build((cookies.name_of_trip(), sealed.to_owned())).max_age(TRIP))
}

/// The cookie that lets the browser forget a login state.
pub fn of_trip_gone(cookies: Cookies) -> String {
    whole(cookies, Cookie::build((cookies.name_of_trip(), "")).max_age(Duration::ZERO))
}

/// What all cookies have in common. They come along when somebody comes back from an identity provider by a link, and
/// with no form and no script of another site (`Lax`).
fn whole(cookies: Cookies, cookie: CookieBuilder<'_>) -> String {
    let cookie = cookie.path("/").http_only(true).same_site(SameSite::Lax).secure(cookies == Cookies::Secure);
    cookie.build().to_string()
}

/// The key in the cookies of a request.
pub fn key(cookies: Cookies, header: &str) -> Option<String> {
    value(cookies.name(), header)
}

/// The sealed login state in the cookies of a request.
pub fn login_state(cookies: Cookies, header: &str) -> Option<String> {
    value(cookies.name_of_trip(), header)
}

/// The device in the cookies of a request.
pub fn device(cookies: Cookies, header: &str) -> Option<String> {
    value(cookies.name_of_device(), header)
}

fn value(name: &str, header: &str) -> Option<String> {
    Cookie::split_parse(header)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned())
}
