//! Receives the files of imports. A file is streamed to a private copy, so that its size doesn't matter to the memory.

use super::down;
use app::form::{FormToken, TOKEN};
use app::state::AppState;
use axum::Extension;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{Multipart, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse as _, Response};
use db::RecordsError;
use identity::Session;
use policy::import_profile::{FileFormat, FileKind, ImportProfile};
use std::io;
use transfer::detection;
use transfer::import_history;
use transfer::profile::{self, NEW_PROFILE};
use transfer::upload::Upload;

/// The route that receives a file.
pub(super) const UPLOAD_ROUTE: &str = "/users/import/upload";
/// The page with the form.
const PAGE: &str = "/users/import";
/// Maximum size of the fields before the files, in bytes.
const MAX_FIELD_BYTES: usize = 1_024;

/// Why a file was not received. The page *Import* shows the text of the code.
#[derive(Debug)]
pub(super) enum UploadError {
    /// The form is not one of this session.
    OtherSession,
    /// The form has no file.
    NoFile,
    /// The file has no content.
    Empty,
    /// The file exceeds the limit.
    TooLarge,
    /// The form names a profile that doesn't exist.
    UnknownProfile,
    /// An additional file has not the name of a table of the profile, or a table is there twice.
    UnknownTable,
    /// The connection ended before the file was complete.
    CutOff,
    /// The file could not be stored.
    NotStored(io::Error),
    /// The import could not be recorded.
    Failed(RecordsError),
}

impl UploadError {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::OtherSession => "other-session",
            Self::NoFile => "no-file",
            Self::Empty => "empty",
            Self::TooLarge => "too-large",
            Self::UnknownProfile => "unknown-profile",
            Self::UnknownTable => "unknown-table",
            Self::CutOff => "cut-off",
            Self::NotStored(_) | Self::Failed(_) => "not-stored",
        }
    }
}

impl From<MultipartError> for UploadError {
    fn from(error: MultipartError) -> Self {
        if error.status() == StatusCode::PAYLOAD_TOO_LARGE { Self::TooLarge } else { Self::CutOff }
    }
}

impl From<io::Error> for UploadError {
    fn from(error: io::Error) -> Self {
        Self::NotStored(error)
    }
}

/// Receives a file and opens the page of its import.
pub(super) async fn receive(
    State(state): State<AppState>,
    Extension(session): Extension<Session>,
    Extension(FormToken(token)): Extension<FormToken>,
    form: Multipart,
) -> Response {
    match store_file(&state, &session, &token, form).await {
        Ok(page) => (StatusCode::SEE_OTHER, [(LOCATION, page)]).into_response(),
        Err(UploadError::Failed(error)) if error.fault().is_some() => {
            down::failed(&state.store, error, "an upload could not be recorded")
        }
        Err(error) => {
            if let UploadError::NotStored(cause) = &error {
                tracing::error!(kind = %cause.kind(), "an uploaded file could not be stored");
            }
            let page = format!("{PAGE}?failed={}", error.code());
            (StatusCode::SEE_OTHER, [(LOCATION, page)]).into_response()
        }
    }
}

/// Stores the file of the form and records the import. Returns the address of its page.
async fn store_file(
    state: &AppState,
    session: &Session,
    token: &str,
    mut form: Multipart,
) -> Result<String, UploadError> {
    let (mut sent, mut chosen) = (None, None);
    // The browser sends the fields in the order of the form: the files come last.
    let file = loop {
        let field = form.next_field().await?.ok_or(UploadError::NoFile)?;
        match field.name() {
            Some(TOKEN) => sent = Some(text(field).await?),
            Some("profile") => chosen = Some(text(field).await?),
            Some("file") => break field,
            // The key against resending: an upload that is sent again is another import.
            _ => drop(text(field).await?),
        }
    };
    if sent.as_deref() != Some(token) {
        return Err(UploadError::OtherSession);
    }
    let chosen = chosen.as_deref().ok_or(UploadError::UnknownProfile)?;
    let (profile, is_new) = profile_of(state, chosen).await?;
    let settings = &state.store.settings;
    let mut upload = Upload::create(&settings.uploads)?;
    copy(&mut upload, None, file, settings.max_upload).await?;
    while let Some(field) = form.next_field().await? {
        if field.name() != Some("tables") || field.file_name().is_none_or(str::is_empty) {
            continue;
        }
        let table = table_of(field.file_name().unwrap_or_default(), &profile.format);
        copy(&mut upload, Some(table.ok_or(UploadError::UnknownTable)?), field, settings.max_upload).await?;
    }
    let uploaded = upload.finish()?;
    let id = import_history::add_upload(&state.store, session.actor(), profile, &uploaded)
        .await
        .map_err(UploadError::Failed)?;
    if !is_new {
        detection::prepare(&state.store, session.actor(), id).await;
    }
    Ok(if is_new { format!("{PAGE}/{id}/profile") } else { format!("{PAGE}/{id}") })
}

/// Returns the profile that the form names by kind and code: `users/lethe`. With the code [`NEW_PROFILE`] the file is
/// the sample of a new profile. Until it is saved, the import has the profile of Lethe's own files.
async fn profile_of(state: &AppState, chosen: &str) -> Result<(ImportProfile, bool), UploadError> {
    let (kind, code) = chosen.split_once('/').ok_or(UploadError::UnknownProfile)?;
    let kind = FileKind::from_code(kind).ok_or(UploadError::UnknownProfile)?;
    if code == NEW_PROFILE {
        return Ok((ImportProfile::own_format(kind), true));
    }
    let found = profile::find(&state.store.db, code, kind).await.map_err(UploadError::Failed)?;
    found.map(|profile| (profile, false)).ok_or(UploadError::UnknownProfile)
}

/// Returns the additional table that a file is, by its name: `card.csv` is `card`.
fn table_of(file_name: &str, format: &FileFormat) -> Option<&'static str> {
    let stem = file_name.split('.').next().unwrap_or_default();
    format.tables().iter().map(|(table, _)| *table).find(|table| table.eq_ignore_ascii_case(stem))
}

/// Copies a file to the private folder. An incomplete upload is erased when it is dropped.
async fn copy(
    upload: &mut Upload,
    table: Option<&'static str>,
    mut file: Field<'_>,
    max_bytes: u64,
) -> Result<(), UploadError> {
    if file.file_name().is_none_or(str::is_empty) {
        return Err(UploadError::NoFile);
    }
    upload.begin(table).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => UploadError::UnknownTable,
        _ => UploadError::NotStored(error),
    })?;
    let before = upload.bytes();
    while let Some(part) = file.chunk().await? {
        if upload.bytes() + part.len() as u64 > max_bytes {
            return Err(UploadError::TooLarge);
        }
        upload.write(&part)?;
    }
    if upload.bytes() == before { Err(UploadError::Empty) } else { Ok(()) }
}

/// Reads a small file. A larger one is read to its end, because a browser shows no answer before it has sent the form.
/// Returns [`UploadError::TooLarge`] then.
pub(super) async fn small_file(mut field: Field<'_>, max_bytes: usize) -> Result<Vec<u8>, UploadError> {
    let (mut bytes, mut is_too_large) = (Vec::new(), false);
    while let Some(part) = field.chunk().await? {
        is_too_large |= bytes.len() + part.len() > max_bytes;
        if !is_too_large {
            bytes.extend_from_slice(&part);
        }
    }
    if is_too_large { Err(UploadError::TooLarge) } else { Ok(bytes) }
}

/// Reads a short field.
pub(super) async fn text(mut field: Field<'_>) -> Result<String, UploadError> {
    let mut bytes = Vec::new();
    while let Some(part) = field.chunk().await? {
        bytes.extend_from_slice(&part);
        if bytes.len() > MAX_FIELD_BYTES {
            return Err(UploadError::NoFile);
        }
    }
    String::from_utf8(bytes).map_err(|_| UploadError::NoFile)
}
