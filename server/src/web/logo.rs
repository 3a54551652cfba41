//! The logo of the library: shown and uploaded.

use super::down;
use app::form::{FormToken, TOKEN};
use app::pages::with_proof;
use app::state::AppState;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Multipart, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::response::{IntoResponse as _, Response};
use identity::Session;
use policy::library::LogoProblem;
use trail::library;

/// The page with the form.
const PAGE: &str = "/library";
/// The address of a logo contains its digest, so a browser can keep it.
const KEEP: &str = "private, max-age=31536000, immutable";

/// Answers with the logo.
pub(super) async fn logo(State(state): State<AppState>) -> Response {
    match library::logo(&state.store).await {
        Ok(logo) => ([(CONTENT_TYPE, logo.media_type), (CACHE_CONTROL, KEEP)], logo.bytes).into_response(),
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
    let failed = if sent.token.as_deref() == Some(token.as_str()) {
        library::picture(&sent.picture).err().map(LogoProblem::code)
    } else {
        Some("other-session")
    };
    if let Some(code) = failed {
        return redirect(format!("{PAGE}?failed={code}"));
    }
    match library::set_logo(&state.store, session.actor(), sent.picture.into()).await {
        Ok(()) => redirect(with_proof("/library?done=logo-saved", &session)),
        Err(error) => down::failed(&state.store, error, "the logo could not be stored"),
    }
}

/// The fields of the form.
#[derive(Default)]
struct Sent {
    token: Option<String>,
    picture: Bytes,
}

/// Reads the fields. A body that is cut off or damaged has no picture.
async fn read(mut form: Multipart) -> Sent {
    let mut sent = Sent::default();
    while let Ok(Some(field)) = form.next_field().await {
        let name = field.name().unwrap_or_default().to_owned();
        let Ok(bytes) = field.bytes().await else { break };
        match name.as_str() {
            TOKEN => sent.token = String::from_utf8(bytes.into()).ok(),
            "file" => sent.picture = bytes,
            _ => {}
        }
    }
    sent
}

fn redirect(page: String) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, page)]).into_response()
}
