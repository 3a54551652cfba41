//! What can be done to a task at once, by a button.

use crate::error::AppError;
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
use policy::form::{FieldErrors, Problem};
use policy::{TaskId, UserNumber};
use records::{run, task};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

/// Names the task.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TaskRef {
    pub(super) task: i64,
}

/// How many previews are made at once: each looks at every user.
static PREVIEWS: Semaphore = Semaphore::const_new(2);

/// Assesses all users by the policy of the task; changes nobody. While others are made, nobody waits: they keep the
/// database busy enough.
#[server(prefix = "/do", endpoint = "make_preview", input = PostUrl)]
pub(super) async fn make_preview(form: TaskRef) -> Result<(), AppError> {
    let _turn = PREVIEWS.try_acquire().map_err(|_| AppError::TooMany)?;
    let preview = run::preview(&store(), actor(), TaskId(form.task)).await?;
    leptos_axum::redirect(&format!("/runs/{preview}"));
    Ok(())
}

/// Makes an inactive copy.
#[server(prefix = "/do", endpoint = "copy_task", input = PostUrl)]
pub(super) async fn copy_task(form: TaskRef) -> Result<(), AppError> {
    let copy = task::copy(&store(), actor(), TaskId(form.task)).await?;
    leptos_axum::redirect(&format!("/tasks/{copy}?done=task-copied"));
    Ok(())
}

/// Lets the task run by its schedule.
#[server(prefix = "/do", endpoint = "activate_task", input = PostUrl)]
pub(super) async fn activate_task(form: TaskRef) -> Result<(), AppError> {
    task::set_active(&store(), actor(), TaskId(form.task), true).await?;
    leptos_axum::redirect(&format!("/tasks/{}?done=task-activated", form.task));
    Ok(())
}

/// Stops the task from running by its schedule.
#[server(prefix = "/do", endpoint = "deactivate_task", input = PostUrl)]
pub(super) async fn deactivate_task(form: TaskRef) -> Result<(), AppError> {
    task::set_active(&store(), actor(), TaskId(form.task), false).await?;
    leptos_axum::redirect(&format!("/tasks/{}?done=task-deactivated", form.task));
    Ok(())
}

/// Marks the task whose field settings apply to single users.
#[server(prefix = "/do", endpoint = "make_task_default", input = PostUrl)]
pub(super) async fn make_task_default(form: TaskRef) -> Result<(), AppError> {
    task::make_default(&store(), actor(), TaskId(form.task)).await?;
    leptos_axum::redirect(&format!("/tasks/{}?done=task-default", form.task));
    Ok(())
}

/// A task and its new owner.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReassignForm {
    pub(super) task: i64,
    #[serde(default)]
    pub(super) owner: String,
    /// The number of the owner whose name was shown.
    #[serde(default)]
    confirmed: String,
}

impl ReassignForm {
    /// The owner whose number was typed.
    pub(super) fn owner(&self) -> Result<UserNumber, Problem> {
        match self.owner.trim().parse::<UserNumber>() {
            _ if self.owner.trim().is_empty() => Err(Problem::required("the user number of the new owner")),
            Ok(owner) if owner.0 > 0 => Ok(owner),
            _ => Err(Problem::NotAUserNumber),
        }
    }
}

/// Gives a task whose owner is gone to another one, whose name was shown before: a number is soon mistyped, and a private
/// task is its owner's alone.
#[server(prefix = "/do", endpoint = "reassign_task", input = PostUrl)]
pub(super) async fn reassign_task(form: ReassignForm) -> Result<(), AppError> {
    let owner = form.owner().map_err(|problem| AppError::Invalid(FieldErrors::one("owner", problem)))?;
    if form.confirmed != owner.to_string() {
        task::check_reassign(&store(), actor(), TaskId(form.task), owner).await?;
        return Err(AppError::Checked);
    }
    task::reassign(&store(), actor(), TaskId(form.task), owner).await?;
    leptos_axum::redirect("/tasks/owners?done=task-reassigned");
    Ok(())
}

/// Deletes the task; its runs stay.
#[server(prefix = "/do", endpoint = "delete_task", input = PostUrl)]
pub(super) async fn delete_task(form: TaskRef) -> Result<(), AppError> {
    task::delete(&store(), actor(), TaskId(form.task)).await?;
    leptos_axum::redirect("/tasks?done=task-deleted");
    Ok(())
}
