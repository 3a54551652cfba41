//! Approvals (four eyes). An *approval* is the consent of a second person to something that one person requested.
//!
//! An approval is bound to the fingerprint of its subject, for example of a preview or of a legal hold. It
//! expires, is consumed once, and is checked again in the transaction that consumes it.
//!
//! People are identified by user number, so another session of the same person is not a second person. The command
//! line can request approval and start runs, but cannot approve.

mod consume;
mod decide;
mod eligible_approvers;
mod read;
mod request;
mod subject;

pub use consume::{api_changes, consume, more_changes, of_run, use_up, why_not_yet};
pub use decide::{agree, agree_within, changed, decline, row, waiting, withdraw};
pub use eligible_approvers::{
    count_eligible, count_other_eligible, is_configured, is_new, is_on, observe, observe_regularly,
};
pub use policy::approval::{ApprovalDecision, ApprovalKind};
pub use read::{
    About, Approval, ApprovalQuery, ApprovalStatus, decidable, list, of_import, of_preview, of_user, read,
};
pub use request::{
    close_within, record_event, request_api_changes, request_import, request_in_own_tx, request_within,
};
pub use subject::ApprovalSubject;

use db::RecordsError;
use policy::Action;
use trail::Store;

/// Returns whether this action needs a second person, by the setting or by a protection that still applies.
pub async fn four_eyes(store: &Store, action: Action) -> Result<bool, RecordsError> {
    is_on(&store.db, store, action).await
}
