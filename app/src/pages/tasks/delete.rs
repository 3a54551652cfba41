//! Deleting a task, and deactivating the default, after a question.

use super::actions::{DeactivateTask, DeleteTask};
use super::{crumbs, task_link};
use crate::parts::{Frame, ProblemSummary, named_in_path, page};
use crate::state::{actor, store};
use crate::submission::{action, refusal};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::TaskId;
use records::task::{self, TaskName};

/// Asks before a task is deleted.
#[component]
pub fn DeleteTaskPage() -> impl IntoView {
    let id = named_in_path::<TaskId>("task");
    page(async move {
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
            <Frame title="Delete task" crumbs lead=task.draft.description>
                <ProblemSummary error=refusal(DeleteTask::PATH) />
                <p>
                    "The task is deleted and does not run any more. Nobody is anonymised and nobody comes back by \
                     this. Its runs and previews stay in the list of runs."
                </p>
                {default}
                <form method="post" action=post>
                    <crate::submission::Token />
                    <input type="hidden" name="form[task]" value=task.id.to_string() />
                    <div class="buttons">
                        <button class="danger" type="submit">"Delete task"</button>
                        <a href=here>"Keep task"</a>
                    </div>
                </form>
            </Frame>
        })
    })
}

/// What becomes of single users when the default is deleted.
fn after_default(next: Option<&(TaskId, TaskName)>) -> impl IntoView + use<> {
    let after = match next {
        Some(task) => view! {
            "After that, those of the task " {task_link(task)} " apply: it becomes the default. To choose another one, open it \
             and use it as the default before you delete this task."
        }
        .into_any(),
        None => "There is no other shared task: until there is one, no user can be anonymised from the user record."
            .into_any(),
    };
    view! {
        <p class="notice warning">
            "This task is the default for single users: its field settings apply when a user is anonymised from the record. "
            {after}
        </p>
    }
}

/// Asks before the default is deactivated, and says what stays.
#[component]
pub fn DeactivateTaskPage() -> impl IntoView {
    let id = named_in_path::<TaskId>("task");
    page(async move {
        let task = task::read(&store(), actor(), id?).await?;
        let here = format!("/tasks/{}", task.id);
        let post = action(DeactivateTask::PATH, &format!("{here}/deactivate"));
        let crumbs = crumbs([(task.draft.description.clone(), here.clone())]);
        let default = task.single_default.then(|| {
            view! {
                <p class="notice warning">
                    "This task stays the default for single users: its field settings still apply when a user is anonymised \
                     from the record. To change that, use another task as the default."
                </p>
            }
        });
        Ok(view! {
            <Frame title="Deactivate task" crumbs lead=task.draft.description>
                <ProblemSummary error=refusal(DeactivateTask::PATH) />
                <p>"The task doesn't run by its schedule any more. It can still be run by hand, and activated again."</p>
                {default}
                <form method="post" action=post>
                    <crate::submission::Token />
                    <input type="hidden" name="form[task]" value=task.id.to_string() />
                    <div class="buttons">
                        <button class="primary" type="submit">"Deactivate task"</button>
                        <a href=here>"Keep it active"</a>
                    </div>
                </form>
            </Frame>
        })
    })
}
