//! Receives a file of user numbers, for a preview of these users.

use super::upload::{UploadError, small_file, text};
use app::error::AppError;
use app::form::{FormToken, TOKEN};
use app::pages::preview_of_file;
use app::state::AppState;
use axum::Extension;
use axum::extract::{Multipart, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse as _, Response};
use identity::Session;

/// The route that receives a file of user numbers.
pub(super) const LISTED_FILE_ROUTE: &str = "/tasks/preview-of-file";
/// Maximum size of the file, in bytes. The longest list has far fewer.
const MAX_LISTED_BYTES: usize = 1024 * 1024;

/// The fields of the form.
#[derive(Default)]
struct ListedFile {
    token: Option<String>,
    task: Option<String>,
    list: Option<Result<Vec<u8>, UploadError>>,
}

/// Receives a file, creates the preview and opens its page. A file that can't be read leads back to the form.
/// Bytes that are no text are no digits either, so that their line is rejected.
pub(super) async fn receive(
    State(state): State<AppState>,
    Extension(session): Extension<Session>,
    Extension(FormToken(token)): Extension<FormToken>,
    form: Multipart,
) -> Response {
    let Some(form) = read(form).await else { return StatusCode::UNPROCESSABLE_ENTITY.into_response() };
    let task = form.task.and_then(|task| task.parse().ok());
    let Some(task) = task else { return StatusCode::UNPROCESSABLE_ENTITY.into_response() };
    let list = match form.list {
        _ if form.token.as_deref() != Some(&*token) => Err(AppError::OtherSession),
        Some(Err(UploadError::TooLarge)) => Err(AppError::TooLarge(MAX_LISTED_BYTES / 1024)),
        Some(Err(_)) => Err(AppError::CutOff),
        Some(Ok(bytes)) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        None => Ok(String::new()),
    };
    let page = preview_of_file(&state, &session, task, list).await;
    (StatusCode::SEE_OTHER, [(LOCATION, page)]).into_response()
}

/// Reads the fields. Returns `None` for an incomplete form.
async fn read(mut form: Multipart) -> Option<ListedFile> {
    let mut read = ListedFile::default();
    while let Some(field) = form.next_field().await.ok()? {
        match field.name() {
            Some(TOKEN) => read.token = Some(text(field).await.ok()?),
            Some("task") => read.task = Some(text(field).await.ok()?),
            Some("file") => read.list = Some(small_file(field, MAX_LISTED_BYTES).await),
            _ => drop(text(field).await.ok()?),
        }
    }
    Some(read)
}
