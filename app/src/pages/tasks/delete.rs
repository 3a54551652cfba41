//! The pages that confirm deleting a task and deactivating the default task.

use super::actions::{DeactivateTask, DeleteTask};
use super::crumbs;
use crate::components::{PageLayout, ProblemSummary, guarded_page, path_param, task_link};
use crate::form::{action, error_for};
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::TaskId;
use task_centre::task;
use trail::task_name::TaskName;

/// Asks before a task is deleted.
#[component]
pub fn DeleteTaskPage() -> impl IntoView {
    let id = path_param::<TaskId>("task");
    guarded_page(async move {
        let task = task::read(&store(), actor(), id?).await?;
        let here = format!("/tasks/{}", task.id);
        let post = action(DeleteTask::PATH, &format!("{here}/delete"));
        let default = if task.single_default {
            Some(after_default(task::default_after(&store(), task.id).await?.as_ref()).into_any())
        } else {
            None
        };
        let crumbs = crumbs([(task.draft.description.clone(), here.clone())]);
        Ok(view! {
            <PageLayout title="Delete task" crumbs lead=task.draft.description>
                <ProblemSummary error=error_for(DeleteTask::PATH) />
                <p>
                    "The task will stop running. Deleting it neither anonymises nor restores any user. Its \
                     runs and previews stay in the list of runs."
                </p>
                {default}
                <form method="post" action=post>
                    <crate::form::Token />
                    <input type="hidden" name="form[task]" value=task.id.to_string() />
                    <div class="buttons">
                        <button class="danger" type="submit">"Delete task"</button>
                        <a href=here>"Keep task"</a>
                    </div>
                </form>
            </PageLayout>
        })
    })
}

/// Renders the consequence for single users when the default task is deleted.
fn after_default(next: Option<&(TaskId, TaskName)>) -> impl IntoView + use<> {
    let after = match next {
        Some(task) => view! {
            "After the deletion, the task " {task_link(task)}
            " becomes the default and its field settings apply. To choose another default, open that task \
             and set it as the default before you delete this one."
        }
        .into_any(),
        None => "There is no other shared task: until there is one, users cannot be anonymised from their \
                 record."
            .into_any(),
    };
    view! {
        <p class="notice warning">
            "This task is the default for single users: its field settings apply when a user is anonymised from the record. "
            {after}
        </p>
    }
}

/// Asks before the default task is deactivated.
#[component]
pub fn DeactivateTaskPage() -> impl IntoView {
    let id = path_param::<TaskId>("task");
    guarded_page(async move {
        let task = task::read(&store(), actor(), id?).await?;
        let here = format!("/tasks/{}", task.id);
        let post = action(DeactivateTask::PATH, &format!("{here}/deactivate"));
        let crumbs = crumbs([(task.draft.description.clone(), here.clone())]);
        let default = task.single_default.then(|| {
            view! {
                <p class="notice warning">
                    "This task stays the default for single users: its field settings still apply when a \
                     user is anonymised from the record. To change that, set another task as the default."
                </p>
            }
        });
        Ok(view! {
            <PageLayout title="Deactivate task" crumbs lead=task.draft.description>
                <ProblemSummary error=error_for(DeactivateTask::PATH) />
                <p>"The task will no longer run on schedule. You can still start it by hand, and activate it \
                    again."</p>
                {default}
                <form method="post" action=post>
                    <crate::form::Token />
                    <input type="hidden" name="form[task]" value=task.id.to_string() />
                    <div class="buttons">
                        <button class="primary" type="submit">"Deactivate task"</button>
                        <a href=here>"Keep task active"</a>
                    </div>
                </form>
            </PageLayout>
        })
    })
}
