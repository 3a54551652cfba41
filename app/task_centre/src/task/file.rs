//! Exports and imports tasks as files, to copy them between installations.

use super::read::draft_of;
use super::save::write;
use db::RecordsError;
use db::entity::tasks;
use policy::letter;
use policy::task_form::{TaskDraft, TaskForm, Visibility, validate};
use policy::{Action, MisfirePolicy, Schedule, TaskId, TaskSettings, UserNumber};
use sea_orm::{ActiveModelTrait, Set};
use serde::{Deserialize, Serialize};
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// The format named in a task file.
const FORMAT: &str = "lethe-task-1";

/// A task in a file: settings and schedule, without the owner, who belongs to one installation.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TaskFile {
    format: String,
    description: String,
    visibility: Visibility,
    settings: TaskSettings,
    schedule: Schedule,
    missed: MisfirePolicy,
    /// The text of its letters, if it has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    letter: Option<String>,
}

/// Returns the file of a task.
pub async fn export(store: &Store, actor: Actor, id: TaskId) -> Result<TaskFile, RecordsError> {
    actor.require(Action::SeeTasks)?;
    let tx = store.begin().await?;
    let row = super::row_for(&tx, actor, id).await?;
    let draft = draft_of(&row);
    audit::record_event(&tx, &store.clock, actor, AuditAction::TaskExported, Subject::Task(id.0), None, "")
        .await?;
    store.commit(tx).await?;
    Ok(TaskFile {
        format: FORMAT.to_owned(),
        description: draft.description,
        visibility: draft.visibility,
        settings: draft.settings,
        schedule: draft.schedule,
        missed: draft.missed,
        letter: row.letter,
    })
}

/// Saves the task of a file as a new, inactive task, to be activated by staff.
///
/// It is validated like a form, so that a one-time date in the past makes it manual only.
pub async fn import(store: &Store, actor: Actor, file: TaskFile) -> Result<TaskId, RecordsError> {
    import_for(store, actor, file, None).await
}

/// Like [`import`], for an owner. If `owner` is `None`, the importing member of staff owns a private task.
pub async fn import_for(
    store: &Store,
    actor: Actor,
    file: TaskFile,
    owner: Option<UserNumber>,
) -> Result<TaskId, RecordsError> {
    actor.require(Action::EditTasks)?;
    if file.format != FORMAT {
        return Err(RecordsError::Refused(format!("This is not a task file in the format {FORMAT}")));
    }
    let letter = match &file.letter {
        Some(text) => letter::validate(text).map_err(|problem| RecordsError::field("letter", problem))?,
        None => None,
    };
    let kept = file.settings.policy().map(|policy| policy.keep_custom.clone()).unwrap_or_default();
    let draft = TaskDraft {
        edited: None,
        description: file.description,
        active: false,
        visibility: file.visibility,
        owner,
        settings: file.settings,
        schedule: file.schedule,
        missed: file.missed,
        notice: None,
    };
    let draft =
        validate(&TaskForm::from_draft(&draft, &kept), store.clock.wall()).map_err(RecordsError::Invalid)?;
    let tx = store.begin().await?;
    let id = write(&tx, store, actor, draft).await?;
    if let Some(letter) = letter {
        tasks::ActiveModel { id: Set(id.0), letter: Set(Some(letter)), ..Default::default() }
            .update(&tx)
            .await?;
    }
    store.commit(tx).await?;
    Ok(id)
}
