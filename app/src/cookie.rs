//! The cookie that carries the key of a session.

use crate::state::{AppState, Cookies};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use http::HeaderValue;
use http::header::{HeaderName, SET_COOKIE};
use leptos::prelude::expect_context;
use leptos_axum::ResponseOptions;
use records::session::Token;

/// Gives the browser the key of a session. It forgets it when it is closed; the server forgets it earlier.
pub(crate) fn keep(token: &Token) {
    send(Cookie::build((name().name(), token.reveal().to_owned())));
}

/// Lets the browser forget the session, and everything that it has kept of this site.
pub(crate) fn forget() {
    send(Cookie::build((name().name(), "")).max_age(Duration::ZERO));
    let everything = HeaderValue::from_static("\"cache\", \"cookies\", \"storage\"");
    expect_context::<ResponseOptions>().insert_header(HeaderName::from_static("clear-site-data"), everything);
}

fn name() -> Cookies {
    expect_context::<AppState>().cookies
}

fn send(cookie: cookie::CookieBuilder<'_>) {
    let cookie =
        cookie.path("/").http_only(true).same_site(SameSite::Lax).secure(name() == Cookies::Secure).build();
    if let Ok(value) = HeaderValue::try_from(cookie.to_string()) {
        expect_context::<ResponseOptions>().append_header(SET_COOKIE, value);
    }
}

/// The key in the cookies of a request.
pub fn key(cookies: Cookies, header: &str) -> Option<String> {
    Cookie::split_parse(header)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == cookies.name())
        .map(|cookie| cookie.value().to_owned())
}
