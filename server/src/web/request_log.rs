//! Each request has an id, which stands in the log and in what the reader of a page can tell the administrator. The log
//! has the route and never the address itself: the address can name a user, and what somebody looks for.

use app::state::RequestId;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use std::time::Instant;
use tracing::{Instrument as _, info, info_span};

const ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives a request its id and notes how it ended.
pub(super) async fn logged(mut request: Request, next: Next) -> Response {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    // Server functions share a route, and their paths name nobody.
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
