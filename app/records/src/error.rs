//! What can go wrong with records. No variant carries a personal value.

use crate::dialect;
use policy::form::{FieldErrors, Problem};
use std::{fmt, io};
use thiserror::Error;

/// Why something was not done. Nothing is changed when one of these is returned.
#[derive(Debug, Error)]
pub enum RecordsError {
    /// There is no such record.
    #[error("There is no such {0}")]
    NotFound(&'static str),
    /// The form has errors.
    #[error("The form has errors")]
    Invalid(FieldErrors),
    /// Somebody else changed the record in between.
    #[error("{}", Problem::Stale)]
    Stale,
    /// Whoever asks may not do this.
    #[error("You do not have permission to {}. Nothing was changed", .0.words())]
    Forbidden(policy::Action),
    /// Whoever asks may do this, but has to show again who they are.
    #[error("Sign in again to do this. Nothing was changed")]
    SignInAgain,
    /// Not possible as things stand; the sentence says why and what to do.
    #[error("{0}")]
    Refused(String),
    /// Whoever asks has to show password and code once more, to change what they sign in with.
    #[error("Sign in again to change how you sign in. Nothing was changed")]
    ConfirmSignIn,
    /// Too many requests of this kind wait already.
    #[error("Too many requests are already waiting. Nothing was changed. Try again in a minute")]
    Busy,
    /// A safety limit of manual changes is reached.
    #[error("{0}")]
    LimitReached(crate::limits::Reached),
    /// The ledger of who was anonymised cannot be followed; the sentence says why and what to do. Nobody is
    /// anonymised until that is put right.
    #[error("{0}")]
    Ledger(String),
    /// The audit cannot be written or read; the sentence says why and what to do. Nothing is changed without it.
    #[error("{0}")]
    Audit(String),
    /// A file, the key or the schema is not as Lethe needs it; the sentence says which, why and what to do.
    #[error("{0}")]
    NotReady(String),
    /// A disk, a file or the database is not in order; that passes, and the same can succeed later.
    #[error("{0}")]
    Fault(Fault),
    /// The database failed. The text is for nobody's eyes but the log's, and even there only its kind.
    #[error("The database returned an error")]
    Database(#[from] sea_orm::DbErr),
    /// Something stored cannot be read.
    #[error("The stored {0} cannot be read")]
    Corrupt(&'static str),
}

/// What the database said, where an error is one of its own: without values of rows and without passwords.
pub fn database_cause(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    error.downcast_ref::<sea_orm::DbErr>().map(crate::dialect::cause)
}

impl RecordsError {
    /// One wrong field.
    pub fn field(field: &str, problem: Problem) -> Self {
        Self::Invalid(FieldErrors::one(field, problem))
    }

    /// Returns the fault that will pass, where one is the reason: not the request, and nothing that was stored.
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Fault(fault) => Some(*fault),
            Self::Database(error) => dialect::fault_of(error),
            _ => None,
        }
    }

    /// A stable code for logs and results.
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
            Self::Ledger(_) => "ledger",
            Self::Audit(_) => "audit",
            Self::NotReady(_) => "not_ready",
            Self::Fault(fault) => fault.code(),
            Self::Database(_) => "database",
            Self::Corrupt(_) => "corrupt",
        }
    }
}

/// Something outside of Lethe that keeps it from writing or reading for a while.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
pub enum Fault {
    /// Other changes hold what this one needs.
    #[error("The database is busy with another change. Nothing was changed. Try again in a moment")]
    Busy,
    /// There is no space left.
    #[error(
        "The disk that holds {0} is full. Nothing was changed. Tell the administrator: Lethe continues \
         automatically once there is space"
    )]
    DiskFull(Place),
    /// It can be read but not written.
    #[error(
        "{} cannot be written. Nothing was changed. Tell the administrator: the log names the cause",
        .0.at_beginning()
    )]
    Unwritable(Place),
    /// It was there at the start and is missing now.
    #[error(
        "{} is missing. Nothing was changed. Tell the administrator: restore the file from its own copy",
        .0.at_beginning()
    )]
    Missing(Place),
    /// Another process replaced the key with which this one was started.
    #[error(
        "The key was replaced while Lethe was running. Nothing was changed. Tell the administrator: restart Lethe"
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
    /// Returns what cannot be written; none where it is not one place.
    pub const fn place(self) -> Option<Place> {
        match self {
            Self::DiskFull(place) | Self::Unwritable(place) | Self::Missing(place) => Some(place),
            Self::Busy | Self::Unreachable | Self::KeyReplaced => None,
        }
    }

    /// The fault of a file that could not be written; none where the disk is not full.
    pub(crate) fn of_file(place: Place, error: &io::Error) -> Option<Self> {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge];
        full.contains(&error.kind()).then_some(Self::DiskFull(place))
    }

    /// A stable code for logs, health and metrics.
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

/// What Lethe writes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Place {
    /// The database.
    Database,
    /// The ledger file.
    Ledger,
    /// The file of the audit's anchors.
    Anchors,
}

impl Place {
    const fn at_beginning(self) -> &'static str {
        match self {
            Self::Database => "The database",
            Self::Ledger => "The ledger file",
            Self::Anchors => "The audit anchor file",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Database => "the database",
            Self::Ledger => "the ledger file",
            Self::Anchors => "the audit anchor file",
        })
    }
}
