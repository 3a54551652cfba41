//! Addresses that hold no text.

use app::form_post::is_text;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// Refuses a request whose path or query holds control characters, or bytes that are no UTF-8. PostgreSQL stores no U+0000,
/// and no page has any of them in its addresses.
pub(super) async fn only_text(request: Request, next: Next) -> Response {
    let uri = request.uri();
    if is_text(uri.path()) && uri.query().is_none_or(is_text) {
        return next.run(request).await;
    }
    let why = "This address contains characters that are not text. Nothing was changed. Type it again or \
               follow a link in Lethe";
    (StatusCode::BAD_REQUEST, why).into_response()
}
