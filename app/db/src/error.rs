//! The errors of this crate. No variant carries a personal value.

mod causes;
mod fault;

pub use causes::{cause, code_of, is_damage, remedy};
use fault::fault_of;
use policy::form::{FieldErrors, Problem};
use policy::stored::Unreadable;
use sea_orm::DbErr;
use std::{fmt, io};
use thiserror::Error;

/// An error of a read or a write. The transaction that met it is rolled back.
#[derive(Debug, Error)]
pub enum RecordsError {
    /// The record does not exist.
    #[error("There is no such {0}")]
    NotFound(&'static str),
    /// The form has errors.
    #[error("The form has errors")]
    Invalid(FieldErrors),
    /// Another member of staff or process has changed the record since it was read.
    #[error("{}", Problem::Stale)]
    Stale,
    /// The actor lacks the permission.
    #[error("You do not have permission to {}. Nothing was changed", .0.label())]
    Forbidden(policy::Action),
    /// The actor has the permission but must sign in again first.
    #[error("Sign in again to do this. Nothing was changed")]
    SignInAgain,
    /// Not possible in the current state. The text says why and what to do.
    #[error("{0}")]
    Refused(String),
    /// The actor must confirm password and code before changing how they sign in.
    #[error("Sign in again to change how you sign in. Nothing was changed")]
    ConfirmSignIn,
    /// Too many requests of this kind are waiting.
    #[error("Too many requests are already waiting. Nothing was changed. Try again in a minute")]
    Busy,
    /// The actor has reached a safety limit of manual changes.
    #[error("{0}")]
    LimitReached(policy::Reached),
    /// Imports and identity systems together have reached a safety limit. The text says what to do.
    #[error("{0}")]
    ImportLimit(String),
    /// The ledger cannot be read or extended. The text says why and what to do; no user is anonymised until it is
    /// repaired.
    #[error("{0}")]
    Ledger(String),
    /// The audit cannot be read or extended. The text says why and what to do; Lethe changes nothing without it.
    #[error("{0}")]
    Audit(String),
    /// The key of the suppression list is missing or another one. The text says why and what to do; no user is
    /// anonymised or created until it is restored or destroyed.
    #[error("{0}")]
    Suppression(String),
    /// A file, the key or the schema does not meet the requirements. The text says which, why and what to do.
    #[error("{0}")]
    NotReady(String),
    /// A disk, a file or the database is temporarily not available. The same call can succeed later.
    #[error("{0}")]
    Fault(Fault),
    /// The database returned an error. Only the cause is logged, never the message of the database.
    #[error("The database returned an error")]
    Database(#[source] DbErr),
    /// A stored value cannot be decoded.
    #[error("The stored {0} cannot be read")]
    Corrupt(&'static str),
}

impl From<DbErr> for RecordsError {
    fn from(error: DbErr) -> Self {
        if let DbErr::TryIntoErr { source, .. } = &error
            && let Some(Unreadable(what)) = source.downcast_ref()
        {
            return Self::Corrupt(what);
        }
        Self::Database(error)
    }
}

/// Returns the cause of a database error, without row values or passwords. None if `error` is not one.
pub fn database_cause(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    error.downcast_ref::<DbErr>().map(cause)
}

impl RecordsError {
    /// Returns the error of a single invalid field.
    pub fn field(field: &str, problem: Problem) -> Self {
        Self::Invalid(FieldErrors::one(field, problem))
    }

    /// Returns the temporary fault behind this error. None if the request or stored data is the cause.
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Fault(fault) => Some(*fault),
            Self::Database(error) => fault_of(error),
            _ => None,
        }
    }

    /// Returns whether a change failed for a temporary reason, so that it can be retried: another writer, a full
    /// disk, a lost connection.
    pub fn is_temporary(&self) -> bool {
        self.fault().is_some()
    }

    /// Returns the stable code for logs and results.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::Invalid(_) => "invalid",
            Self::Stale => "stale",
            Self::Forbidden(_) => "forbidden",
            Self::SignInAgain => "sign_in_again",
            Self::Refused(_) => "refused",
            Self::ConfirmSignIn => "confirm_sign_in",
            Self::Busy => "busy",
            Self::LimitReached(_) => "limit_reached",
            Self::ImportLimit(_) => "import_limit",
            Self::Ledger(_) => "ledger",
            Self::Audit(_) => "audit",
            Self::Suppression(_) => "suppression_key",
            Self::NotReady(_) => "not_ready",
            Self::Fault(fault) => fault.code(),
            Self::Database(_) => "database",
            Self::Corrupt(_) => "corrupt",
        }
    }
}

/// A condition outside of Lethe that temporarily prevents reading or writing.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
pub enum Fault {
    /// Another transaction holds a lock that this one needs.
    #[error("The database is busy with another change. Nothing was changed. Try again in a moment")]
    Busy,
    /// The disk is full.
    #[error(
        "The disk that holds {0} is full. Nothing was changed. Ask the administrator to free space; Lethe then \
         continues automatically"
    )]
    DiskFull(Storage),
    /// The location can be read but not written.
    #[error(
        "{} cannot be written. Nothing was changed. Tell the administrator: the log names the cause",
        .0.at_beginning()
    )]
    Unwritable(Storage),
    /// The file existed at the start and is missing now.
    #[error(
        "{} is missing. Nothing was changed. Tell the administrator: restore the file from its own copy",
        .0.at_beginning()
    )]
    Missing(Storage),
    /// Another process has replaced the key that this process was started with.
    #[error(
        "The key was replaced while Lethe was running. Nothing was changed. Ask the administrator to restart Lethe"
    )]
    KeyReplaced,
    /// The database does not answer.
    #[error(
        "The database does not answer. Try again in a moment: Lethe reconnects automatically. If you were \
         saving something, first check whether it was saved"
    )]
    Unreachable,
}

impl Fault {
    /// Returns the location concerned. None if the fault is not about a single one.
    pub const fn storage(self) -> Option<Storage> {
        match self {
            Self::DiskFull(storage) | Self::Unwritable(storage) | Self::Missing(storage) => Some(storage),
            Self::Busy | Self::Unreachable | Self::KeyReplaced => None,
        }
    }

    /// Returns the fault behind a failed file operation. None unless the disk is full.
    pub fn of_file(storage: Storage, error: &io::Error) -> Option<Self> {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge];
        full.contains(&error.kind()).then_some(Self::DiskFull(storage))
    }

    /// Returns the stable code for logs, health and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::DiskFull(_) => "disk_full",
            Self::Unwritable(_) => "not_writable",
            Self::Missing(_) => "file_missing",
            Self::KeyReplaced => "key_replaced",
            Self::Unreachable => "database_unreachable",
        }
    }
}

/// A location that Lethe writes to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Storage {
    /// The database.
    Database,
    /// The ledger file.
    Ledger,
    /// The audit anchor file.
    Anchors,
}

impl Storage {
    const fn at_beginning(self) -> &'static str {
        match self {
            Self::Database => "The database",
            Self::Ledger => "The ledger file",
            Self::Anchors => "The audit anchor file",
        }
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Database => "the database",
            Self::Ledger => "the ledger file",
            Self::Anchors => "the audit anchor file",
        })
    }
}
