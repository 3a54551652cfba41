//! The residue scan: whether a value of somebody who was anonymised still stands anywhere.
//!
//! While a run anonymises, the old values of its people are held in memory and nowhere else ([`Memory`]). At its end one
//! pass over the text of all tables searches for all of them at once ([`scan`]). What is found is noted by its place,
//! never by its value: table, column, key of the row. When the process dies in between, the values are gone, and the
//! result of these people cannot be determined any more; it is never said that they are clean.

mod background;
mod barren;
mod fold;
mod gone;
mod kind;
mod memory;
mod phone;
mod places;
mod registered;
mod reopen;
mod result;
mod review;
mod scan;
mod search;
mod sift;
mod standing;
mod theirs;
mod value;
mod verify;

pub(crate) use background::scan_single_in_background;
pub use background::{background_scans, give_up_on_lost_scans};
pub(crate) use gone::{close_what_is_gone, notes_positions};
pub use kind::ValueKind;
pub(crate) use memory::Memory;
pub use places::NotSearched;
pub use registered::Left;
pub use reopen::reopen;
pub(crate) use reopen::reopen_within;
pub use review::{Decision, Finding, FindingQuery, Now, decide, findings};
pub use standing::{Standing, standing};
pub use verify::{Stands, Verification, verify};

use crate::error::RecordsError;
use crate::store::Store;
use policy::RunId;

/// Searches for everything in the memory, writes the result of each person into the run, and empties it.
pub(crate) async fn scan(store: &Store, run: RunId, memory: &mut Memory) -> Result<(), RecordsError> {
    if memory.people() == 0 {
        return Ok(());
    }
    let findings = scan::find(store, std::mem::take(memory)).await?;
    result::write(store, run, &findings).await
}
