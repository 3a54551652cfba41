//! The log of requests. Each request has an id, which is logged and shown on error pages. The route is logged, never
//! the address: an address can contain a user number or search terms.

use app::state::RequestId;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use std::time::Instant;
use tracing::{Instrument as _, info, info_span};

const ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives a request its id, and logs its route, status and time.
pub(super) async fn log_request(mut request: Request, next: Next) -> Response {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    // Server functions share one route. Their paths contain no personal value.
    let route = if route.ends_with("{*function}") && request.uri().path().len() < 60 {
        request.uri().path().to_owned()
    } else {
        route
    };
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = info_span!("request", id, method = %request.method(), route);
    let began = Instant::now();
    async move {
        let mut response = next.run(request).await;
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        info!(status = response.status().as_u16(), milliseconds, "answered");
        if let Ok(id) = HeaderValue::try_from(id) {
            response.headers_mut().insert(ID, id);
        }
        response
    }
    .instrument(span)
    .await
}
