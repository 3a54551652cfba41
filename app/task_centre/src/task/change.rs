//! Actions on a task other than editing.

use super::read::draft_of;
use super::save::write;
use crate::schedule::due_from_now;
use db::RecordsError;
use db::entity::tasks;
use policy::{Action, RunState, TaskId};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// Maximum number of characters that a copy takes over from a description, so that the suffix fits.
const DESCRIPTION_OF_COPY: usize = 190;
/// The states of a run that prevent deleting its task.
const NOT_ENDED: [RunState; 4] =
    [RunState::Queued, RunState::Running, RunState::Cancelling, RunState::Interrupted];

/// Creates an inactive copy of a task, to be edited before use.
pub async fn copy(store: &Store, actor: Actor, id: TaskId) -> Result<TaskId, RecordsError> {
    actor.require(Action::EditTasks)?;
    let tx = store.begin().await?;
    let original = super::row_for(&tx, actor, id).await?;
    let mut draft = draft_of(&original);
    draft.edited = None;
    draft.active = false;
    draft.description =
        draft.description.chars().take(DESCRIPTION_OF_COPY).chain(" (copy)".chars()).collect();
    let copy = write(&tx, store, actor, draft).await?;
    tasks::ActiveModel { id: Set(copy.0), letter: Set(original.letter), ..Default::default() }
        .update(&tx)
        .await?;
    audit::record_event(&tx, &store.clock, actor, AuditAction::TaskCopied, Subject::Task(id.0), None, "")
        .await?;
    store.commit(tx).await?;
    Ok(copy)
}

/// Activates or deactivates a task. An active task starts by its schedule, counted from now. Rejects a task that is
/// already in this state.
///
/// This increases the version, so that a form opened earlier can't revert it unnoticed.
pub async fn set_active(store: &Store, actor: Actor, id: TaskId, active: bool) -> Result<(), RecordsError> {
    actor.require(Action::EditTasks)?;
    let tx = store.begin().await?;
    let task = super::row_to_change(&tx, actor, id).await?;
    if task.active == active {
        let state = if active { "active" } else { "inactive" };
        return Err(RecordsError::Refused(format!("This task is already {state}. Nothing was changed")));
    }
    let next = due_from_now(store, &task.schedule, active);
    tasks::ActiveModel {
        id: Set(id.0),
        active: Set(active),
        next_due_at: Set(next),
        version: Set(task.version + 1),
        ..Default::default()
    }
    .update(&tx)
    .await?;
    let action = if active { AuditAction::TaskActivated } else { AuditAction::TaskDeactivated };
    audit::record_event(&tx, &store.clock, actor, action, Subject::Task(id.0), None, "").await?;
    store.commit(tx).await?;
    Ok(())
}

/// Deletes a task. Its runs and previews stay, with its description.
///
/// If it was the default task, the first other shared task becomes the default.
pub async fn delete(store: &Store, actor: Actor, id: TaskId) -> Result<(), RecordsError> {
    actor.require(Action::EditTasks)?;
    let tx = store.begin().await?;
    super::default::pass_on(&tx, store, actor, id).await?;
    super::row_to_change(&tx, actor, id).await?;
    let under_way = db::entity::runs::Entity::find()
        .filter(db::entity::runs::Column::TaskId.eq(id.0))
        .filter(db::entity::runs::Column::State.is_in(NOT_ENDED))
        .one(&tx)
        .await?;
    if let Some(run) = under_way {
        return Err(RecordsError::Refused(format!(
            "Run {} of this task is in progress. Wait until it ends, then delete the task",
            run.id
        )));
    }
    tasks::ActiveModel {
        id: Set(id.0),
        active: Set(false),
        next_due_at: Set(None),
        single_default: Set(false),
        deleted_at: Set(Some(store.clock.now())),
        ..Default::default()
    }
    .update(&tx)
    .await?;
    audit::record_event(&tx, &store.clock, actor, AuditAction::TaskDeleted, Subject::Task(id.0), None, "")
        .await?;
    store.commit(tx).await?;
    Ok(())
}
