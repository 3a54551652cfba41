//! Requests on their way. A client that sends a form slowly takes no place from those that are answered, and one client has
//! only so many forms on their way and requests being answered.

use super::Outside;
use super::auth::peer_of;
use super::shares::{Permit, Shares};
use app::form_post;
use app::state::AppState;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, RETRY_AFTER};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;

/// How many forms may be on their way from one address.
pub(super) const FROM_ONE: usize = 32;
/// How many forms may be on their way from one network.
const FROM_NETWORK: usize = 96;
/// How many may be on their way in all: each can have two megabytes.
const IN_ALL: usize = 512;

/// How many requests of one address are answered, or wait for that, or are being read. Fewer than are answered at once
/// ([`super::AT_ONCE`]), so that one address leaves places to the others.
const ANSWERED_FOR_ONE: usize = 160;
/// How many requests of one network are answered, or wait for that, or are being read.
const ANSWERED_FOR_NETWORK: usize = 192;
/// How many requests are answered at once or wait for that.
const ANSWERED_IN_ALL: usize = 4_096;

/// How many requests for health and figures one address may have under way.
const WATCHED_FOR_ONE: usize = 64;
/// How many requests for health and figures may be under way.
const WATCHED_IN_ALL: usize = 512;

/// Where a form to sign in goes. Whoever has the address of Lethe can send it, and each takes the time of a hash.
const SIGN_IN: &str = "/do/sign_in";
/// How many forms to sign in are answered at once for one address.
const SIGN_INS_FOR_ONE: usize = 16;
/// How many forms to sign in are answered at once. The others are refused, so that signed-in work does not wait for them.
const SIGN_INS_IN_ALL: usize = 64;

/// The requests that are on their way.
#[derive(Clone, Debug)]
pub(super) struct Arrivals {
    forms: Shares,
    answered: Shares,
    sign_ins: Shares,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self {
            forms: Shares::new(FROM_ONE, FROM_NETWORK, IN_ALL),
            answered: Shares::new(ANSWERED_FOR_ONE, ANSWERED_FOR_NETWORK, ANSWERED_IN_ALL),
            sign_ins: Shares::new(SIGN_INS_FOR_ONE, SIGN_INS_FOR_ONE, SIGN_INS_IN_ALL),
        }
    }
}

/// Waits until a form is there, and has the request answered if its client has not too many.
pub(super) async fn arrive(
    State((state, outside, arrivals)): State<(AppState, Outside, Arrivals)>,
    request: Request,
    next: Next,
) -> Response {
    let address = outside.address_of(peer_of(&request), request.headers());
    // No handler reads the body of a GET request.
    let request = if request.method().is_safe() {
        request
    } else {
        let Some(place) = arrivals.forms.place(address) else { return too_many() };
        let arrived = form_post::arrive(request, state.cookies, state.form_time).await;
        drop(place);
        match arrived {
            Ok(request) => request,
            Err(status) => return status.into_response(),
        }
    };
    let Some(place) = arrivals.answered.place(address) else { return too_many() };
    let sign_in = if request.uri().path() == SIGN_IN {
        let Some(place) = arrivals.sign_ins.place(address) else { return too_many() };
        Some(place)
    } else {
        None
    };
    let answer = next.run(request).await;
    drop(sign_in);
    until_read(answer, place)
}

/// The answer, which holds the place of its client until it is read, or its connection is closed.
fn until_read(answer: Response, place: Permit) -> Response {
    let (mut parts, body) = answer.into_parts();
    match body.size_hint().exact() {
        Some(0) => return Response::from_parts(parts, body),
        Some(length) => _ = parts.headers.entry(CONTENT_LENGTH).or_insert(length.into()),
        None => {}
    }
    let body = body.into_data_stream().inspect(move |_| {
        let _is_held = &place;
    });
    Response::from_parts(parts, Body::from_stream(body))
}

/// The requests for health and figures that are under way. They take no place among the others and wait for none.
#[derive(Clone, Debug)]
pub(super) struct Watching(Shares);

impl Default for Watching {
    fn default() -> Self {
        Self(Shares::new(WATCHED_FOR_ONE, WATCHED_FOR_ONE, WATCHED_IN_ALL))
    }
}

/// Lets one client ask for health and figures only so many times at once.
pub(super) async fn watch(
    State((outside, watching)): State<(Outside, Watching)>,
    request: Request,
    next: Next,
) -> Response {
    let address = outside.address_of(peer_of(&request), request.headers());
    let Some(_place) = watching.0.place(address) else { return too_many() };
    next.run(request).await
}

/// The answer to a client that has too many requests on their way.
fn too_many() -> Response {
    let why = "Too many requests from your network. Try again in a moment";
    let seconds = [(RETRY_AFTER, form_post::RETRY_AFTER_SECONDS)];
    (StatusCode::TOO_MANY_REQUESTS, seconds, why).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;

    #[tokio::test]
    async fn a_place_is_held_until_the_answer_is_read() {
        let shares = Shares::new(1, 1, 64);
        let address = "192.0.2.1".parse().expect("an address");
        let place = || shares.place(address);
        let read = until_read("page".into_response(), place().expect("a place"));
        assert!(place().is_none(), "the answer waits for its client");
        assert_eq!(read.headers()[CONTENT_LENGTH], "4");
        assert_eq!(to_bytes(read.into_body(), 16).await.expect("a body"), "page");
        let cut_off = until_read("page".into_response(), place().expect("it was read"));
        drop(cut_off);
        let empty =
            until_read(StatusCode::SERVICE_UNAVAILABLE.into_response(), place().expect("it was cut off"));
        assert_eq!(empty.body().size_hint().exact(), Some(0), "an empty answer stays one");
        assert!(place().is_some());
    }

    #[test]
    fn one_address_leaves_places_among_those_that_are_answered() {
        const { assert!(ANSWERED_FOR_NETWORK < crate::web::AT_ONCE && ANSWERED_FOR_ONE < ANSWERED_FOR_NETWORK) };
    }
}
