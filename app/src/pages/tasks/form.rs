//! The pages that create and edit a task.

use super::{crumbs, possible_owners};
use crate::components::{PageLayout, flash, guarded_page, path_param};
use crate::error::AppError;
use crate::form::{FormKey, FormToken, action, failed_submission};
use crate::islands::{TaskFormIsland, coming};
use crate::state::{actor, extension, store};
use db::RecordsError;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::task_form::{TaskForm, validate};
use policy::{TaskId, TaskType, dates};
use records::custom_field;
use task_centre::{affected, letter, task};
use trail::Store;
use trail::task_name::TaskName;
use transfer::profile;

/// Saves a task.
#[server(prefix = "/do", endpoint = "save_task", input = PostUrl)]
pub(super) async fn save_task(form: TaskForm) -> Result<(), AppError> {
    let store = store();
    let done = if form.id.trim().is_empty() { "task-created" } else { "task-saved" };
    let id = task::save(&store, actor(), &form).await?;
    match task::read(&store, actor(), id).await {
        Ok(_) => flash::redirect(&format!("/tasks/{id}?done={done}")),
        // A private task of another owner.
        Err(RecordsError::NotFound(_)) => flash::redirect("/tasks?done=task-saved-for-owner"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Checks the form without saving it.
#[allow(clippy::unused_async, reason = "server functions are async")]
#[server(prefix = "/do", endpoint = "check_task", input = PostUrl)]
pub(super) async fn check_task(form: TaskForm) -> Result<(), AppError> {
    match validate(&form, store().clock.wall()) {
        Err(errors) => Err(AppError::Invalid(errors)),
        Ok(_) => Err(AppError::Checked),
    }
}

/// Shows the form of a new task.
#[component]
pub fn NewTaskPage() -> impl IntoView {
    guarded_page(async {
        let store = store();
        let custom = custom_field::labels(&store.db).await?;
        let choices = Choices::read(&store, custom).await?;
        let owner = actor().staff.map(|owner| owner.to_string()).unwrap_or_default();
        let new = TaskForm { owner, ..TaskForm::new_task() };
        let form = form_view(&store, new, choices, false, ("/tasks/new", "/tasks")).await?;
        Ok(view! {
            <PageLayout title="Create task" crumbs=crumbs([])
                lead="A task anonymises users, announces it to them, or imports files, by hand or on a schedule.">
                {form}
            </PageLayout>
        })
    })
}

/// Shows the form of an existing task.
#[component]
pub fn EditTaskPage() -> impl IntoView {
    let id = path_param::<TaskId>("task");
    guarded_page(async move {
        let store = store();
        let task = task::read(&store, actor(), id?).await?;
        let custom = custom_field::labels(&store.db).await?;
        let keys: Vec<String> = custom.iter().map(|(key, _)| key.clone()).collect();
        let here = format!("/tasks/{}", task.id);
        let saved = TaskForm::from_draft(&task.draft, &keys);
        let choices = Choices::read(&store, custom).await?;
        let form =
            form_view(&store, saved, choices, task.single_default, (&format!("{here}/edit"), &here)).await?;
        Ok(view! {
            <PageLayout title="Edit task" crumbs=crumbs([(task.draft.description, here)])
                lead="Changes apply from the next preview. Runs keep the settings they were started with.">
                {form}
            </PageLayout>
        })
    })
}

fn with_dates_as_shown(form: TaskForm) -> TaskForm {
    TaskForm { once_date: dates::as_shown(&form.once_date), ..form }
}

/// The choices of the form: code and name.
struct Choices {
    owners: Vec<(String, String)>,
    custom: Vec<(String, String)>,
    profiles: Vec<(String, String)>,
    tasks: Vec<(String, String)>,
}

impl Choices {
    async fn read(store: &Store, custom: Vec<(String, String)>) -> Result<Self, RecordsError> {
        let owners = possible_owners::choices(store).await?;
        let profiles = profile::choices(&store.db).await?;
        let tasks = letter::tasks_with_letters(store, actor()).await?;
        let named = |(id, name): (TaskId, TaskName)| (id.to_string(), name.description_for(actor()));
        Ok(Self { owners, custom, profiles, tasks: tasks.into_iter().map(named).collect() })
    }
}

async fn form_view(
    store: &Store,
    form: TaskForm,
    Choices { mut owners, custom, profiles, tasks }: Choices,
    is_default: bool,
    (page, back): (&str, &str),
) -> Result<impl IntoView + use<>, RecordsError> {
    // A new task anonymises until another type is chosen.
    if TaskType::from_code(&form.task_type) == Some(TaskType::AnonymiseUserData) {
        affected::prepare(store);
    }
    let posted = failed_submission(SaveTask::PATH).or_else(|| failed_submission(CheckTask::PATH));
    let (form, error) = match posted {
        Some((typed, error)) => (with_dates_as_shown(typed), Some(error)),
        None => (form, crate::form::error_for(SaveTask::PATH)),
    };
    possible_owners::keep(&mut owners, &form.owner);
    let again = matches!(error, Some(AppError::Stale)).then(
        || view! { <p><a href=page.to_owned()>"Open the task again"</a>" (your entries will be lost)"</p> },
    );
    let error = error.map(|error| match error {
        AppError::Stale => {
            AppError::Refused("The task was changed after you opened it. Nothing was saved".to_owned())
        }
        other => other,
    });
    // Without WebAssembly the users are counted with each check.
    let affected = match &error {
        Some(AppError::Checked) => affected::count(store, actor(), &form).await?,
        _ => None,
    };
    let next = coming(store.clock, &form);
    let token = extension::<FormToken>().map(|token| token.0).unwrap_or_default();
    let key = extension::<FormKey>().map(|key| key.0).unwrap_or_default();
    Ok(view! {
        {again}
        <TaskFormIsland
            form owners custom profiles tasks is_default error next affected
            now=store.clock.wall()
            zone=store.clock.zone().name().to_owned()
            save=action(SaveTask::PATH, page)
            check=action(CheckTask::PATH, page)
            back=back.to_owned()
            token
            key
        />
    })
}
