//! Saved tasks of the task centre.

mod change;
mod default;
mod file;
mod owner;
mod read;
mod save;

pub use change::{copy, delete, set_active};
pub(crate) use default::default_task;
pub use default::{default_after, make_default};
pub use file::{TaskFile, export, import, import_for};
pub use owner::{
    UnownedTask, WhyUnowned, check_reassign, found as unowned_tasks, possible_owners, reassign, unowned,
};
pub(crate) use read::confirmation;
pub use read::{Confirmation, LastRun, Task, TaskQuery, TaskRow, list, read};
pub use save::save;

use db::RecordsError;
use db::entity::tasks;
use policy::{Action, TaskId, TaskSettings};
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait, QuerySelect};
use trail::{Actor, task_name};

/// Returns an error if the actor may not do what a task of this type does.
pub(crate) fn may_use(actor: Actor, settings: &TaskSettings) -> Result<(), RecordsError> {
    match settings {
        TaskSettings::AnonymiseUserData(_) | TaskSettings::AnnounceAnonymising(_) => Ok(()),
        TaskSettings::ImportUsers(_) => actor.require_permission_to_see(Action::Import),
    }
}

/// Returns a task that the actor sees, locked until the end of the transaction.
pub(crate) async fn row_to_change(
    tx: &DatabaseTransaction,
    actor: Actor,
    id: TaskId,
) -> Result<tasks::Model, RecordsError> {
    let task = tasks::Entity::find_by_id(id.0)
        .lock_exclusive()
        .one(tx)
        .await?
        .filter(|task| task.deleted_at.is_none())
        .ok_or(RecordsError::NotFound("task"))?;
    task_name::seen_by(actor, task)
}

/// Returns a task that the actor sees.
pub(crate) async fn row_for(
    db: &impl ConnectionTrait,
    actor: Actor,
    id: TaskId,
) -> Result<tasks::Model, RecordsError> {
    task_name::seen_by(actor, row(db, id).await?)
}

/// Returns a task without checking who sees it, for use with its runs.
pub(crate) async fn row(db: &impl ConnectionTrait, id: TaskId) -> Result<tasks::Model, RecordsError> {
    tasks::Entity::find_by_id(id.0)
        .one(db)
        .await?
        .filter(|task| task.deleted_at.is_none())
        .ok_or(RecordsError::NotFound("task"))
}
