//! The logo of the library: shown and uploaded.

use super::down;
use super::upload::{UploadError, small_file, text};
use app::form::{FormToken, TOKEN};
use app::pages::with_proof;
use app::state::AppState;
use axum::Extension;
use axum::extract::{Multipart, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::response::{IntoResponse as _, Response};
use identity::Session;
use policy::library::{LogoProblem, MAX_LOGO_BYTES};
use serde::Deserialize;
use trail::library;

/// The route that receives a logo.
pub(super) const LOGO_UPLOAD_ROUTE: &str = "/library/logo/upload";
/// The page with the form.
const PAGE: &str = "/library";
/// A browser keeps the logo if the address contains its digest.
const KEEP: &str = "private, max-age=31536000, immutable";
/// Any other address can get another logo.
const ASK_AGAIN: &str = "private, no-cache";

/// The query of the address of a logo.
#[derive(Debug, Deserialize)]
pub(super) struct LogoVersion {
    /// The digest of the logo.
    v: Option<String>,
}

/// Answers with the logo.
pub(super) async fn logo(State(state): State<AppState>, Query(version): Query<LogoVersion>) -> Response {
    match library::logo(&state.store).await {
        Ok(logo) => {
            let keep = if version.v.as_ref() == Some(&logo.digest) { KEEP } else { ASK_AGAIN };
            ([(CONTENT_TYPE, logo.media_type), (CACHE_CONTROL, keep)], logo.bytes).into_response()
        }
        Err(error) => down::failed(&state.store, error, "the logo could not be read"),
    }
}

/// Receives a picture and makes it the logo.
pub(super) async fn receive(
    State(state): State<AppState>,
    Extension(session): Extension<Session>,
    Extension(FormToken(token)): Extension<FormToken>,
    form: Option<Multipart>,
) -> Response {
    let sent = match form {
        Some(form) => read(form).await,
        None => Sent::default(),
    };
    let checked = if sent.token.as_deref() == Some(token.as_str()) {
        checked(sent.picture).map_err(LogoProblem::code)
    } else {
        Err(UploadError::OtherSession.code())
    };
    let picture = match checked {
        Ok(picture) => picture,
        Err(code) => return redirect(format!("{PAGE}?failed={code}")),
    };
    match library::set_logo(&state.store, session.actor(), picture).await {
        Ok(()) => redirect(with_proof("/library?done=logo-saved", &session)),
        Err(error) => down::failed(&state.store, error, "the logo could not be stored"),
    }
}

/// The fields of the form.
#[derive(Default)]
struct Sent {
    token: Option<String>,
    /// None if no file was sent.
    picture: Option<Result<Vec<u8>, UploadError>>,
}

/// Reads the fields. A body that is damaged has no picture.
async fn read(mut form: Multipart) -> Sent {
    let mut sent = Sent::default();
    while let Ok(Some(field)) = form.next_field().await {
        match field.name() {
            Some(TOKEN) => sent.token = text(field).await.ok(),
            Some("file") => sent.picture = Some(small_file(field, MAX_LOGO_BYTES).await),
            _ => drop(text(field).await),
        }
    }
    sent
}

/// Returns the picture, or the problem with it. A file that was cut off counts as none.
fn checked(sent: Option<Result<Vec<u8>, UploadError>>) -> Result<Vec<u8>, LogoProblem> {
    let picture = match sent {
        Some(Ok(picture)) => picture,
        Some(Err(UploadError::TooLarge)) => return Err(LogoProblem::TooLarge),
        Some(Err(_)) | None => return Err(LogoProblem::NoFile),
    };
    library::picture(&picture)?;
    Ok(picture)
}

fn redirect(page: String) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, page)]).into_response()
}
