//! The saved tasks of the task centre.

mod change;
mod file;
mod read;
mod save;

pub use change::{copy, delete, make_default, set_active};
pub use file::{TaskFile, export, import};
pub(crate) use read::stored_schedule;
pub use read::{Confirmation, LastRun, Task, TaskQuery, TaskRow, custom_fields, list, read};
pub use save::save;

use crate::entity::tasks;
use crate::error::RecordsError;
use policy::TaskId;
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait, QuerySelect};

/// A task that is not deleted, locked until the transaction ends.
async fn row_to_change(tx: &DatabaseTransaction, id: TaskId) -> Result<tasks::Model, RecordsError> {
    tasks::Entity::find_by_id(id.0)
        .lock_exclusive()
        .one(tx)
        .await?
        .filter(|task| task.deleted_at.is_none())
        .ok_or(RecordsError::NotFound("task"))
}

/// A task that is not deleted.
pub(crate) async fn row(db: &impl ConnectionTrait, id: TaskId) -> Result<tasks::Model, RecordsError> {
    tasks::Entity::find_by_id(id.0)
        .one(db)
        .await?
        .filter(|task| task.deleted_at.is_none())
        .ok_or(RecordsError::NotFound("task"))
}
