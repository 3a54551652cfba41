//! Previews of listed users: from a list of user numbers, a file of them, or a search for users.

use super::actions::turn;
use super::crumbs;
use crate::components::{FieldProblem, PageLayout, ProblemSummary, escaped, guarded_page, path_param};
use crate::error::{AppError, field_errors};
use crate::form::{FailedSubmission, Token, action, error_for, failed_submission, kept};
use crate::state::{AppState, actor, store};
use crate::user_search::{SearchForm, known_values};
use axum::body::Bytes;
use db::RecordsError;
use identity::Session;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::form::{FieldErrors, Problem};
use policy::listed_users::{self, MAX_LISTED};
use policy::numbers::grouped;
use policy::{RunId, TaskId, TaskType, UserNumber};
use records::user;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use task_centre::run;
use task_centre::task::{self, TaskQuery};
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

/// A task, and the users that a search has found: the ticked ones, or all.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FoundForm {
    task: String,
    which: String,
    users: Vec<i64>,
    search: BTreeMap<String, String>,
}

/// The code of the choice of all users found.
const ALL_FOUND: &str = "all";
/// The code of the choice of the ticked users.
const TICKED: &str = "ticked";

/// Creates a preview of pasted users.
#[server(prefix = "/do", endpoint = "preview_listed", input = PostUrl)]
pub(super) async fn preview_listed(form: ListedForm) -> Result<(), AppError> {
    let preview = of_list(&store(), actor(), TaskId(form.task), &form.users).await?;
    leptos_axum::redirect(&format!("/runs/{preview}"));
    Ok(())
}

/// Creates a preview of users that a search has found.
#[server(prefix = "/do", endpoint = "preview_found", input = PostUrl)]
pub(crate) async fn preview_found(form: FoundForm) -> Result<(), AppError> {
    let mut errors = FieldErrors::default();
    let task = form.task.parse().map(TaskId);
    if task.is_err() {
        errors.add("task", Problem::NotChosen { what: "a task".to_owned() });
    }
    let users: BTreeSet<UserNumber> = match form.which.as_str() {
        ALL_FOUND => all_found(&store(), form.search).await?,
        TICKED => form.users.into_iter().map(UserNumber).collect(),
        _ => {
            errors.add("which", Problem::UnknownChoice);
            BTreeSet::new()
        }
    };
    if users.is_empty() && errors.of("which").is_none() {
        errors.add("which", Problem::NotChosen { what: "at least one user, by its box".to_owned() });
    }
    let (Ok(task), true) = (task, errors.is_empty()) else { return Err(AppError::Invalid(errors)) };
    let _turn = turn()?;
    let preview = run::preview_listed(&store(), actor(), task, &users).await.map_err(at_choice)?;
    leptos_axum::redirect(&format!("/runs/{preview}"));
    Ok(())
}

/// Returns the problem of the users at the field that chooses them.
fn at_choice(error: RecordsError) -> AppError {
    match error {
        RecordsError::Invalid(mut errors) => {
            for error in errors.0.iter_mut().filter(|error| error.field == "users") {
                "which".clone_into(&mut error.field);
            }
            AppError::Invalid(errors)
        }
        error => error.into(),
    }
}

/// Returns all users of a search. Rejects more than a list may have.
async fn all_found(
    store: &Store,
    search: BTreeMap<String, String>,
) -> Result<BTreeSet<UserNumber>, AppError> {
    let query = SearchForm::of(known_values(search)?).read().map_err(AppError::Invalid)?;
    let most = u64::try_from(MAX_LISTED).unwrap_or(u64::MAX);
    let users = user::numbers(store, &query, most + 1).await?;
    if users.len() > MAX_LISTED {
        return Err(AppError::Invalid(FieldErrors::one("which", Problem::TooMany { max: MAX_LISTED })));
    }
    Ok(users.into_iter().collect())
}

/// Reads a list and creates its preview.
async fn of_list(store: &Store, actor: Actor, task: TaskId, list: &str) -> Result<RunId, AppError> {
    let users =
        listed_users::read(list).map_err(|problem| AppError::Invalid(FieldErrors::one("users", problem)))?;
    let _turn = turn()?;
    Ok(run::preview_listed(store, actor, task, &users).await?)
}

/// Creates the preview of an uploaded list. `list` is `None` for a form of another session. Returns the address of the
/// preview, or of the form with the problem.
pub async fn preview_of_file(
    state: &AppState,
    session: &Session,
    task: TaskId,
    list: Option<&str>,
) -> String {
    let page = format!("/tasks/{task}/listed");
    let preview = match list {
        Some(list) => of_list(&state.store, session.actor(), task, list).await,
        None => Err(AppError::OtherSession),
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
        let (invalid, page) = (errors.of("users").map(|_| "true"), format!("{here}/listed"));
        let id = task.id.to_string();
        Ok(view! {
            <PageLayout title="Preview listed users" crumbs
                lead="Shows which of these users the task would anonymise, and why not the others. A preview changes no \
                      users.">
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

/// What the list of a user search needs for a preview of the users found.
pub(crate) struct PreviewTasks {
    /// The tasks that anonymise.
    tasks: Vec<(TaskId, String)>,
}

impl PreviewTasks {
    /// The id of the form, to which the boxes in the list belong.
    pub(crate) const FORM: &str = "listed";
    /// The maximum number of tasks to choose from.
    const MAX_TASKS: u64 = 100;

    /// Reads the tasks. `None` if there are none, or the member of staff may not create previews.
    pub(crate) async fn read(store: &Store, actor: Actor) -> Result<Option<Self>, RecordsError> {
        if !crate::state::can_open(PreviewFound::PATH) {
            return Ok(None);
        }
        let query = TaskQuery { task_type: Some(TaskType::AnonymiseUserData), ..TaskQuery::default() };
        let paging = db::pagination::Paging { rows: Some(Self::MAX_TASKS), ..Default::default() };
        let tasks = task::list(store, actor, &query, &paging).await?.rows;
        let tasks: Vec<_> = tasks.into_iter().map(|task| (task.id, task.description)).collect();
        Ok((!tasks.is_empty()).then_some(Self { tasks }))
    }

    /// Returns the users that were ticked in a rejected form.
    pub(crate) fn ticked() -> BTreeSet<i64> {
        let failed = failed_submission::<FoundForm>(PreviewFound::PATH);
        failed.map(|(form, _)| form.users.into_iter().collect()).unwrap_or_default()
    }

    /// Renders the form. `count` is the number of users found, `page` the address of the list.
    pub(crate) fn form(
        self,
        given: Vec<(&'static str, String)>,
        count: &str,
        page: &str,
    ) -> impl IntoView + use<> {
        let failed = failed_submission::<FoundForm>(PreviewFound::PATH);
        let (typed, error) = failed.unzip();
        let FoundForm { task: chosen, which, .. } = typed.unwrap_or_default();
        let errors = field_errors(error.as_ref());
        let is_open = error.is_some();
        let hidden = given
            .into_iter()
            .map(|(name, value)| view! { <input type="hidden" name=format!("form[search][{name}]") value=value /> })
            .collect_view();
        let tasks = self
            .tasks
            .into_iter()
            .map(|(id, name)| {
                let id = id.to_string();
                view! { <option value=id.clone() selected=id == chosen>{name}</option> }
            })
            .collect_view();
        view! {
            <details class="more" open=is_open>
                <summary>"Preview a task for these users"</summary>
                <ProblemSummary error />
                <form id=Self::FORM method="post" action=action(PreviewFound::PATH, page)>
                    <Token />
                    {hidden}
                    <div class="filters">
                        <div class="field">
                            <label for="task">"Task"</label>
                            <select id="task" name="form[task]" aria-describedby="task-problem">
                                <option value="">"Choose a task"</option>
                                {tasks}
                            </select>
                            <FieldProblem field="task" errors=errors.clone() />
                        </div>
                        <div class="field">
                            <label for="which">"Users"</label>
                            <select id="which" name="form[which]" aria-describedby="which-problem">
                                <option value=TICKED>"The ticked users of this page"</option>
                                <option value=ALL_FOUND selected=which == ALL_FOUND>{format!("All that were found: {count}")}</option>
                            </select>
                            <FieldProblem field="which" errors />
                        </div>
                        <button type="submit">"Create preview of these users"</button>
                    </div>
                    <p class="hint">"A preview changes no users. It shows which of them the task would anonymise, and why not the others."</p>
                </form>
            </details>
        }
    }
}
