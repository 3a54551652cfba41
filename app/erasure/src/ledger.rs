//! The ledger: an append-only file, outside the database and its backups, that names every anonymised user.
//!
//! A restored backup brings back users who were anonymised after the backup was made. The ledger identifies them
//! by the random keys of their records. The database stores how far it has followed the ledger in one row, its
//! *watermark*. The transaction that anonymises users also advances the watermark. Lethe compares the two at
//! startup. If the ledger is ahead, Lethe anonymises the missing users again before it does anything else (the
//! *replay*).
//!
//! Each line is a JSON object. Its last field is a checksum over the line and the checksum of the previous line:
//!
//! ```text
//! {"format":"lethe-ledger-1","library":"…","after":0,"chain":"…"}
//! {"sequence":1,"kind":"policy","policy":{…},"chain":"…"}
//! {"sequence":2,"kind":"people","after":0,"policy":1,"run":7,"day":"2018-01-21","rules":1,"mode":"bulk",
//!  "who":[["key of the record","fingerprint of key and user number"],…],"chain":"…"}
//! {"sequence":3,"kind":"done","of":2,"chain":"…"}
//! ```
//!
//! A `people` entry is on disk before its transaction commits. A `done` entry follows after the commit, a `void`
//! entry after a rollback. If a process dies in between, the entry is *in doubt* and the watermark decides it
//! (`in_doubt`).
//!
//! All processes of one database share one file under the same path and lock it while a transaction commits. On a
//! network file system, file locks must work across computers.

pub mod commit;
mod create;
pub mod entry;
mod file;
pub mod groups;
mod in_doubt;
pub mod people;
pub mod receipt;
mod reset;
pub mod status;
pub mod survey;
mod tail;
pub mod verify;
pub mod watermark;
pub mod writer;

pub use commit::commit;
pub use create::create_if_new;
pub use receipt::{Receipt, receipts};
pub use reset::reset;
pub use status::LedgerStatus;
pub use survey::{Overview, overview, status};

use db::RecordsError;
use sea_orm::ConnectionTrait;
use trail::Store;

/// Returns the random name of the installation and the number of the last ledger entry that the database contains.
pub(crate) async fn mark_of(db: &impl ConnectionTrait) -> Result<(String, i64), RecordsError> {
    // A database without a watermark has never followed this ledger file.
    let mark =
        watermark::read(db).await?.ok_or_else(|| RecordsError::Ledger(LedgerStatus::Foreign.label()))?;
    Ok((mark.library, mark.position.sequence))
}

/// Flushes everything written to the ledger to disk.
pub(crate) async fn make_durable(store: &Store) -> Result<(), RecordsError> {
    let path = store.settings.ledger.clone();
    writer::blocking(move || file::make_durable(&path))
        .await?
        .map_err(|error| file::Damage::from(error).into())
}
