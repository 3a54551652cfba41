//! Previews of users that a search has found: the ticked ones, or all.

use crate::components::{FieldProblem, ProblemSummary};
use crate::error::{AppError, field_errors};
use crate::form::{Token, action, failed_submission};
use crate::preview_turn;
use crate::state::{actor, can_open, store};
use crate::user_search::{SearchForm, known_values};
use db::RecordsError;
use db::pagination::Paging;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::form::{FieldErrors, Problem};
use policy::listed_users::MAX_LISTED;
use policy::{TaskId, TaskType, UserNumber};
use records::user;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use task_centre::run;
use task_centre::task::{self, TaskQuery};
use trail::{Actor, Store};

/// A task, and the users that a search has found: the ticked ones, or all.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FoundForm {
    task: String,
    which: String,
    users: Vec<i64>,
    search: BTreeMap<String, String>,
}

/// The code of the choice of all users found.
const ALL_FOUND: &str = "all";
/// The code of the choice of the ticked users.
const TICKED: &str = "ticked";

/// Creates a preview of users that a search has found.
#[server(prefix = "/do", endpoint = "preview_found", input = PostUrl)]
pub(super) async fn preview_found(form: FoundForm) -> Result<(), AppError> {
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
    if users.is_empty() && errors.message("which").is_none() {
        errors.add("which", Problem::NotChosen { what: "at least one user, by its box".to_owned() });
    }
    let (Ok(task), true) = (task, errors.is_empty()) else { return Err(AppError::Invalid(errors)) };
    let _turn = preview_turn::take()?;
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
    let query = SearchForm::new(known_values(search)?).read().map_err(AppError::Invalid)?;
    let most = u64::try_from(MAX_LISTED).unwrap_or(u64::MAX);
    let users = user::numbers(store, &query, most + 1).await?;
    if users.len() > MAX_LISTED {
        return Err(AppError::Invalid(FieldErrors::one("which", Problem::TooMany { max: MAX_LISTED })));
    }
    Ok(users.into_iter().collect())
}

/// The data that the list of a user search needs for a preview of the users found.
pub(super) struct PreviewTasks {
    /// The tasks that anonymise.
    tasks: Vec<(TaskId, String)>,
}

impl PreviewTasks {
    /// The id of the form, to which the boxes in the list belong.
    pub(super) const FORM: &str = "listed";
    /// The maximum number of tasks to choose from.
    const MAX_TASKS: u64 = 100;

    /// Reads the tasks. `None` if there are none, or the member of staff may not create previews.
    pub(super) async fn read(store: &Store, actor: Actor) -> Result<Option<Self>, RecordsError> {
        if !can_open(PreviewFound::PATH) {
            return Ok(None);
        }
        let query = TaskQuery { task_type: Some(TaskType::AnonymiseUserData), ..TaskQuery::default() };
        let paging = Paging { rows: Some(Self::MAX_TASKS), ..Paging::default() };
        let tasks = task::list(store, actor, &query, &paging).await?.rows;
        let tasks: Vec<_> = tasks.into_iter().map(|task| (task.id, task.description)).collect();
        Ok((!tasks.is_empty()).then_some(Self { tasks }))
    }

    /// Returns the users that were ticked in a rejected form.
    pub(super) fn ticked() -> BTreeSet<i64> {
        let failed = failed_submission::<FoundForm>(PreviewFound::PATH);
        failed.map(|(form, _)| form.users.into_iter().collect()).unwrap_or_default()
    }

    /// Renders the form. `count` is the number of users found, `page` the address of the list.
    pub(super) fn form(
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
                    <p class="hint">"A preview changes no users. It shows which of them the task would anonymise, and why it would skip the others."</p>
                </form>
            </details>
        }
    }
}
