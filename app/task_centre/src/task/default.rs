//! The default task: its field settings apply to single users (rule 7).
//!
//! The first shared task is the default until another one is chosen. As long as there is a shared task, exactly
//! one task is the default. A private task never becomes the default, because staff who anonymise a single user
//! must see the settings that apply.

use db::entity::tasks;
use db::{RecordsError, dialect};
use policy::form::Problem;
use policy::task_form::Visibility;
use policy::{Action, TaskId, TaskType};
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
};
use trail::audit::{self, AuditAction, Subject};
use trail::task_name::TaskName;
use trail::{Actor, Store};

/// Returns the default task: the marked one, or else the first shared one.
pub(crate) async fn default_task(db: &impl ConnectionTrait) -> Result<Option<tasks::Model>, DbErr> {
    tasks::Entity::find()
        .filter(tasks::Column::DeletedAt.is_null())
        .filter(anonymises())
        .filter(Condition::any().add(tasks::Column::SingleDefault.eq(true)).add(is_shared()))
        .order_by_desc(tasks::Column::SingleDefault)
        .order_by_asc(tasks::Column::Id)
        .one(db)
        .await
}

fn anonymises() -> SimpleExpr {
    tasks::Column::TaskType.eq(TaskType::AnonymiseUserData)
}

fn is_shared() -> SimpleExpr {
    tasks::Column::Visibility.eq(Visibility::Shared)
}

/// Returns the task that becomes the default when this one is deleted, or `None` if there is no other shared task.
pub async fn default_after(store: &Store, id: TaskId) -> Result<Option<(TaskId, TaskName)>, RecordsError> {
    let next = first_other(&store.db, id).await?;
    Ok(next.map(|task| (TaskId(task.id), TaskName::new(&task))))
}

async fn first_other(db: &impl ConnectionTrait, id: TaskId) -> Result<Option<tasks::Model>, DbErr> {
    tasks::Entity::find()
        .filter(tasks::Column::DeletedAt.is_null())
        .filter(tasks::Column::Id.ne(id.0))
        .filter(anonymises())
        .filter(is_shared())
        .order_by_asc(tasks::Column::Id)
        .one(db)
        .await
}

/// Locks out other transactions that create or delete a task or choose the default, and marks the default task.
///
/// Called before a task is written, so that the new task becomes the default only if it is the first.
pub(super) async fn lock_and_mark_default(tx: &DatabaseTransaction) -> Result<Option<tasks::Model>, DbErr> {
    dialect::lock_task_default(tx).await?;
    let default = default_task(tx).await?;
    if let Some(task) = default.as_ref().filter(|task| !task.single_default) {
        set(tx, task.id, true).await?;
    }
    Ok(default)
}

/// Returns whether a saved task is the default: it was the default, or is the first shared task.
///
/// Returns an error if the default task would become private.
pub(super) fn is_default(
    default: Option<&tasks::Model>,
    saved: Option<&tasks::Model>,
    (task_type, visibility): (TaskType, Visibility),
) -> Result<bool, RecordsError> {
    if task_type != TaskType::AnonymiseUserData {
        return Ok(false);
    }
    let Some(default) = default else { return Ok(visibility == Visibility::Shared) };
    let is_default = saved.is_some_and(|saved| saved.id == default.id);
    if is_default && visibility == Visibility::Private && default.visibility == Visibility::Shared {
        return Err(RecordsError::field("visibility", Problem::DefaultIsShared));
    }
    Ok(is_default)
}

/// Makes another task the default before this one is deleted.
pub(super) async fn pass_on(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    id: TaskId,
) -> Result<(), RecordsError> {
    let is_default = lock_and_mark_default(tx).await?.is_some_and(|task| task.id == id.0);
    if !is_default {
        return Ok(());
    }
    set(tx, id.0, false).await?;
    let Some(next) = first_other(tx, id).await? else { return Ok(()) };
    set(tx, next.id, true).await?;
    Ok(audit::record_event(
        tx,
        &store.clock,
        actor,
        AuditAction::TaskMadeDefault,
        Subject::Task(next.id),
        None,
        "",
    )
    .await?)
}

/// Makes this task the default. Rejects the default task.
pub async fn make_default(store: &Store, actor: Actor, id: TaskId) -> Result<(), RecordsError> {
    actor.require(Action::EditTasks)?;
    let tx = store.begin().await?;
    let before = lock_and_mark_default(&tx).await?;
    let task = super::row_for(&tx, actor, id).await?;
    if before.as_ref().is_some_and(|task| task.id == id.0) {
        return Err(RecordsError::Refused(
            "This task is already the default. Nothing was changed".to_owned(),
        ));
    }
    if task.task_type != TaskType::AnonymiseUserData {
        return Err(RecordsError::Refused(
            "Nothing was changed. Only a task that anonymises user data can be the default".to_owned(),
        ));
    }
    if task.visibility == Visibility::Private {
        return Err(RecordsError::Refused(
            "Nothing was changed. A private task cannot be the default, because all staff who anonymise single users \
             must see its settings. Share the task first"
                .to_owned(),
        ));
    }
    if let Some(before) = before {
        set(&tx, before.id, false).await?;
    }
    set(&tx, id.0, true).await?;
    audit::record_event(
        &tx,
        &store.clock,
        actor,
        AuditAction::TaskMadeDefault,
        Subject::Task(id.0),
        None,
        "",
    )
    .await?;
    store.commit(tx).await?;
    Ok(())
}

async fn set(tx: &DatabaseTransaction, id: i64, default: bool) -> Result<(), DbErr> {
    tasks::Entity::update_many()
        .col_expr(tasks::Column::SingleDefault, Expr::value(default))
        .filter(tasks::Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}
