//! Why the work on a run ended.

use super::lease::{Lease, LeaseStatus};
use db::RecordsError;
use policy::SafetyLimit;
use sea_orm::DatabaseTransaction;

/// Why the work on a run ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ended {
    /// Everything has been processed.
    Completed,
    /// The run was cancelled.
    Cancelled,
    /// A safety limit stopped a file.
    Stopped(SafetyLimit),
    /// An error stopped the run.
    Failed(&'static str),
    /// This process is shutting down; another one takes the run up.
    ShuttingDown,
    /// Another process holds the run.
    LeaseLost,
}

/// Locks the run and returns why it must stop, or `None` if it can continue.
pub(super) async fn must_stop(
    lease: &Lease,
    tx: &DatabaseTransaction,
) -> Result<Option<Ended>, RecordsError> {
    Ok(match lease.status(tx).await? {
        LeaseStatus::Ours => None,
        LeaseStatus::Cancelled => Some(Ended::Cancelled),
        LeaseStatus::Lost => Some(Ended::LeaseLost),
    })
}
