//! Releasing legal holds, which is the only way to end one. With four eyes, one person requests the release and
//! another one releases.

use super::{lock, record};
use crate::approval::{self, ApprovalSubject};
use db::RecordsError;
use db::entity::legal_holds;
use policy::four_eyes::NEW_APPROVER_HOURS;
use policy::{Action, ApprovalId, LegalHoldId};
use sea_orm::{ActiveModelTrait, DatabaseTransaction, Set};
use trail::audit::AuditAction;
use trail::{Actor, Store};

/// Requests the release of a legal hold by another member of staff. Returns the waiting request if there is one.
pub async fn request_legal_hold_release(
    store: &Store,
    actor: Actor,
    id: LegalHoldId,
) -> Result<ApprovalId, RecordsError> {
    actor.require(Action::PlaceLegalHolds)?;
    let tx = store.begin().await?;
    let hold = lock(&tx, id).await?;
    let asked = approval::request_within(&tx, store, actor, &ApprovalSubject::release_of(&hold)).await?;
    if asked.is_new {
        record(&tx, store, actor, AuditAction::LegalHoldReleaseRequested, &hold, "").await?;
    }
    store.commit(tx).await?;
    Ok(asked.id)
}

/// Releases a legal hold. With four eyes, another member of staff must have requested the release.
pub async fn release(store: &Store, actor: Actor, id: LegalHoldId) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    release_within(&tx, store, actor, id).await?;
    store.commit(tx).await?;
    Ok(())
}

/// Releases a legal hold in the caller's transaction.
pub async fn release_within(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    id: LegalHoldId,
) -> Result<(), RecordsError> {
    actor.require(Action::ReleaseLegalHolds)?;
    let hold = lock(tx, id).await?;
    let approval_subject = ApprovalSubject::release_of(&hold);
    let more = if approval::is_on(tx, store, Action::ReleaseLegalHolds).await? {
        let approval = approval::agree_within(tx, actor, &approval_subject).await?;
        format!(",approval={approval}")
    } else {
        // One person is enough, but not an account that was created for this purpose.
        if let Some(staff) = actor.staff
            && approval::is_new(tx, staff).await?
        {
            return Err(RecordsError::Refused(format!(
                "Your role or your invitation is newer than {NEW_APPROVER_HOURS} hours. Until then you cannot release \
                 a legal hold alone. Nothing was changed"
            )));
        }
        approval::close_within(tx, store, actor, &approval_subject).await?;
        String::new()
    };
    legal_holds::ActiveModel {
        id: Set(hold.id),
        released_on: Set(Some(store.clock.today())),
        released_by: Set(actor.staff.map(|staff| staff.0)),
        ..Default::default()
    }
    .update(tx)
    .await?;
    record(tx, store, actor, AuditAction::LegalHoldReleased, &hold, &more).await?;
    Ok(())
}
