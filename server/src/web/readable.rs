//! Rejects addresses that are not text.

use app::url::is_text;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// Rejects a request whose path or query contains control characters or bytes that are not UTF-8. No page has such an
/// address, and PostgreSQL cannot store U+0000.
pub(super) async fn reject_non_text_uri(request: Request, next: Next) -> Response {
    let uri = request.uri();
    if is_text(uri.path()) && uri.query().is_none_or(is_text) {
        return next.run(request).await;
    }
    let why = "This address contains characters that are not text. Nothing was changed. Type it again or \
               follow a link in Lethe";
    (StatusCode::BAD_REQUEST, why).into_response()
}
