//! The server functions of a task's buttons.

use crate::components::flash;
use crate::error::AppError;
use crate::preview_turn;
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
use policy::form::{FieldErrors, Problem};
use policy::marked_number::typed_user_number;
use policy::{TaskId, UserNumber};
use serde::{Deserialize, Serialize};
use task_centre::{run, task};

/// Identifies the task.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TaskRef {
    pub(super) task: i64,
}

/// Creates a preview, which changes no user. While others are being created it is rejected, because they keep the
/// database busy.
#[server(prefix = "/do", endpoint = "make_preview", input = PostUrl)]
pub(super) async fn make_preview(form: TaskRef) -> Result<(), AppError> {
    let _turn = preview_turn::take()?;
    let preview = run::preview(&store(), actor(), TaskId(form.task)).await?;
    leptos_axum::redirect(&format!("/runs/{preview}"));
    Ok(())
}

/// Creates an inactive copy.
#[server(prefix = "/do", endpoint = "copy_task", input = PostUrl)]
pub(super) async fn copy_task(form: TaskRef) -> Result<(), AppError> {
    let copy = task::copy(&store(), actor(), TaskId(form.task)).await?;
    flash::redirect(&format!("/tasks/{copy}?done=task-copied"));
    Ok(())
}

/// Activates the task: it runs on schedule.
#[server(prefix = "/do", endpoint = "activate_task", input = PostUrl)]
pub(super) async fn activate_task(form: TaskRef) -> Result<(), AppError> {
    task::set_active(&store(), actor(), TaskId(form.task), true).await?;
    flash::redirect(&format!("/tasks/{}?done=task-activated", form.task));
    Ok(())
}

/// Deactivates the task: it no longer runs on schedule.
#[server(prefix = "/do", endpoint = "deactivate_task", input = PostUrl)]
pub(super) async fn deactivate_task(form: TaskRef) -> Result<(), AppError> {
    task::set_active(&store(), actor(), TaskId(form.task), false).await?;
    flash::redirect(&format!("/tasks/{}?done=task-deactivated", form.task));
    Ok(())
}

/// Makes the task the default: its field settings apply to single users.
#[server(prefix = "/do", endpoint = "make_task_default", input = PostUrl)]
pub(super) async fn make_task_default(form: TaskRef) -> Result<(), AppError> {
    task::make_default(&store(), actor(), TaskId(form.task)).await?;
    flash::redirect(&format!("/tasks/{}?done=task-default", form.task));
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
    /// Returns the typed owner.
    pub(super) fn owner(&self) -> Result<UserNumber, Problem> {
        if self.owner.trim().is_empty() {
            return Err(Problem::not_chosen("the new owner"));
        }
        typed_user_number(&self.owner).ok_or(Problem::NotAUserNumber)
    }
}

/// Reassigns a task without an active owner. The name of the new owner is shown first, because a number is easily
/// mistyped and only the owner can see a private task.
#[server(prefix = "/do", endpoint = "reassign_task", input = PostUrl)]
pub(super) async fn reassign_task(form: ReassignForm) -> Result<(), AppError> {
    let owner = form.owner().map_err(|problem| AppError::Invalid(FieldErrors::one("owner", problem)))?;
    if form.confirmed != owner.to_string() {
        task::check_reassign(&store(), actor(), TaskId(form.task), owner).await?;
        return Err(AppError::Checked);
    }
    task::reassign(&store(), actor(), TaskId(form.task), owner).await?;
    flash::redirect("/tasks/owners?done=task-reassigned");
    Ok(())
}

/// Deletes the task. Its runs stay.
#[server(prefix = "/do", endpoint = "delete_task", input = PostUrl)]
pub(super) async fn delete_task(form: TaskRef) -> Result<(), AppError> {
    task::delete(&store(), actor(), TaskId(form.task)).await?;
    flash::redirect("/tasks?done=task-deleted");
    Ok(())
}
