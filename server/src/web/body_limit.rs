//! Limits on requests in flight, by address and network. A form is buffered before it counts as an answered request, so
//! that slow senders do not block others. An uploaded file is streamed; uploads have their own limit.

use super::UPLOAD_ROUTES;
use super::auth::peer_of;
use super::shares::{Permit, Shares};
use crate::network::NetworkConfig;
use app::form_post;
use app::state::AppState;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, RETRY_AFTER};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;

/// Maximum number of forms that one address sends at the same time.
pub(super) const MAX_FORMS_PER_ADDRESS: usize = 32;
/// Maximum number of forms that one network sends at the same time.
const MAX_FORMS_PER_NETWORK: usize = 96;
/// Maximum number of forms in flight in total. Each can have two megabytes.
const MAX_FORMS: usize = 512;

/// Maximum number of requests of one address that are waiting, being answered or being read. It is less than
/// [`super::MAX_CONCURRENT_REQUESTS`], so that one address cannot block the others.
const MAX_REQUESTS_PER_ADDRESS: usize = 160;
/// Maximum number of requests of one network that are waiting, being answered or being read.
const MAX_REQUESTS_PER_NETWORK: usize = 192;
/// Maximum number of requests in flight in total.
const MAX_REQUESTS: usize = 4_096;

/// Maximum number of requests for health and metrics in flight per address.
const MAX_PROBES_PER_ADDRESS: usize = 64;
/// Maximum number of requests for health and metrics in flight in total.
const MAX_PROBES: usize = 512;

/// The route of the sign-in form. Any client can post it, and each post costs a password hash.
const SIGN_IN_ROUTE: &str = "/do/sign_in";
/// Maximum number of sign-in forms of one address that are answered at the same time.
const MAX_SIGN_INS_PER_ADDRESS: usize = 16;
/// Maximum number of sign-in forms that are answered at the same time. Further ones are rejected, so that signed-in
/// staff do not wait for them.
const MAX_SIGN_INS: usize = 64;

/// Maximum number of files that one address uploads at the same time.
const MAX_UPLOADS_PER_ADDRESS: usize = 2;
/// Maximum number of files that are uploaded at the same time. Each is streamed to the disk.
const MAX_UPLOADS: usize = 8;

/// The requests in flight.
#[derive(Clone, Debug)]
pub(super) struct InFlightRequests {
    forms: Shares,
    requests: Shares,
    sign_ins: Shares,
    uploads: Shares,
}

impl Default for InFlightRequests {
    fn default() -> Self {
        Self {
            forms: Shares::new(MAX_FORMS_PER_ADDRESS, MAX_FORMS_PER_NETWORK, MAX_FORMS),
            requests: Shares::new(MAX_REQUESTS_PER_ADDRESS, MAX_REQUESTS_PER_NETWORK, MAX_REQUESTS),
            sign_ins: Shares::new(MAX_SIGN_INS_PER_ADDRESS, MAX_SIGN_INS_PER_ADDRESS, MAX_SIGN_INS),
            uploads: Shares::new(MAX_UPLOADS_PER_ADDRESS, MAX_UPLOADS, MAX_UPLOADS),
        }
    }
}

/// Buffers the body of a form, then answers the request. Rejects it if its client has too many requests in flight.
pub(super) async fn limit_requests(
    State((state, network, in_flight)): State<(AppState, NetworkConfig, InFlightRequests)>,
    request: Request,
    next: Next,
) -> Response {
    let address = network.address_of(peer_of(&request), request.headers());
    // No handler reads the body of a GET request.
    let upload = if UPLOAD_ROUTES.contains(&request.uri().path()) {
        let Some(permit) = in_flight.uploads.try_acquire(address) else { return too_many() };
        Some(permit)
    } else {
        None
    };
    let request = if request.method().is_safe() || upload.is_some() {
        request
    } else {
        let Some(permit) = in_flight.forms.try_acquire(address) else { return too_many() };
        let buffered = form_post::buffer_body(request, state.cookies, state.form_time).await;
        drop(permit);
        match buffered {
            Ok(request) => request,
            Err(status) => return status.into_response(),
        }
    };
    let Some(permit) = in_flight.requests.try_acquire(address) else { return too_many() };
    let sign_in = if request.uri().path() == SIGN_IN_ROUTE {
        let Some(permit) = in_flight.sign_ins.try_acquire(address) else { return too_many() };
        Some(permit)
    } else {
        None
    };
    let answer = next.run(request).await;
    drop((sign_in, upload));
    hold_until_read(answer, permit)
}

/// Lets the response hold the permit until the client has read it, or the connection is closed.
fn hold_until_read(answer: Response, permit: Permit) -> Response {
    let (mut parts, body) = answer.into_parts();
    match body.size_hint().exact() {
        Some(0) => return Response::from_parts(parts, body),
        Some(length) => _ = parts.headers.entry(CONTENT_LENGTH).or_insert(length.into()),
        None => {}
    }
    let body = body.into_data_stream().inspect(move |_| {
        let _held = &permit;
    });
    Response::from_parts(parts, Body::from_stream(body))
}

/// The requests for health and metrics in flight. They are limited separately, so that monitoring works under load.
#[derive(Clone, Debug)]
pub(super) struct InFlightProbes(Shares);

impl Default for InFlightProbes {
    fn default() -> Self {
        Self(Shares::new(MAX_PROBES_PER_ADDRESS, MAX_PROBES_PER_ADDRESS, MAX_PROBES))
    }
}

/// Limits the requests of one client for health and metrics.
pub(super) async fn limit_probes(
    State((network, probes)): State<(NetworkConfig, InFlightProbes)>,
    request: Request,
    next: Next,
) -> Response {
    let address = network.address_of(peer_of(&request), request.headers());
    let Some(_permit) = probes.0.try_acquire(address) else { return too_many() };
    next.run(request).await
}

/// Answers a client that has too many requests in flight.
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
    async fn a_permit_is_held_until_the_response_is_read() {
        let shares = Shares::new(1, 1, 64);
        let address = "192.0.2.1".parse().expect("an address");
        let acquire = || shares.try_acquire(address);
        let read = hold_until_read("page".into_response(), acquire().expect("a permit"));
        assert!(acquire().is_none(), "the client has not read the response");
        assert_eq!(read.headers()[CONTENT_LENGTH], "4");
        assert_eq!(to_bytes(read.into_body(), 16).await.expect("a body"), "page");
        let closed = hold_until_read("page".into_response(), acquire().expect("the response was read"));
        drop(closed);
        let empty = hold_until_read(
            StatusCode::SERVICE_UNAVAILABLE.into_response(),
            acquire().expect("the connection was closed"),
        );
        assert_eq!(empty.body().size_hint().exact(), Some(0), "an empty response stays empty");
        assert!(acquire().is_some());
    }

    #[test]
    fn one_address_cannot_occupy_all_concurrent_requests() {
        const {
            assert!(
                MAX_REQUESTS_PER_NETWORK < crate::web::MAX_CONCURRENT_REQUESTS
                    && MAX_REQUESTS_PER_ADDRESS < MAX_REQUESTS_PER_NETWORK
            );
        };
    }
}
