//! The ledger of everybody who was anonymised: a file outside the database and outside its backups.
//!
//! A restored backup brings back people who were anonymised after it was made. The ledger knows them, by nothing but
//! the random keys of their records, and the database knows how far it follows the ledger: its *mark*, one row that
//! moves in the transaction that anonymises. So a database that was restored is seen when Lethe starts, and its
//! people are anonymised again before anything else is done.
//!
//! The file is only ever added to. Each of its lines is JSON and ends with a checksum over the line and the checksum
//! of the line before:
//!
//! ```text
//! {"format":"lethe-ledger-1","library":"…","after":0,"chain":"…"}
//! {"sequence":1,"kind":"policy","policy":{…},"chain":"…"}
//! {"sequence":2,"kind":"people","after":0,"policy":1,"run":7,"day":"2018-01-21","rules":1,"selection":"bulk",
//!  "who":[["key of the record","fingerprint of key and user number"],…],"chain":"…"}
//! {"sequence":3,"kind":"done","of":2,"chain":"…"}
//! ```
//!
//! People stand there, on the disk, before their transaction is committed, and are *done* after it was, or *void*
//! when it was rolled back. Where a process died in between, the mark of the database tells which ([`settle`]).
//!
//! All processes of one database share one file, by one path. It is locked while a transaction is committed; on a
//! file system of another computer the locks must work there too.

mod commit;
mod create;
mod entry;
mod file;
mod groups;
mod mark;
mod people;
mod receipt;
mod record;
mod replay;
mod settle;
mod standing;
mod start_over;
mod survey;
mod tail;
#[cfg(test)]
mod tests;
mod verify;
mod writer;

pub(crate) use commit::commit;
pub(crate) use create::create_if_new;
pub use receipt::{Receipt, receipts};
pub use replay::replay;
pub use standing::Standing;
pub use start_over::start_over;
pub use survey::{Overview, overview, standing};
pub(crate) use writer::Known;

use crate::error::RecordsError;
use crate::store::Store;
use sea_orm::ConnectionTrait;

/// The random name of the installation, and the last entry that its database holds.
pub(crate) async fn mark_of(db: &impl ConnectionTrait) -> Result<(String, i64), RecordsError> {
    // A database has no mark as long as the file is the ledger of another one.
    let mark = mark::read(db).await?.ok_or_else(|| RecordsError::Ledger(Standing::Foreign.words()))?;
    Ok((mark.library, mark.place.sequence))
}

/// Makes sure that all that was written into the ledger is on the disk.
pub(crate) async fn make_durable(store: &Store) -> Result<(), RecordsError> {
    let path = store.settings.ledger.clone();
    writer::blocking(move || file::make_durable(&path))
        .await?
        .map_err(|error| file::Damage::from(error).into())
}
