//! Approvals (four eyes). An *approval* is the consent of a second person to something that one person requested.
//!
//! An approval is bound to the fingerprint of its subject, for example of a preview or of a legal hold. It
//! expires, is consumed once, and is checked again in the transaction that consumes it.
//!
//! People are identified by user number, so another session of the same person is not a second person. The command
//! line can request approval and start runs, but cannot approve.

mod ask;
mod consume;
mod decide;
mod eligible_approvers;
mod read;
mod subject;

pub use ask::{ask, ask_more_changes, ask_reapply, ask_staff_anonymising};
pub(crate) use ask::{ask_import, ask_within, close_within};
pub(crate) use consume::{consume, more_changes, of_run, use_up, why_not_yet};
pub(crate) use decide::agree_within;
pub use decide::{approve, approve_confirmed, decline, withdraw};
pub(crate) use eligible_approvers::{is_configured, is_new, is_on, others};
pub use read::{About, Approval, ApprovalQuery, ApprovalStatus, list, of_preview, of_user, read};
pub(crate) use subject::ApprovalSubject;
pub use subject::{Decision, Kind};

use crate::error::RecordsError;
use crate::run;
use crate::store::Store;
use policy::{Action, ApprovalReason, RunId, UserNumber};

/// Returns whether this action needs a second person, by the setting or by a protection that still applies.
pub async fn four_eyes(store: &Store, action: Action) -> Result<bool, RecordsError> {
    is_on(&store.db, store, action).await
}

/// Returns why the run of a preview needs a second person. None if it needs none.
pub async fn needed_for(store: &Store, preview: RunId) -> Result<Option<ApprovalReason>, RecordsError> {
    run::why_two_of(store, preview).await
}

/// Returns why this actor cannot start the run of a preview yet, if only an approval is missing. None if a second
/// person has approved or none is needed.
pub async fn missing_for(
    store: &Store,
    actor: crate::Actor,
    preview: RunId,
) -> Result<Option<String>, RecordsError> {
    let Some(why) = needed_for(store, preview).await? else { return Ok(None) };
    let preview = run::preview_row(&store.db, preview).await?;
    why_not_yet(store, actor, &ApprovalSubject::run_of(&preview)?, &of_run(store, why)).await
}

/// Returns why this actor cannot anonymise a member of staff yet. None if a second person has approved.
pub async fn missing_for_staff(
    store: &Store,
    actor: crate::Actor,
    number: UserNumber,
) -> Result<Option<String>, RecordsError> {
    let roles = crate::staff::roles_of(&store.db, number).await?;
    why_not_yet(store, actor, &ApprovalSubject::staff_anonymising_of(number, roles), run::WHY_STAFF).await
}
