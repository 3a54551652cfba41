//! Discards a preview that is not to be run. Its numbers remain, the list of its users doesn't.

use super::{approval_gate, start};
use crate::task;
use db::RecordsError;
use db::entity::{run_members, runs};
use policy::{Action, RunId, RunState};
use safeguards::approval::{self, ApprovalSubject};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// Discards a preview, so that it can't be run any more. Closes the requests for its approval.
pub async fn discard(store: &Store, actor: Actor, preview: RunId) -> Result<(), RecordsError> {
    actor.require(Action::Preview)?;
    let tx = store.begin().await?;
    approval_gate::lock_preview(&tx, preview).await?;
    let preview = start::current_preview(&tx, store, preview).await?;
    task::may_use(actor, &preview.settings)?;
    runs::ActiveModel { id: Set(preview.id), state: Set(RunState::Cancelled), ..Default::default() }
        .update(&tx)
        .await?;
    run_members::Entity::delete_many().filter(run_members::Column::RunId.eq(preview.id)).exec(&tx).await?;
    approval::close_within(&tx, store, actor, &ApprovalSubject::run_of(&preview)?).await?;
    let subject = Subject::Task(preview.task_id.unwrap_or_default());
    let run = Some(RunId(preview.id));
    audit::record_event(&tx, &store.clock, actor, AuditAction::PreviewDiscarded, subject, run, "").await?;
    store.commit(tx).await?;
    Ok(())
}
