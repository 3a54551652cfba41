//! How ledger and database stand to each other, in words.

use crate::error::RecordsError;
use policy::numbers::counted;
use serde::Serialize;
use std::io;

/// How the ledger and the database stand to each other.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "standing", rename_all = "snake_case")]
pub enum Standing {
    /// They say the same.
    Level,
    /// The ledger holds people whom this copy of the database does not know to be anonymised: a backup was restored.
    Ahead {
        /// Entries of the ledger that are to be replayed.
        entries: i64,
        /// People in them.
        people: i64,
    },
    /// There is no ledger, but the database has followed one.
    Missing,
    /// The ledger cannot be followed.
    Damaged {
        /// Why, as half a sentence.
        why: String,
    },
    /// The file cannot be read or written: a right or the disk. It may be whole.
    Unusable {
        /// Why, and what to do.
        why: String,
    },
    /// The ledger is not that of this database.
    Foreign,
    /// The ledger ends before the database: an older copy of it was put back.
    Behind,
}

pub(super) const MISSING: &str = "The ledger file is missing. It names everybody who was anonymised, and without it \
     a restored backup could bring them back. Put the file back from its own copy, or correct LETHE_LEDGER. If it \
     is lost for good: lethe ledger start-over --confirm LOST";

const PUT_BACK: &str = "Put the ledger file back from its own copy. If it is lost for good: lethe ledger start-over \
     --confirm LOST";

/// A damaged ledger in words.
pub(super) fn damaged(why: &str) -> String {
    format!("The ledger file is damaged: {why}. {PUT_BACK}")
}

/// A ledger that the operating system does not let be used.
pub(super) fn unusable(error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "Let the user that runs Lethe read and write the file and its folder"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "Make room on the disk",
        _ => "Put the disk right, or correct LETHE_LEDGER",
    };
    format!("The ledger file cannot be used: {error}. {remedy}. Nothing was changed")
}

/// While a server was running, the database or the ledger became another one.
pub(super) fn apart() -> RecordsError {
    RecordsError::Ledger(
        "The ledger and the database do not go together any more: one of them was restored while Lethe was running. \
         Nothing was changed. Stop Lethe and start it again: it says what to do"
            .to_owned(),
    )
}

impl Standing {
    /// Whether everything can be done.
    pub fn is_level(&self) -> bool {
        *self == Self::Level
    }

    /// How they stand, and what to do.
    pub fn words(&self) -> String {
        match self {
            Self::Level => "The ledger and the database say the same".to_owned(),
            Self::Ahead { entries, people } => format!(
                "A backup was restored, or the last changes were lost when the power failed: the ledger is ahead of \
                 the database by {}, and names {} who must be anonymised again before anything else is done. Start \
                 the server, which does it first, or: lethe ledger replay",
                counted(*entries, "entry", "entries"),
                counted(*people, "person", "people"),
            ),
            Self::Missing => MISSING.to_owned(),
            Self::Damaged { why } => damaged(why),
            Self::Unusable { why } => why.clone(),
            Self::Foreign => format!(
                "The ledger file belongs to another library. Correct LETHE_LEDGER or LETHE_DATABASE_URL. {PUT_BACK}"
            ),
            Self::Behind => format!(
                "The ledger file is older than the database: entries are missing at its end. {PUT_BACK}"
            ),
        }
    }

    /// Nothing when everything can be done; else why not, and what to do.
    pub fn refuse_unless_level(&self) -> Result<(), RecordsError> {
        if self.is_level() { Ok(()) } else { Err(RecordsError::Ledger(self.words())) }
    }
}
