//! The residue search: finds values of anonymised users that are still stored somewhere.
//!
//! While a run anonymises users, Lethe holds their old values in memory only (`ErasedValues`). At the end of the
//! run, one pass over the text of all tables searches for all of them (`scan`). Each match becomes a *finding*:
//! table, column and key of the row, never the value.
//!
//! If the process dies before the search, the values are lost. The result of these users is then *undeterminable*,
//! never *clean*.

mod auto_close;
mod counts;
mod erased_values;
mod fold;
mod match_filter;
mod negative_cache;
mod other_holders;
mod phone;
mod registered;
mod reopen;
mod result;
mod review;
mod scan;
mod search;
mod searched_tables;
mod status;
mod value;
mod verify;

pub use auto_close::{close_what_is_gone, notes_positions};
pub use counts::{count_findings, open_findings};
pub use erased_values::ErasedValues;
pub use policy::residue::{FindingDecision, ValueKind};
pub use registered::UnclearedField;
pub use reopen::{reopen, reopen_within};
pub use result::give_up;
pub use review::{CurrentText, Finding, FindingQuery, decide, findings};
pub use searched_tables::NotSearched;
pub use status::{ResidueStatus, status};
pub use verify::{Occurrences, Verification, verify};

use db::RecordsError;
use policy::RunId;
use std::time::Duration;
use trail::Store;

/// Maximum age of a single user's run without a result. After that, the process and its old values are considered
/// lost.
pub const MAX_SCAN_AGE: Duration = Duration::from_mins(15);

/// Searches for all values in `memory`, stores the result for each user in the run, and empties `memory`.
pub async fn scan(store: &Store, run: RunId, memory: &mut ErasedValues) -> Result<(), RecordsError> {
    if memory.people() == 0 {
        return Ok(());
    }
    let findings = scan::find(store, std::mem::take(memory)).await?;
    result::write(store, run, &findings).await
}
