//! What a server function answers when it did not do what was asked.

use leptos::prelude::FromServerFnError;
use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::ServerFnErrorErr;
use policy::form::{FieldErrors, Problem};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a server function did nothing. Carries codes, fields and numbers: no SQL, no path, no personal value.
#[derive(Clone, Debug, Deserialize, Error, Serialize)]
pub enum AppError {
    /// Fields are wrong.
    #[error("There {}", wrong_fields(.0))]
    Invalid(FieldErrors),
    /// Not possible as things stand.
    #[error("{0}")]
    Refused(String),
    /// Whoever asks may not do this. The words follow “may not”.
    #[error("You do not have permission to {0}. Nothing was changed")]
    Forbidden(String),
    /// Nobody is signed in, or not anymore.
    #[error("You are not signed in. Nothing was changed")]
    NotSignedIn,
    /// The form was made for another session: of an earlier sign-in, or of another user of this browser.
    #[error(
        "This page was opened in another session. Nothing was changed. Check who is signed in and what the \
         page shows, then send it again"
    )]
    OtherSession,
    /// The form was kept while its user showed again who they are.
    #[error("Nothing has been changed yet. Your entries are still here: check them and send the form again")]
    Kept,
    /// Too much at once: passwords or codes that were tried, previews that are being made.
    #[error("Too many attempts. Nothing was changed. Wait a minute, then try again")]
    TooMany,
    /// Done; these are shown once and never again.
    #[error("Done")]
    Shown(Vec<String>),
    /// Whoever asks has to show again who they are.
    #[error("Sign in again to do this. Nothing was changed")]
    SignInAgain,
    /// Whoever asks has to show password and code once more, to change what they sign in with.
    #[error("Sign in again to change how you sign in. Nothing was changed")]
    ConfirmSignIn,
    /// There is no such record.
    #[error("There is no such {0}")]
    NotFound(String),
    /// Nothing is wrong; only a check was asked for.
    #[error("No problems found. Nothing has been saved yet")]
    Checked,
    /// Somebody else changed the record in between.
    #[error("{}", Problem::Stale)]
    Stale,
    /// The request cannot be read: a field is unknown, or its value is of the wrong kind.
    #[error("The form could not be read: it has unknown fields or values. Nothing was changed")]
    Unreadable,
    /// More was sent than any right form has; the most, in KB.
    #[error("The form is too large: at most {} can be sent. Nothing was changed", size(*.0))]
    TooLarge(usize),
    /// The form did not arrive whole.
    #[error("The form did not arrive completely or in time. Nothing was changed. Send it again")]
    CutOff,
    /// A disk, a file or the database is not in order, and that passes.
    #[error("{0}")]
    Unavailable(String),
    /// Our fault. The number stands in the log.
    #[error("Something went wrong on our side. Nothing was changed. Give the administrator this number: {0}")]
    Internal(String),
}

#[cfg(feature = "ssr")]
impl AppError {
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

/// The problems of the fields of a form; none where it was not posted, or failed for another reason.
#[cfg(feature = "ssr")]
pub(crate) fn field_errors(error: Option<&AppError>) -> FieldErrors {
    match error {
        Some(AppError::Invalid(errors)) => errors.clone(),
        _ => FieldErrors::default(),
    }
}

/// A size in KB, in words.
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

#[cfg(feature = "ssr")]
impl From<records::RecordsError> for AppError {
    fn from(error: records::RecordsError) -> Self {
        use records::RecordsError;
        if let Some(fault) = transient_fault(&error) {
            return Self::Unavailable(fault.to_string());
        }
        match error {
            RecordsError::Invalid(errors) => Self::Invalid(errors),
            RecordsError::Refused(why) | RecordsError::Ledger(why) | RecordsError::Audit(why) => {
                Self::Refused(why)
            }
            RecordsError::LimitReached(reached) => Self::Refused(reached.to_string()),
            RecordsError::Forbidden(action) => Self::Forbidden(action.label().to_owned()),
            RecordsError::SignInAgain => Self::SignInAgain,
            RecordsError::ConfirmSignIn => Self::ConfirmSignIn,
            RecordsError::Busy => Self::TooMany,
            RecordsError::NotFound(what) => Self::NotFound(what.to_owned()),
            RecordsError::Stale => Self::Stale,
            // What is not ready names files of the server: the log has it.
            RecordsError::NotReady(_)
            | RecordsError::Fault(_)
            | RecordsError::Database(_)
            | RecordsError::Corrupt(_) => Self::Internal(log_internal(&error)),
        }
    }
}

/// Returns the fault behind an error, if that will pass. Health knows of it at once.
#[cfg(feature = "ssr")]
pub(crate) fn transient_fault(error: &records::RecordsError) -> Option<records::Fault> {
    let fault = error.fault()?;
    tracing::warn!(code = fault.code(), "a request could not be carried out");
    if let Some(state) = leptos::prelude::use_context::<crate::state::AppState>() {
        state.store.vitals().note(fault);
    }
    Some(fault)
}

/// Logs an internal error, and gives the id of the request, which the reader of the page can tell. The text of a database
/// error is left out: it can hold values.
#[cfg(feature = "ssr")]
pub(crate) fn log_internal(error: &records::RecordsError) -> String {
    use crate::state::{RequestId, extension};
    let reference = extension::<RequestId>().map_or_else(|| "0".to_owned(), |id| id.0);
    tracing::error!(code = error.code(), reference, "internal error");
    if let records::RecordsError::NotReady(why) = error {
        tracing::error!(reference, "{why}");
    }
    reference
}
