//! Decides which runs need a second person: those that first use or extend a policy, and those beyond a safety
//! limit.

use super::{reapply, safety};
use crate::task;
use db::RecordsError;
use db::entity::runs;
use policy::{Action, ApprovalReason, RunId, RunKind, TaskId, TaskSettings, four_eyes};
use safeguards::approval::{self, ApprovalSubject};
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait, QuerySelect};
use trail::Store;

/// Returns why the run of a preview needs a second person, or `None` if it needs none.
pub(crate) async fn approval_reason(
    db: &impl ConnectionTrait,
    store: &Store,
    preview: &runs::Model,
) -> Result<Option<ApprovalReason>, RecordsError> {
    if !approval::is_on(db, store, Action::Approve).await? {
        return Ok(None);
    }
    if let TaskSettings::ImportUsers(_) = &preview.settings {
        // An import needs a second person if its file exceeds a safety limit.
        return Ok(preview.safety_limit.map(ApprovalReason::SafetyLimit));
    }
    let task = TaskId(preview.task_id.unwrap_or_default());
    let confirmed = task::row(db, task).await?.confirmed_settings;
    let last = safety::last_runs(db, task).await?;
    let safety_limit = safety::safety_limit_of(db, store, preview, &last).await?;
    Ok(four_eyes::approval_reason(&preview.settings, confirmed.as_ref(), safety_limit))
}

/// Returns a stored preview.
pub(crate) async fn preview_row(db: &impl ConnectionTrait, id: RunId) -> Result<runs::Model, RecordsError> {
    runs::Entity::find_by_id(id.0)
        .one(db)
        .await?
        .filter(|run| run.kind == RunKind::Preview)
        .ok_or(RecordsError::NotFound("preview"))
}

/// Locks a preview, so that concurrent requests for approval and starts run one after another.
pub(crate) async fn lock_preview(tx: &DatabaseTransaction, id: RunId) -> Result<(), RecordsError> {
    runs::Entity::find_by_id(id.0).lock_exclusive().one(tx).await?;
    Ok(())
}

/// Returns the approval subject of a reapply run, or `None` if it needs no approval.
pub(crate) async fn reapply_subject(
    db: &impl ConnectionTrait,
    store: &Store,
) -> Result<Option<ApprovalSubject>, RecordsError> {
    if reapply::approval_reason(db, store).await?.is_none() {
        return Ok(None);
    }
    Ok(Some(ApprovalSubject::reapply_of(reapply::fingerprint(db, store).await?)))
}
