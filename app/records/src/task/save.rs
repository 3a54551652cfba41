//! Saving a task from its form.

use super::read::all_custom_fields;
use crate::actor::Actor;
use crate::audit::{self, Deed, Subject};
use crate::entity::{tasks, users};
use crate::error::RecordsError;
use crate::schedule::due_from_now;
use crate::store::Store;
use policy::form::{FieldErrors, Problem};
use policy::task_form::{TASK_TYPE, TaskDraft, TaskForm, validate};
use policy::{Action, Schedule, TaskId};
use sea_orm::{ActiveModelTrait, DatabaseTransaction, EntityTrait, Set};

/// Checks the form and saves the task. The check is the one that the browser made while somebody typed.
pub async fn save(store: &Store, actor: Actor, form: &TaskForm) -> Result<TaskId, RecordsError> {
    actor.must(Action::EditTasks)?;
    let draft = validate(form, store.clock.wall()).map_err(RecordsError::Invalid)?;
    let tx = store.begin().await?;
    let id = write(&tx, store, actor, draft).await?;
    store.commit(tx).await?;
    Ok(id)
}

/// Writes what a right form says, as a new task or over the version that was edited.
pub(super) async fn write(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    draft: TaskDraft,
) -> Result<TaskId, RecordsError> {
    check(tx, &draft).await?;
    let now = store.clock.now();
    let next = due_from_now(store, &draft.schedule, draft.active);
    let schedule = stored(&schedule_to_come(store, draft.schedule), "schedule")?;
    let mut task = tasks::ActiveModel {
        description: Set(draft.description),
        active: Set(draft.active),
        task_type: Set(TASK_TYPE.0.to_owned()),
        visibility: Set(draft.visibility.code().to_owned()),
        owner_number: Set(draft.owner.map(|owner| owner.0)),
        policy: Set(stored(&draft.policy, "policy")?),
        schedule: Set(schedule.clone()),
        missed: Set(draft.missed.code().to_owned()),
        changed_at: Set(now),
        ..Default::default()
    };
    let (saved, deed) = match draft.edited {
        None => {
            task.created_at = Set(now);
            task.next_due_at = Set(next);
            (task.insert(tx).await?, Deed::TaskCreated)
        }
        Some((id, version)) => {
            let row = super::row_to_change(tx, actor, TaskId(id)).await?;
            if row.version != version {
                return Err(RecordsError::Stale);
            }
            // What is due already stays due when only something else is changed.
            if row.schedule != schedule || row.active != draft.active {
                task.next_due_at = Set(next);
            }
            task.id = Set(id);
            task.version = Set(version + 1);
            (task.update(tx).await?, Deed::TaskChanged)
        }
    };
    audit::note(tx, &store.clock, actor, deed, Subject::Task(saved.id), None, "").await?;
    Ok(TaskId(saved.id))
}

/// The schedule, or manual only when it is a single date that never comes any more. (The form knows the wall time
/// only; in the hour that comes twice it cannot see that.)
fn schedule_to_come(store: &Store, schedule: Schedule) -> Schedule {
    let passed = matches!(schedule, Schedule::Once { .. }) && due_from_now(store, &schedule, true).is_none();
    if passed { Schedule::ManualOnly } else { schedule }
}

/// What only the database knows: whether the owner exists and the custom fields are those of this library.
async fn check(tx: &DatabaseTransaction, draft: &TaskDraft) -> Result<(), RecordsError> {
    let mut errors = FieldErrors::default();
    if let Some(owner) = draft.owner {
        let user = users::Entity::find_by_id(owner.0).one(tx).await?;
        if user.is_none_or(|user| user.anonymised_on.is_some()) {
            errors.add("owner", Problem::NoSuchUser);
        }
    }
    let known = all_custom_fields(tx).await?;
    for key in &draft.policy.keep_custom {
        if !known.iter().any(|(known, _)| known == key) {
            errors.add(&format!("custom.{key}"), Problem::UnknownChoice);
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(RecordsError::Invalid(errors)) }
}

fn stored<T: serde::Serialize>(value: &T, what: &'static str) -> Result<String, RecordsError> {
    serde_json::to_string(value).map_err(|_| RecordsError::Corrupt(what))
}
