//! Saves a task from its form.

use super::read::all_custom_fields;
use crate::schedule::due_from_now;
use db::RecordsError;
use db::entity::tasks;
use policy::form::{FieldErrors, Problem};
use policy::task_form::{TaskDraft, TaskForm, validate};
use policy::{Action, Schedule, TaskId, TaskSettings, TaskType, UserNumber};
use sea_orm::{ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};
use transfer::profile;

/// Validates the form, like the browser does while it is edited, and saves the task.
pub async fn save(store: &Store, actor: Actor, form: &TaskForm) -> Result<TaskId, RecordsError> {
    actor.require(Action::EditTasks)?;
    let draft = validate(form, store.clock.wall()).map_err(RecordsError::Invalid)?;
    let tx = store.begin().await?;
    let id = write(&tx, store, actor, draft).await?;
    store.commit(tx).await?;
    Ok(id)
}

/// Writes a validated draft, as a new task or over the version that was edited.
pub(super) async fn write(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    draft: TaskDraft,
) -> Result<TaskId, RecordsError> {
    super::may_use(actor, &draft.settings)?;
    let owner = check(tx, actor, &draft).await?;
    let default = super::default::lock_and_mark_default(tx).await?;
    let now = store.clock.now();
    let next = due_from_now(store, &draft.schedule, draft.active);
    let task_type = draft.settings.task_type();
    let schedule = schedule_to_come(store, draft.schedule);
    let mut task = tasks::ActiveModel {
        description: Set(draft.description),
        active: Set(draft.active),
        task_type: Set(task_type),
        visibility: Set(draft.visibility),
        owner_number: Set(owner.map(|owner| owner.0)),
        settings: Set(draft.settings),
        schedule: Set(schedule.clone()),
        missed: Set(draft.missed),
        changed_at: Set(now),
        ..Default::default()
    };
    let (saved, action) = match draft.edited {
        None => {
            task.created_at = Set(now);
            task.next_due_at = Set(next);
            task.single_default =
                Set(super::default::is_default(default.as_ref(), None, (task_type, draft.visibility))?);
            (task.insert(tx).await?, AuditAction::TaskCreated)
        }
        Some((id, version)) => {
            let row = super::row_to_change(tx, actor, TaskId(id)).await?;
            if row.version != version {
                return Err(RecordsError::Stale);
            }
            if row.task_type != task_type {
                return Err(RecordsError::field("task_type", Problem::TaskTypeFixed));
            }
            let is_default =
                super::default::is_default(default.as_ref(), Some(&row), (task_type, draft.visibility))?;
            task.single_default = Set(is_default);
            // A change of other settings keeps the due time.
            if row.schedule != schedule || row.active != draft.active {
                task.next_due_at = Set(next);
            }
            if task.settings.as_ref().extends_beyond(&row.settings) {
                withdraw_confirmations(tx, TaskId(id)).await?;
            }
            task.id = Set(id);
            task.version = Set(version + 1);
            (task.update(tx).await?, AuditAction::TaskChanged)
        }
    };
    audit::record_event(tx, &store.clock, actor, action, Subject::Task(saved.id), None, "").await?;
    Ok(TaskId(saved.id))
}

/// Withdraws the confirmation of the tasks that announce a task. With its new settings they select users that no person
/// has seen in a preview.
async fn withdraw_confirmations(tx: &DatabaseTransaction, announced: TaskId) -> Result<(), RecordsError> {
    let announcing = tasks::Entity::find()
        .filter(tasks::Column::TaskType.eq(TaskType::AnnounceAnonymising))
        .filter(tasks::Column::ConfirmedSettings.is_not_null())
        .all(tx)
        .await?;
    for task in announcing {
        if matches!(&task.settings, TaskSettings::AnnounceAnonymising(settings) if settings.task == announced)
        {
            let withdrawn =
                tasks::ActiveModel { id: Set(task.id), confirmed_settings: Set(None), ..Default::default() };
            withdrawn.update(tx).await?;
        }
    }
    Ok(())
}

/// Returns the schedule, or manual only if its one-time date has passed.
///
/// The form knows only the local time, so it can't detect this in the repeated hour of a clock change.
fn schedule_to_come(store: &Store, schedule: Schedule) -> Schedule {
    let passed = matches!(schedule, Schedule::Once { .. }) && due_from_now(store, &schedule, true).is_none();
    if passed { Schedule::ManualOnly } else { schedule }
}

/// Checks what requires the database: the owner's permission, custom fields and import profile. Returns the owner.
async fn check(
    tx: &DatabaseTransaction,
    actor: Actor,
    draft: &TaskDraft,
) -> Result<Option<UserNumber>, RecordsError> {
    let (owner, mut errors) = match super::owner::owner(tx, actor, draft).await {
        Ok(owner) => (owner, FieldErrors::default()),
        Err(RecordsError::Invalid(errors)) => (None, errors),
        Err(error) => return Err(error),
    };
    match &draft.settings {
        TaskSettings::AnonymiseUserData(policy) => {
            let known = all_custom_fields(tx).await?;
            for key in &policy.keep_custom {
                let problem = match known.iter().find(|field| &field.key == key) {
                    None => Problem::UnknownChoice,
                    Some(field) if !field.class.can_be_kept() => Problem::IdentifierKept,
                    Some(_) => continue,
                };
                errors.add(&format!("custom.{key}"), problem);
            }
        }
        TaskSettings::ImportUsers(settings) => {
            if profile::find(tx, &settings.profile, settings.kind).await?.is_none() {
                errors.add("profile", Problem::UnknownChoice);
            }
        }
        TaskSettings::AnnounceAnonymising(settings) => {
            let announced = match super::row_for(tx, actor, settings.task).await {
                Ok(task) => Some(task),
                Err(RecordsError::NotFound(_)) => None,
                Err(error) => return Err(error),
            };
            if announced.is_none_or(|task| task.task_type != TaskType::AnonymiseUserData) {
                errors.add("announced_task", Problem::UnknownChoice);
            }
        }
    }
    if errors.is_empty() { Ok(owner) } else { Err(RecordsError::Invalid(errors)) }
}
