//! Tasks without an active owner, and a form to reassign each.

use super::actions::{ReassignForm, ReassignTask};
use super::{crumbs, possible_owners};
use crate::components::{
    DataTable, FieldProblem, PageLayout, PostButton, ProblemSummary, ReauthHint, guarded_page, task_link,
    text_columns,
};
use crate::error::{AppError, field_errors};
use crate::form::{Token, action, error_for, failed_submission};
use crate::state::{actor, store};
use db::RecordsError;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::form::FieldErrors;
use task_centre::task::{self, UnownedTask};
use trail::person;

const HERE: &str = "/tasks/owners";

/// Shows the tasks whose owner is anonymised, has no access to tasks or cannot sign in.
#[component]
pub fn TaskOwnersPage() -> impl IntoView {
    guarded_page(async move {
        let tasks = task::unowned(&store(), actor()).await?;
        let typed = failed_submission::<ReassignForm>(ReassignTask::PATH);
        let error = typed.as_ref().map(|(_, error)| error.clone()).or_else(|| error_for(ReassignTask::PATH));
        let is_checked = matches!(error, Some(AppError::Checked));
        let asked = match &typed {
            Some((form, AppError::Checked)) => confirmation(form, &tasks).await?,
            _ => None,
        };
        let content = if tasks.is_empty() {
            view! {
                <p class="empty">
                    "Every task owner can sign in and has access to tasks. "
                    <a href="/tasks">"Task centre"</a>
                </p>
            }
            .into_any()
        } else {
            let owners = possible_owners::choices(&store()).await?;
            let rows = tasks.into_iter().map(|task| row(task, &owners, typed.as_ref())).collect_view();
            view! {
                <ReauthHint page=HERE />
                <DataTable label="Tasks that need a new owner" caption="Tasks that need a new owner"
                    columns=text_columns(["Task", "Status", "Schedule", "Owner", "New owner"])>
                    {rows}
                </DataTable>
            }
            .into_any()
        };
        Ok(view! {
            <PageLayout title="Task owners" crumbs=crumbs([])
                lead="Tasks whose owner has been anonymised, has no access to tasks or cannot sign in. They \
                      still run on schedule.">
                <ProblemSummary error=error.filter(|_| !is_checked) />
                {asked}
                {content}
            </PageLayout>
        })
    })
}

/// Asks for a confirmation that names the new owner.
async fn confirmation(form: &ReassignForm, tasks: &[UnownedTask]) -> Result<Option<AnyView>, RecordsError> {
    let (Ok(owner), Some(task)) = (form.owner(), tasks.iter().find(|task| task.id.0 == form.task)) else {
        return Ok(None);
    };
    let Some(name) = person::name_of(&store(), owner).await? else { return Ok(None) };
    let id = task.id.to_string();
    let link = task_link(&(task.id, task.name.clone()));
    let values = vec![("task", id.clone()), ("owner", owner.to_string()), ("confirmed", owner.to_string())];
    Ok(Some(
        view! {
            <section class="confirm" aria-labelledby="reassign" role="alert">
                <h2 id="reassign">"Reassign task " {id.clone()}</h2>
                <p>
                    "The new owner of " {link} " will be " <b>{name.clone()}</b> " ("
                    <a href=format!("/users/{owner}")>"user " {owner.to_string()}</a>
                    "). If the task is private, only the new owner can then see and edit it: you cannot undo \
                     this here."
                </p>
                <div class="buttons">
                    <PostButton function=ReassignTask::PATH page=HERE values label=format!("Reassign task {id} to {name}")
                        danger=true />
                    <a href=HERE>"Keep owner"</a>
                </div>
            </section>
        }
        .into_any(),
    ))
}

fn row(
    task: UnownedTask,
    owners: &[(String, String)],
    typed: Option<&(ReassignForm, AppError)>,
) -> impl IntoView + use<> {
    let typed = typed.filter(|(form, _)| form.task == task.id.0);
    let chosen = typed.map(|(form, _)| form.owner.clone()).unwrap_or_default();
    let mut owners = owners.to_vec();
    possible_owners::keep(&mut owners, &chosen);
    let owners = owners.into_iter().map(|(number, name)| {
        let selected = number == chosen;
        view! { <option value=number selected=selected>{name}</option> }
    });
    let errors = typed.map_or_else(FieldErrors::default, |(_, error)| field_errors(Some(error)));
    let wrong = errors.message("owner").is_some().then_some("true");
    // The summary above links to the one invalid field.
    let id = if typed.is_some() { "owner".to_owned() } else { format!("owner-{}", task.id) };
    let (class, status) = if task.active { ("tag ready", "Active") } else { ("tag quiet", "Inactive") };
    let now = task.owner.map(|owner| {
        view! { <a href=format!("/users/{owner}")>"User " {owner.to_string()}</a> <br /> }
    });
    view! {
        <tr>
            <th scope="row">{task_link(&(task.id, task.name))} <br /><small>"Task " {task.id.to_string()}</small></th>
            <td><span class=class>{status}</span></td>
            <td>{task.schedule.label()}</td>
            <td>{now} <small>{task.why.label()}</small></td>
            <td>
                <form class="inline" method="post" action=action(ReassignTask::PATH, HERE) novalidate>
                    <Token />
                    <input type="hidden" name="form[task]" value=task.id.to_string() />
                    <label class="hidden" for=id.clone()>"New owner of task " {task.id.to_string()}</label>
                    <select id=id name="form[owner]" aria-invalid=wrong aria-describedby="owner-problem">
                        <option value="">"Choose a member of staff"</option>
                        {owners.collect_view()}
                    </select>
                    <button type="submit">"Reassign task"</button>
                    {typed.map(|_| view! { <FieldProblem field="owner" errors /> })}
                </form>
            </td>
        </tr>
    }
}
