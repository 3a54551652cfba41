//! Previews and runs: which users are eligible, and which were anonymised.
//!
//! A run starts from a preview and waits in the queue (`start`). A process takes it up (`lease`, `queue`) and executes
//! it by the type of its task (`execute`): `anonymising` processes users batch by batch and ends the run (`finish`).

mod announced_users;
mod announcing;
mod anonymising;
mod approval_gate;
mod background_scan;
mod cancel;
mod comparison;
mod confirmation;
mod discard;
mod ended;
mod exclude;
mod execute;
mod finish;
mod import_preview;
mod importing;
mod lease;
mod members;
mod members_csv;
pub mod merge;
mod outcomes;
mod preview;
mod preview_digest;
mod queue;
mod read;
mod reapply;
mod retries;
mod safety;
mod scheduled_preview;
mod single;
mod staff;
mod start;
mod stored_verdicts;
mod verdict_counts;
mod watched;

pub(crate) use approval_gate::{approval_reason, lock_preview, preview_row, reapply_subject};
pub use background_scan::{background_scans, give_up_on_lost_scans};
pub use cancel::cancel;
pub use comparison::{Comparison, LastRun, comparison};
pub use confirmation::typed_number;
pub use discard::discard;
pub use exclude::{exclude, include};
pub use members::{Exclusion, Member, MemberQuery, MemberSort, count_members, members};
pub use members_csv::members_csv;
pub use preview::{preview, preview_listed};
pub use queue::{drain_queue, execute, work};
pub use read::{Run, RunQuery, RunRow, list, read};
pub use reapply::{start_reapply, under_older_rules};
pub(crate) use safety::last_runs;
pub use single::{SingleOrder, SinglePlan, anonymise_one, anonymise_one_for, plan_for_one, plan_for_staff};
pub use staff::anonymise_staff;
pub(crate) use staff::{STAFF_APPROVAL_REASON, may_anonymise_staff};
pub use start::{is_current, newer_preview, start, why_not};
pub(crate) use start::{usable_preview, why_two_of};

use db::RecordsError;
use erasure::eligibility;
use policy::{Policy, Reason, RunId};
use trail::Store;

/// Returns whether this process is importing a file for a run.
///
/// On SQLite it then has the only write lock, so that the run has no heartbeats.
pub fn is_importing_here(store: &Store, run: RunId) -> bool {
    transfer::run_import::is_under_way(store, run)
}

/// Returns the number of users for each reason under `policy` today. Stores nothing.
pub async fn counts(store: &Store, policy: &Policy) -> Result<Vec<(Reason, i64)>, RecordsError> {
    Ok(eligibility::counts(&store.db, policy, store.clock.today()).await?)
}
