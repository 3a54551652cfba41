//! Decides which runs need a second person: those that first use or extend a policy, and those beyond a safety
//! limit.

use super::{reapply, seal, start, stored_policy};
use crate::approval::{self, Matter};
use crate::dialect;
use crate::entity::runs;
use crate::error::RecordsError;
use crate::store::Store;
use crate::task;
use policy::{Action, RunId, RunKind, TaskId, WhyTwo, four_eyes};
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait};

/// Returns why the run of a preview needs a second person, or `None` if it needs none or can't start anyway.
pub(crate) async fn why_two_of(store: &Store, preview: RunId) -> Result<Option<WhyTwo>, RecordsError> {
    if start::why_not(store, preview).await?.is_some() {
        return Ok(None);
    }
    why_two(&store.db, store, &preview_row(&store.db, preview).await?).await
}

/// Returns why the run of a preview needs a second person, or `None` if it needs none.
pub(crate) async fn why_two(
    db: &impl ConnectionTrait,
    store: &Store,
    preview: &runs::Model,
) -> Result<Option<WhyTwo>, RecordsError> {
    if !approval::is_on(db, store, Action::Approve).await? {
        return Ok(None);
    }
    let task = TaskId(preview.task_id.unwrap_or_default());
    let confirmed = task::row(db, task).await?.confirmed_policy.as_deref().map(stored_policy).transpose()?;
    let policy = stored_policy(&preview.policy)?;
    let last = seal::last_runs(db, task).await?;
    let brake = seal::brake_of(db, store, preview, &last).await?;
    Ok(four_eyes::why_two(&policy, confirmed.as_ref(), brake))
}

/// Returns a stored preview.
pub(crate) async fn preview_row(db: &impl ConnectionTrait, id: RunId) -> Result<runs::Model, RecordsError> {
    runs::Entity::find_by_id(id.0)
        .one(db)
        .await?
        .filter(|run| run.kind == RunKind::Preview.code())
        .ok_or(RecordsError::NotFound("preview"))
}

/// Locks a preview, so that concurrent requests for approval and starts run one after another.
pub(crate) async fn lock_preview(tx: &DatabaseTransaction, id: RunId) -> Result<(), RecordsError> {
    let backend = tx.get_database_backend();
    let sql = format!("SELECT id FROM runs WHERE id = ?{}", dialect::for_update(backend));
    tx.query_one_raw(dialect::statement(backend, &sql, vec![id.0.into()])).await?;
    Ok(())
}

/// Returns the approval subject of a reapply run, or `None` if it needs no approval.
pub(crate) async fn reapply_matter(
    db: &impl ConnectionTrait,
    store: &Store,
) -> Result<Option<Matter>, RecordsError> {
    if reapply::why_two(db, store).await?.is_none() {
        return Ok(None);
    }
    Ok(Some(Matter::reapply_of(reapply::fingerprint(db, store).await?)))
}
