//! `lethe staff`: adds, lists, disables and anonymises members of staff.

use super::users::GroundsArguments;
use super::{Output, with_field_problems};
use clap::Subcommand;
use identity::staff;
use policy::numbers::counted;
use policy::{Role, UserNumber};
use records::accounts::{self, StaffQuery, StaffRow};
use serde::Serialize;
use serde_json::json;
use std::process::ExitCode;
use task_centre::{run, task};
use trail::{Actor, Store};

#[derive(Debug, Subcommand)]
pub(crate) enum Staff {
    /// Add a member of staff: grant the user with this UserID a role, and print an invitation. If there is no such
    /// user, create one.
    Add {
        /// The UserID of the member of staff, used to sign in.
        name: String,
        #[arg(long, value_parser = role, help = format!("The role: {}", known_roles()))]
        role: Role,
    },
    /// List staff.
    List {
        #[arg(long, value_parser = role, help = format!("Only staff with this role: {}", known_roles()))]
        role: Option<Role>,
    },
    /// Disable sign-in: remove password, second factor and single sign-on, and end all sessions. Roles stay.
    Disable {
        /// The UserID.
        name: String,
    },
    /// Anonymise a member of staff, ending sign-in and roles. A second person must approve it first (lethe approvals
    /// request --staff). This cannot be undone.
    Anonymise {
        /// User number.
        #[arg(value_parser = super::number)]
        number: i64,
        /// The user number again, to confirm.
        #[arg(long, value_name = "NUMBER")]
        confirm: String,
        #[command(flatten)]
        grounds: GroundsArguments,
    },
}

fn role(code: &str) -> Result<Role, String> {
    Role::from_code(&code.replace('-', "_"))
        .ok_or_else(|| format!("unknown role; the roles are {}", known_roles()))
}

fn known_roles() -> String {
    Role::ALL.map(Role::code).join(", ")
}

/// The result of adding a member of staff.
#[derive(Serialize)]
struct Added {
    user: UserNumber,
    /// The invitation; `None` if the user already has a password.
    invitation: Option<String>,
}

impl Staff {
    /// Executes the command. `address` is the public address of the pages.
    pub(crate) async fn execute(
        self,
        store: &Store,
        output: Output,
        address: &str,
    ) -> anyhow::Result<ExitCode> {
        match self {
            Self::Add { name, .. } if name.trim().is_empty() => anyhow::bail!("Enter a UserID"),
            Self::Add { name, role } => {
                let (user, invitation) = accounts::add(store, Actor::COMMAND_LINE, &name, role)
                    .await
                    .map_err(with_field_problems)?;
                let invitation = invitation.map(|invitation| {
                    format!("{}/invitation/{}", address.trim_end_matches('/'), invitation.token.reveal())
                });
                output.print(&Added { user, invitation }, |added| match &added.invitation {
                    Some(link) => format!(
                        "Member of staff added: user {user}, {}. Open this link within 24 hours to set a \
                         password; it works once:\n{link}",
                        role.label()
                    ),
                    None => format!(
                        "Member of staff added: user {user}, {}. The user already has a password",
                        role.label()
                    ),
                })?;
            }
            Self::List { role } => {
                let rows = accounts::list(store, Actor::COMMAND_LINE, StaffQuery { role }).await?;
                output.print(&rows, |rows| listed(rows))?;
            }
            Self::Disable { name } => {
                let user = staff::user_with_id(store, &name).await?;
                let user = user.ok_or_else(|| anyhow::anyhow!("There is no user with this UserID"))?;
                accounts::disable(store, Actor::COMMAND_LINE, user).await.map_err(with_field_problems)?;
                let tasks = task::unowned(store, Actor::COMMAND_LINE).await?;
                let tasks: Vec<i64> =
                    tasks.iter().filter(|task| task.owner == Some(user)).map(|task| task.id.0).collect();
                output.print(&json!({ "user": user, "tasks": tasks }), |_| {
                    let mut lines = vec![format!("Sign-in disabled: user {user} can no longer sign in")];
                    lines.extend(tasks.iter().map(|task| {
                        format!(
                            "The owner of task {task} can no longer sign in. To reassign the task: lethe \
                             tasks reassign {task} --owner NUMBER"
                        )
                    }));
                    lines.join("\n")
                })?;
            }
            Self::Anonymise { number, confirm, grounds } => {
                let user = UserNumber(number);
                let done =
                    run::anonymise_staff(store, Actor::COMMAND_LINE, user, &grounds.order(&confirm)).await;
                let run = done.map_err(with_field_problems)?;
                let Some(run) = run else {
                    output.print(&json!({ "user": user, "run": run, "findings": 0 }), |_| {
                        format!("User {user} was already anonymised; nothing was changed")
                    })?;
                    return Ok(ExitCode::SUCCESS);
                };
                let run = run::read(store, run).await?;
                output
                    .print(&json!({ "user": user, "run": run.id, "findings": run.open_findings }), |_| {
                        format!("User {user} has been anonymised {}", super::runs::single_run_text(&run))
                    })?;
                return Ok(super::runs::exit_code(&run));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn listed(rows: &[StaffRow]) -> String {
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let roles: Vec<&str> = row.roles.iter().map(|role| role.code()).collect();
            let sign_in = match (row.has_password, row.has_app) {
                (false, _) => "no password",
                (true, false) => "password",
                (true, true) => "password and app",
            };
            let user_id = row.user_id.as_deref().unwrap_or("–");
            format!("{}\t{}\t{user_id}\t{}\t{sign_in}", row.number, row.name, roles.join(","))
        })
        .collect();
    lines.push(counted(i64::try_from(rows.len()).unwrap_or(i64::MAX), "member of staff", "members of staff"));
    lines.join("\n")
}
