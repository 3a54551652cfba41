//! Receives a file of user numbers, for a preview of these users.

use super::upload::text;
use app::form::{FormToken, TOKEN};
use app::pages::preview_of_file;
use app::state::AppState;
use axum::Extension;
use axum::extract::multipart::Field;
use axum::extract::{Multipart, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse as _, Response};
use identity::Session;

/// The route that receives a file of user numbers.
pub(super) const LISTED_FILE_ROUTE: &str = "/tasks/preview-of-file";
/// Maximum size of the form, in bytes. The longest list has far fewer.
pub(super) const MAX_LISTED_BYTES: usize = 1024 * 1024;

/// The fields of the form.
#[derive(Default)]
struct ListedFile {
    token: Option<String>,
    task: Option<String>,
    list: Option<String>,
}

/// Receives a file, creates the preview and opens its page. A file that can't be read leads back to the form.
pub(super) async fn receive(
    State(state): State<AppState>,
    Extension(session): Extension<Session>,
    Extension(FormToken(token)): Extension<FormToken>,
    form: Multipart,
) -> Response {
    let Some(form) = read(form).await else { return StatusCode::UNPROCESSABLE_ENTITY.into_response() };
    let task = form.task.and_then(|task| task.parse().ok());
    let Some(task) = task else { return StatusCode::UNPROCESSABLE_ENTITY.into_response() };
    // A form of another session has no list.
    let list = form.list.filter(|_| form.token.as_deref() == Some(&*token));
    let page = preview_of_file(&state, &session, task, list.as_deref()).await;
    (StatusCode::SEE_OTHER, [(LOCATION, page)]).into_response()
}

/// Reads the fields. Returns `None` for a form that is too large or incomplete.
async fn read(mut form: Multipart) -> Option<ListedFile> {
    let mut read = ListedFile::default();
    while let Some(field) = form.next_field().await.ok()? {
        match field.name() {
            Some(TOKEN) => read.token = Some(text(field).await.ok()?),
            Some("task") => read.task = Some(text(field).await.ok()?),
            Some("file") => read.list = Some(content(field).await?),
            _ => drop(text(field).await.ok()?),
        }
    }
    Some(read)
}

/// Reads a file. Bytes that are no text are no digits either, so that their line is rejected.
async fn content(field: Field<'_>) -> Option<String> {
    let bytes = field.bytes().await.ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
