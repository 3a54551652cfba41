//! Staff: roles, invitations, sessions.

use crate::components::undo::{Done, go_to};
use crate::components::{
    AskFirst, DataTable, FieldProblem, Notice, PageLayout, PostButton, ProblemSummary, ReauthHint, flash,
    guarded_page, options, query, text_columns,
};
use crate::error::{AppError, field_errors};
use crate::form::{action, error_for, failed_submission};
use crate::state::{actor, store};
use db::RecordsError;
use identity::session;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::dates::joined;
use policy::form::{FieldErrors, Problem};
use policy::numbers::counted;
use policy::{Role, UserNumber, text};
use records::accounts::{self, Invitation, StaffQuery, StaffRow};
use serde::{Deserialize, Serialize};
use task_centre::task::{self, UnownedTask};
use trail::person;

const HERE: &str = "/staff";

/// The UserID and the role of a new member of staff.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddForm {
    #[serde(default)]
    user_id: String,
    #[serde(default)]
    role: String,
}

/// Identifies a member of staff.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StaffRef {
    user: i64,
}

/// Identifies a member of staff and a role.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleRef {
    user: i64,
    role: String,
}

fn role(code: &str) -> Result<Role, AppError> {
    Role::from_code(code)
        .ok_or_else(|| AppError::Invalid(FieldErrors::one("role", Problem::not_chosen("a role"))))
}

fn shown(invitation: &Invitation) -> AppError {
    AppError::Shown(vec![format!("/invitation/{}", invitation.token.reveal())])
}

/// Adds a member of staff.
#[server(prefix = "/do", endpoint = "add_staff", input = PostUrl)]
pub(super) async fn add_staff(form: AddForm) -> Result<(), AppError> {
    if form.user_id.trim().is_empty() {
        return Err(AppError::Invalid(FieldErrors::one("user_id", Problem::required("a UserID"))));
    }
    text::line(&form.user_id, text::MAX_SHORT_CHARS)
        .map_err(|problem| AppError::Invalid(FieldErrors::one("user_id", problem)))?;
    let (_, invitation) = accounts::add(&store(), actor(), &form.user_id, role(&form.role)?).await?;
    if let Some(invitation) = invitation {
        return Err(shown(&invitation));
    }
    flash::redirect("/staff?done=staff-added");
    Ok(())
}

/// Grants a role.
#[server(prefix = "/do", endpoint = "grant_role", input = PostUrl)]
pub(super) async fn grant_role(form: RoleRef) -> Result<(), AppError> {
    accounts::grant_role(&store(), actor(), UserNumber(form.user), role(&form.role)?).await?;
    flash::redirect("/staff?done=role-added");
    Ok(())
}

/// Revokes a role.
#[server(prefix = "/do", endpoint = "revoke_role", input = PostUrl)]
pub(super) async fn revoke_role(form: RoleRef) -> Result<(), AppError> {
    let undo = accounts::revoke_role(&store(), actor(), UserNumber(form.user), role(&form.role)?).await?;
    let undo = undo.ok_or_else(|| AppError::unchanged("This user does not have this role"))?;
    go_to(format!("/staff?removed={}&done=role-removed", form.user), Some(&undo))
}

/// Creates an invitation.
#[server(prefix = "/do", endpoint = "invite_staff", input = PostUrl)]
pub(super) async fn invite_staff(form: StaffRef) -> Result<(), AppError> {
    Err(shown(&accounts::invite(&store(), actor(), UserNumber(form.user)).await?))
}

/// Removes all credentials of a member of staff.
#[server(prefix = "/do", endpoint = "disable_staff", input = PostUrl)]
pub(super) async fn disable_staff(form: StaffRef) -> Result<(), AppError> {
    let undo = accounts::disable(&store(), actor(), UserNumber(form.user)).await?;
    go_to("/staff?done=staff-disabled".to_owned(), Some(&undo))
}

/// Ends all sessions of a member of staff.
#[server(prefix = "/do", endpoint = "end_sessions", input = PostUrl)]
pub(super) async fn end_sessions(form: StaffRef) -> Result<(), AppError> {
    session::end_all_of(&store(), actor(), UserNumber(form.user)).await?;
    flash::redirect("/staff?done=sessions-ended");
    Ok(())
}

/// The server functions whose errors this page shows.
const FUNCTIONS: [&str; 6] = [
    AddStaff::PATH,
    GrantRole::PATH,
    RevokeRole::PATH,
    InviteStaff::PATH,
    DisableStaff::PATH,
    EndSessions::PATH,
];

/// Shows the users with a role.
#[component]
pub fn StaffPage() -> impl IntoView {
    let removed = query("removed").parse().ok().map(UserNumber);
    let removed = removed.filter(|_| flash::code().as_deref() == Some("role-removed"));
    guarded_page(async move {
        let rows = accounts::list(&store(), actor(), StaffQuery::default()).await?;
        let own = actor().staff;
        let removed = match removed {
            Some(number) => role_removed(number, &rows).await?,
            None => None,
        };
        let tasks = task::unowned(&store(), actor()).await?;
        let error = FUNCTIONS.into_iter().find_map(error_for);
        let (link, error) = match error {
            Some(AppError::Shown(links)) => (links.into_iter().next(), None),
            error => (None, error),
        };
        let rows = rows.into_iter().map(|one| row(one, own)).collect_view();
        Ok(view! {
            <PageLayout title="Staff" lead="Users with a role. A user with a role is never anonymised by a task.">
                {removed.map(|label| view! { <Done label /> })}
                {link.map(invitation)}
                {(!tasks.is_empty()).then(|| without_owner(&tasks))}
                <ProblemSummary error=error.clone() />
                <DataTable label="Staff" columns=text_columns(["Name", "UserID", "Roles", "Sign-in", "Actions"])>
                    {rows}
                </DataTable>
                {add_form(error)}
            </PageLayout>
        })
    })
}

/// Describes the revocation of a role. A user without a role is no longer in the list.
async fn role_removed(number: UserNumber, rows: &[StaffRow]) -> Result<Option<String>, RecordsError> {
    let Some(name) = person::name_of(&store(), number).await? else { return Ok(None) };
    let rest = if rows.iter().any(|row| row.number == number) {
        "They must sign in again"
    } else {
        "It was their last role: they are no longer staff and cannot sign in"
    };
    Ok(Some(format!("Role removed from {name}. {rest}.")))
}

/// Renders the tasks whose owner is disabled or has no access to them.
fn without_owner(tasks: &[UnownedTask]) -> impl IntoView + use<> {
    let names: Vec<String> = tasks
        .iter()
        .map(|task| format!("{} (task {})", task.name.description_for(actor()), task.id))
        .collect();
    let count = i64::try_from(tasks.len()).unwrap_or(i64::MAX);
    let has = if count == 1 { "has" } else { "have" };
    view! {
        <Notice kind="warning">
            <p>
                {counted(count, "task", "tasks")} " " {has} " an owner who cannot sign in or has no access to tasks: "
                {joined(&names, "and")} ". Active tasks still run on schedule. "
                <a href="/tasks/owners">"Reassign tasks"</a>
            </p>
        </Notice>
    }
}

fn invitation(link: String) -> impl IntoView {
    view! {
        <Notice kind="success">
            <p>
                "Give this link only to the member of staff, who sets a password with it. It works once, \
                 expires after 24 hours, and will not be shown again."
            </p>
            <p><code class="secret">{link}</code></p>
        </Notice>
    }
}

fn row(one: StaffRow, own: Option<UserNumber>) -> impl IntoView {
    let number = one.number.to_string();
    let user = || vec![("user", number.clone())];
    let is_own = own == Some(one.number);
    let roles = one
        .roles
        .iter()
        .map(|role| {
            let values = vec![("user", number.clone()), ("role", role.code().to_owned())];
            let take = (!is_own).then(|| {
                view! { <PostButton function=RevokeRole::PATH page=HERE values label="Remove role" about=role.label() /> }
            });
            view! { <li>{role.label()} " " {take}</li> }
        })
        .collect_view();
    let missing: Vec<Role> = Role::ALL.into_iter().filter(|role| !one.roles.contains(role)).collect();
    let give = (!is_own && !missing.is_empty()).then(|| {
        let post = action(GrantRole::PATH, HERE);
        let id = format!("role-{number}");
        view! {
            <form class="inline" method="post" action=post>
                <crate::form::Token />
                <input type="hidden" name="form[user]" value=number.clone() />
                <label class="hidden" for=id.clone()>"New role for " {one.name.clone()}</label>
                <select id=id name="form[role]">{options(missing, None, "Choose a role", Role::code, Role::label)}</select>
                <button type="submit">"Add role"</button>
            </form>
        }
    });
    let status = match (one.has_password, one.has_app) {
        (false, _) => "No password",
        (true, false) => "Password",
        (true, true) => "Password and app",
    };
    let sessions = policy::numbers::counted(one.sessions, "session", "sessions");
    let name = one.name.clone();
    let actions = if is_own {
        view! { <a href="/account">"Your account"</a> }.into_any()
    } else {
        view! {
            <AskFirst function=InviteStaff::PATH page=HERE values=user() label="Create invitation" about=format!("for {name}")
                consequence="An invitation is a link to set a password. An earlier one stops working. The new one works once and expires after 24 hours." />
            {(one.sessions > 0).then(|| view! {
                <AskFirst function=EndSessions::PATH page=HERE values=user() label="End sessions" about=format!("of {name}")
                    consequence="They are signed out everywhere. Unsaved changes are lost. They can sign in \
                                 again." />
            })}
            {one.has_password.then(|| view! {
                <PostButton function=DisableStaff::PATH page=HERE values=user() label="Disable sign-in" about=format!("of {name}") />
            })}
        }
        .into_any()
    };
    view! {
        <tr>
            <td><a href=format!("/users/{number}")>{one.name}</a></td>
            <td>{one.user_id}</td>
            <td><ul class="bare">{roles}</ul> {give}</td>
            <td>{status} ", " {sessions}</td>
            <td>{actions}</td>
        </tr>
    }
}

fn add_form(error: Option<AppError>) -> impl IntoView {
    let typed = failed_submission::<AddForm>(AddStaff::PATH).map(|(typed, _)| typed).unwrap_or_default();
    let errors = field_errors(error.as_ref());
    let chosen = Role::from_code(&typed.role);
    let post = action(AddStaff::PATH, HERE);
    view! {
        <section aria-labelledby="add">
            <h2 id="add">"Add a member of staff"</h2>
            <form method="post" action=post class="narrow">
                <crate::form::Token />
                <ReauthHint page=HERE />
                <div class="field">
                    <label for="user_id">"UserID"</label>
                    <input
                        id="user_id" name="form[user_id]" value=typed.user_id autocapitalize="none"
                        spellcheck="false" aria-describedby="user_id-help user_id-problem"
                    />
                    <p class="hint" id="user_id-help">"UserID of an existing user; otherwise a new user is \
                                                       created."</p>
                    <FieldProblem field="user_id" errors=errors.clone() />
                </div>
                <div class="field">
                    <label for="role">"Role"</label>
                    <select id="role" name="form[role]" aria-describedby="role-problem">{options(Role::ALL, chosen, "Choose a role", Role::code, Role::label)}</select>
                    <FieldProblem field="role" errors />
                </div>
                <div class="buttons"><button type="submit">"Add member of staff"</button></div>
            </form>
        </section>
    }
}
