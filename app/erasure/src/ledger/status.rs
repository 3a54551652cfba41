//! The states that the ledger and the database can be in, with the message for each.

use db::RecordsError;
use policy::numbers::counted;
use serde::Serialize;
use std::io;

/// The result of comparing the ledger with the database.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum LedgerStatus {
    /// The two are in sync.
    Level,
    /// The ledger names users that aren't anonymised in this database: a backup was restored.
    Ahead {
        /// Number of ledger entries to replay.
        entries: i64,
        /// Number of users in them.
        people: i64,
    },
    /// The database follows a ledger, but the file is missing.
    Missing,
    /// The ledger is damaged.
    Damaged {
        /// Why, as half a sentence.
        why: String,
    },
    /// The file can't be read or written because of permissions or the disk. It may be intact.
    Unusable {
        /// Why, and what to do.
        why: String,
    },
    /// The ledger belongs to another database.
    Foreign,
    /// The ledger ends before the watermark: an older copy of it was put back.
    Behind,
}

pub(crate) const MISSING: &str = "The ledger file is missing. It names every anonymised user; without it, a restored \
     backup could bring them back. Put the file back from its own copy, or correct LETHE_LEDGER_FILE. If it is lost for \
     good: lethe ledger reset --confirm LOST";

const PUT_BACK: &str = "Put the ledger file back from its own copy. If it is lost for good: lethe ledger reset \
     --confirm LOST";

/// Returns the message for a damaged ledger.
pub(crate) fn damaged(why: &str) -> String {
    format!("The ledger file is damaged: {why}. {PUT_BACK}")
}

/// Returns the message for a ledger that the operating system can't open, read or write.
pub(crate) fn unusable(error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "Give the account that runs Lethe read and write access to the file and its folder"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "Make room on the disk",
        _ => "Repair the disk, or correct LETHE_LEDGER_FILE",
    };
    format!("The ledger file cannot be used: {error}. {remedy}. Nothing was changed")
}

/// Returns the error for a database or ledger that was replaced while the server was running.
pub fn apart() -> RecordsError {
    RecordsError::Ledger(
        "The ledger and the database no longer match: one of them was restored while Lethe was running. Nothing was \
         changed. Restart Lethe and follow its message"
            .to_owned(),
    )
}

impl LedgerStatus {
    /// Returns whether ledger and database are in sync, so that users can be anonymised.
    pub fn is_level(&self) -> bool {
        *self == Self::Level
    }

    /// Returns a message that says what is wrong and what to do.
    pub fn label(&self) -> String {
        match self {
            Self::Level => "The ledger and the database are in sync".to_owned(),
            Self::Ahead { entries, people } => format!(
                "A backup was restored, or a power failure lost the last changes. The ledger is ahead of the database \
                 by {} and names {} who must be anonymised again before anything else is done. Start the server, which \
                 does this first, or run: lethe ledger replay",
                counted(*entries, "entry", "entries"),
                counted(*people, "user", "users"),
            ),
            Self::Missing => MISSING.to_owned(),
            Self::Damaged { why } => damaged(why),
            Self::Unusable { why } => why.clone(),
            Self::Foreign => format!(
                "The ledger file belongs to another library. Correct LETHE_LEDGER_FILE or LETHE_DATABASE_URL. {PUT_BACK}"
            ),
            Self::Behind => format!(
                "The ledger file is older than the database: entries are missing at its end. {PUT_BACK}"
            ),
        }
    }

    /// Returns an error that says what is wrong and what to do, unless ledger and database are in sync.
    pub fn refuse_unless_level(&self) -> Result<(), RecordsError> {
        if self.is_level() { Ok(()) } else { Err(RecordsError::Ledger(self.label())) }
    }
}
