//! The errors of server functions.

use leptos::prelude::FromServerFnError;
use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::ServerFnErrorErr;
use policy::form::{FieldErrors, Problem};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The reason why a server function changed nothing. Contains codes, fields and numbers, but no SQL, no path and no
/// personal value.
#[derive(Clone, Debug, Deserialize, Error, Serialize)]
pub enum AppError {
    /// Some fields are invalid.
    #[error("There {}", wrong_fields(.0))]
    Invalid(FieldErrors),
    /// Not possible in the current state.
    #[error("{0}")]
    Refused(String),
    /// The caller lacks a permission. The text completes “You do not have permission to”.
    #[error("You do not have permission to {0}. Nothing was changed")]
    Forbidden(String),
    /// The caller is not signed in, or no longer.
    #[error("You are not signed in. Nothing was changed")]
    NotSignedIn,
    /// The form belongs to another session: an earlier sign-in, or another user of this browser.
    #[error(
        "This page was opened in another session. Nothing was changed. Check who is signed in and what the \
         page shows, then send it again"
    )]
    OtherSession,
    /// The form was stored while its user signed in again.
    #[error("Nothing has been changed yet. Your entries are still here: check them and send the form again")]
    Kept,
    /// Too many attempts with passwords or codes, or too many previews at the same time.
    #[error("Too many attempts. Nothing was changed. Wait a minute, then try again")]
    TooMany,
    /// Done. These texts are shown once and never again.
    #[error("Done")]
    Shown(Vec<String>),
    /// The action requires a recent sign-in.
    #[error("Sign in again to do this. Nothing was changed")]
    SignInAgain,
    /// Changing a credential requires a new confirmation with password and code.
    #[error("Sign in again to change how you sign in. Nothing was changed")]
    ConfirmSignIn,
    /// The record does not exist.
    #[error("There is no such {0}")]
    NotFound(String),
    /// The form is valid. Only a check was requested.
    #[error("No problems found. Nothing has been saved yet")]
    Checked,
    /// Another member of staff or process has changed the record.
    #[error("{}", Problem::Stale)]
    Stale,
    /// The request contains an unknown field or a value of the wrong type.
    #[error(
        "The form could not be read: it has unknown fields or values. Nothing was changed. Reload the page and \
         try again"
    )]
    Unreadable,
    /// The form is larger than any valid one; the maximum is in KB.
    #[error("The form is too large: at most {} can be sent. Nothing was changed", size(*.0))]
    TooLarge(usize),
    /// The body of the request is incomplete.
    #[error("The form did not arrive completely or in time. Nothing was changed. Send it again")]
    CutOff,
    /// A disk, a file or the database is temporarily not available.
    #[error("{0}")]
    Unavailable(String),
    /// An internal error. The number identifies the request in the log.
    #[error("Lethe has an internal error. Nothing was changed. Give the administrator this number: {0}")]
    Internal(String),
}

#[cfg(feature = "ssr")]
impl AppError {
    /// Returns the error of an action that has nothing to do, because the record is already in that state.
    pub(crate) fn unchanged(state: &str) -> Self {
        Self::Refused(format!("{state}. Nothing was changed"))
    }

    /// Returns the HTTP status of the answer with this error: the only table of errors and statuses.
    pub fn status(&self) -> http::StatusCode {
        use http::StatusCode;
        match self {
            Self::Checked | Self::Shown(_) | Self::Kept => StatusCode::OK,
            Self::Stale | Self::Refused(_) => StatusCode::CONFLICT,
            Self::Forbidden(_) | Self::SignInAgain | Self::ConfirmSignIn => StatusCode::FORBIDDEN,
            Self::NotSignedIn | Self::OtherSession => StatusCode::UNAUTHORIZED,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::CutOff => StatusCode::REQUEST_TIMEOUT,
            Self::Invalid(_) | Self::Unreadable => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

/// Returns the problems of the fields. Empty if the form was not posted or failed for another reason.
#[cfg(feature = "ssr")]
pub(crate) fn field_errors(error: Option<&AppError>) -> FieldErrors {
    match error {
        Some(AppError::Invalid(errors)) => errors.clone(),
        _ => FieldErrors::default(),
    }
}

/// Formats a size given in KB.
fn size(kilobytes: usize) -> String {
    if kilobytes < 1_024 { format!("{kilobytes} KB") } else { format!("{} MB", kilobytes / 1_024) }
}

fn wrong_fields(errors: &FieldErrors) -> String {
    match errors.0.len() {
        1 => "is a problem".to_owned(),
        many => format!("are {many} problems"),
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_)
            | ServerFnErrorErr::Deserialization(_) => Self::Unreadable,
            _ => Self::Internal("0".to_owned()),
        }
    }
}

/// The text for [`db::RecordsError::NotReady`].
#[cfg(feature = "ssr")]
const NOT_READY: &str = "Lethe cannot use its key or one of its files. Nothing was changed. Tell the administrator: the log names the cause";

#[cfg(feature = "ssr")]
impl From<db::RecordsError> for AppError {
    fn from(error: db::RecordsError) -> Self {
        use db::RecordsError;
        if let Some(fault) = transient_fault(&error) {
            return Self::Unavailable(fault.to_string());
        }
        match error {
            RecordsError::Invalid(errors) => Self::Invalid(errors),
            RecordsError::Refused(why)
            | RecordsError::ImportLimit(why)
            | RecordsError::Ledger(why)
            | RecordsError::Audit(why)
            | RecordsError::Suppression(why) => Self::Refused(why),
            RecordsError::LimitReached(reached) => Self::Refused(reached.to_string()),
            RecordsError::Forbidden(action) => Self::Forbidden(action.label().to_owned()),
            RecordsError::SignInAgain => Self::SignInAgain,
            RecordsError::ConfirmSignIn => Self::ConfirmSignIn,
            RecordsError::Busy => Self::TooMany,
            RecordsError::NotFound(what) => Self::NotFound(what.to_owned()),
            RecordsError::Stale => Self::Stale,
            RecordsError::NotReady(_) => {
                // The text of the error names files of the server. Only the log contains it.
                log_internal(&error);
                Self::Unavailable(NOT_READY.to_owned())
            }
            RecordsError::Fault(_) | RecordsError::Database(_) | RecordsError::Corrupt(_) => {
                Self::Internal(log_internal(&error))
            }
        }
    }
}

/// Returns the temporary fault behind an error, and reports it to the health check. None if the error is permanent.
#[cfg(feature = "ssr")]
pub(crate) fn transient_fault(error: &db::RecordsError) -> Option<db::Fault> {
    let fault = error.fault()?;
    tracing::warn!(code = fault.code(), "a request could not be executed");
    if let Some(state) = leptos::prelude::use_context::<crate::state::AppState>() {
        state.store.vitals.report(fault);
    }
    Some(fault)
}

/// Logs an internal error and returns the id of the request, which the page shows. The text of a database error is
/// not logged, because it can contain values.
#[cfg(feature = "ssr")]
fn log_internal(error: &db::RecordsError) -> String {
    use crate::state::{RequestId, extension};
    let reference = extension::<RequestId>().map_or_else(|| "0".to_owned(), |id| id.0);
    tracing::error!(code = error.code(), reference, "internal error");
    if let db::RecordsError::NotReady(why) = error {
        tracing::error!(reference, "{why}");
    }
    reference
}
