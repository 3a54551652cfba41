//! Deleting a task, after a question.

use super::actions::DeleteTask;
use super::crumbs;
use crate::parts::{Frame, ProblemSummary, named_in_path, page};
use crate::state::{actor, store};
use crate::submission::{action, refusal};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::TaskId;
use records::task;

/// Asks before a task is deleted.
#[component]
pub fn DeleteTaskPage() -> impl IntoView {
    let id = named_in_path::<TaskId>("task");
    page(async move {
        let task = task::read(&store(), actor(), id?).await?;
        let here = format!("/tasks/{}", task.id);
        let post = action(DeleteTask::PATH, &format!("{here}/delete"));
        let crumbs = crumbs([(task.draft.description.clone(), here.clone())]);
        Ok(view! {
            <Frame title="Delete task" crumbs lead=task.draft.description>
                <ProblemSummary error=refusal(DeleteTask::PATH) />
                <p>
                    "The task is deleted and does not run any more. Nobody is anonymised and nobody comes back by \
                     this. Its runs and previews stay in the list of runs."
                </p>
                {task.single_default.then_some(view! {
                    <p class="notice warning">
                        "The field settings of this task apply to single users. Mark another task as the default, or \
                         nobody can be anonymised from the user record."
                    </p>
                })}
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
