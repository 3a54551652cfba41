//! Previews of listed users: from a pasted list of user numbers, or a file of them.

use super::crumbs;
use crate::components::{FieldProblem, PageLayout, ProblemSummary, escaped, guarded_page, path_param};
use crate::error::{AppError, field_errors};
use crate::form::{FailedSubmission, Token, action, error_for, failed_submission, kept};
use crate::preview_turn;
use crate::state::{AppState, actor, store};
use axum::body::Bytes;
use db::RecordsError;
use identity::Session;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::form::FieldErrors;
use policy::listed_users::{self, MAX_LISTED};
use policy::numbers::grouped;
use policy::{RunId, TaskId};
use serde::{Deserialize, Serialize};
use task_centre::{run, task};
use trail::{Actor, Store};

/// The route that receives a file of user numbers.
const FILE_ROUTE: &str = "/tasks/preview-of-file";

/// A task, and a pasted list of user numbers.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListedForm {
    task: i64,
    #[serde(default)]
    users: String,
}

/// Creates a preview of pasted users.
#[server(prefix = "/do", endpoint = "preview_listed", input = PostUrl)]
pub(super) async fn preview_listed(form: ListedForm) -> Result<(), AppError> {
    let preview = of_list(&store(), actor(), TaskId(form.task), &form.users).await?;
    leptos_axum::redirect(&format!("/runs/{preview}"));
    Ok(())
}

/// Reads a list and creates its preview.
async fn of_list(store: &Store, actor: Actor, task: TaskId, list: &str) -> Result<RunId, AppError> {
    let users =
        listed_users::read(list).map_err(|problem| AppError::Invalid(FieldErrors::one("users", problem)))?;
    let _turn = preview_turn::take()?;
    Ok(run::preview_listed(store, actor, task, &users).await?)
}

/// Creates the preview of an uploaded list, if it could be read. Returns the address of the preview, or of the form with
/// the problem.
pub async fn preview_of_file(
    state: &AppState,
    session: &Session,
    task: TaskId,
    list: Result<String, AppError>,
) -> String {
    let page = format!("/tasks/{task}/listed");
    let preview = match list {
        Ok(list) => of_list(&state.store, session.actor(), task, &list).await,
        Err(error) => Err(error),
    };
    match preview {
        Ok(preview) => format!("/runs/{preview}"),
        Err(error) => {
            let body = Bytes::from(format!("form[task]={task}"));
            let failed = FailedSubmission { path: PreviewListed::PATH.to_owned(), body, error };
            kept::address(&page, &failed, Some(session)).unwrap_or(page)
        }
    }
}

/// Shows the forms for a preview of listed users.
#[component]
pub fn ListedPreviewPage() -> impl IntoView {
    let id = path_param::<TaskId>("task");
    guarded_page(async move {
        let task = task::read(&store(), actor(), id?).await?;
        if task.draft.settings.policy().is_none() {
            return Err(RecordsError::NotFound("preview of listed users"));
        }
        let here = format!("/tasks/{}", task.id);
        let crumbs = crumbs([(task.draft.description.clone(), here.clone())]);
        let failed = failed_submission::<ListedForm>(PreviewListed::PATH);
        let (typed, error) = failed.unzip();
        let error = error.or_else(|| error_for(PreviewListed::PATH));
        let errors = field_errors(error.as_ref());
        let typed = typed.map(|form| form.users).unwrap_or_default();
        let (invalid, page) = (errors.message("users").map(|_| "true"), format!("{here}/listed"));
        let id = task.id.to_string();
        Ok(view! {
            <PageLayout title="Preview listed users" crumbs
                lead="Shows which of these users the task would anonymise, and why it would skip the others. A preview \
                      changes no users.">
                <ProblemSummary error />
                <p>
                    "The conditions, blockers, safety limits and approvals of the task apply. The run of this preview can \
                     anonymise listed users only, and replaces any other preview of the task."
                </p>
                <form method="post" action=action(PreviewListed::PATH, &page)>
                    <Token />
                    <input type="hidden" name="form[task]" value=id.clone() />
                    <div class="field">
                        <label for="users">"User numbers"</label>
                        <p class="hint" id="users-hint">
                            "One in each line, or separated by commas or spaces. At most "
                            {grouped(i64::try_from(MAX_LISTED).unwrap_or(i64::MAX))} " users."
                        </p>
                        <textarea id="users" name="form[users]" rows="8" aria-invalid=invalid
                            aria-describedby="users-hint users-problem">
                            {escaped(&typed)}
                        </textarea>
                        <FieldProblem field="users" errors />
                    </div>
                    <div class="buttons"><button class="primary" type="submit">"Create preview of these users"</button></div>
                </form>
                <h2>"From a file"</h2>
                <form method="post" action=FILE_ROUTE enctype="multipart/form-data">
                    <Token />
                    <input type="hidden" name="task" value=id />
                    <div class="field">
                        <label for="file">"File with user numbers"</label>
                        <p class="hint" id="file-hint">"Plain text or CSV with one column; a heading is ignored."</p>
                        <input id="file" name="file" type="file" accept=".txt,.csv,text/plain,text/csv" required
                            aria-describedby="file-hint" />
                    </div>
                    <div class="buttons"><button type="submit">"Create preview of this file"</button></div>
                </form>
            </PageLayout>
        })
    })
}
