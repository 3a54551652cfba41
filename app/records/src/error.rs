//! What can go wrong with records. No variant carries a personal value.

use policy::form::{FieldErrors, Problem};
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
    #[error("You may not {}. Nothing was changed", .0.words())]
    Forbidden(policy::Action),
    /// Whoever asks may do this, but has to show again who they are.
    #[error("Sign in again to do this. Nothing was changed")]
    SignInAgain,
    /// Not possible as things stand; the sentence says why and what to do.
    #[error("{0}")]
    Refused(String),
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
    /// The database failed. The text is for nobody's eyes but the log's, and even there only its kind.
    #[error("The database could not do this")]
    Database(#[from] sea_orm::DbErr),
    /// Something stored cannot be read.
    #[error("Stored {0} cannot be read")]
    Corrupt(&'static str),
}

impl RecordsError {
    /// One wrong field.
    pub fn field(field: &str, problem: Problem) -> Self {
        Self::Invalid(FieldErrors::one(field, problem))
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
            Self::LimitReached(_) => "limit_reached",
            Self::Ledger(_) => "ledger",
            Self::Audit(_) => "audit",
            Self::Database(_) => "database",
            Self::Corrupt(_) => "corrupt",
        }
    }
}
