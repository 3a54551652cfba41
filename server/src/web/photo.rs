//! Photos of users.

use super::down;
use app::state::AppState;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use policy::UserNumber;
use records::user;

/// The media types of photos. Any other type could be a page or a script.
const MEDIA_TYPES: [&str; 4] = ["image/jpeg", "image/png", "image/webp", "image/gif"];

/// Answers with the photo of a user.
pub(super) async fn photo(State(state): State<AppState>, Path(number): Path<i64>) -> Response {
    match user::photo(&state.store, UserNumber(number)).await {
        Ok(photo) => match MEDIA_TYPES.into_iter().find(|kind| *kind == photo.media_type) {
            Some(kind) => ([(CONTENT_TYPE, kind)], photo.bytes).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        Err(error) => down::failed(&state.store, error, "a photo could not be read"),
    }
}
