//! `lethe tasks`: the task centre on the command line.

use super::Output;
use anyhow::Context as _;
use clap::Subcommand;
use db::pagination::{MAX_ROWS, Paging};
use policy::numbers::{counted, grouped};
use policy::{RunId, TaskId, TaskSettings, UserNumber, summary};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use task_centre::approval_workflow;
use task_centre::run::{self, Run};
use task_centre::task::{self, TaskFile, TaskQuery, TaskRow, UnownedTask};
use trail::{Actor, Store};

#[derive(Debug, Subcommand)]
pub(crate) enum Tasks {
    /// List all tasks.
    List,
    /// Show one task.
    Show {
        /// Id of the task.
        #[arg(value_parser = super::number)]
        id: i64,
    },
    /// Print a task as a file for another installation.
    Export {
        /// Id of the task.
        #[arg(value_parser = super::number)]
        id: i64,
    },
    /// Create a task from a file. It is inactive until it is activated.
    Import {
        /// The file.
        file: PathBuf,
        /// User number of the owner. A private task needs one.
        #[arg(value_parser = super::number, long)]
        owner: Option<i64>,
    },
    /// List the tasks whose owner has been anonymised, has no access to tasks or cannot sign in.
    Unowned,
    /// Reassign a task to another owner.
    Reassign {
        /// Id of the task.
        #[arg(value_parser = super::number)]
        id: i64,
        /// User number of the new owner: a member of staff with access to tasks.
        #[arg(value_parser = super::number, long)]
        owner: i64,
    },
    /// Create a preview: count what a run would do, and change nothing.
    Preview {
        /// Id of the task.
        #[arg(value_parser = super::number)]
        id: i64,
        /// Assess only the users of this list of user numbers, one in each line. “-” reads standard input.
        #[arg(long, value_name = "FILE")]
        users: Option<PathBuf>,
    },
    /// Create a preview and run it: anonymise the users that are eligible, or import the next file.
    Run {
        /// Id of the task.
        #[arg(value_parser = super::number)]
        id: i64,
        /// The number of users that will be anonymised, or of lines of the file, as shown by the preview. Without it
        /// nothing is changed.
        #[arg(long)]
        confirm: Option<String>,
        /// Run this preview, approved by a second person, instead of a new one.
        #[arg(value_parser = super::number, long)]
        preview: Option<i64>,
    },
    /// Rules update: apply the current rules to users anonymised under older ones.
    Reapply {
        /// The number of these users. Without it Lethe counts them and changes no user.
        #[arg(long)]
        confirm: Option<String>,
    },
}

impl Tasks {
    pub(crate) async fn execute(self, store: &Store, output: Output) -> anyhow::Result<ExitCode> {
        let actor = Actor::COMMAND_LINE;
        match self {
            Self::List => list(store, output).await?,
            Self::Show { id } => show(store, output, TaskId(id)).await?,
            Self::Export { id } => {
                let file = task::export(store, actor, TaskId(id)).await?;
                Output { json: true }.print(&file, |_| String::new())?;
            }
            Self::Unowned => unowned(store, output).await?,
            Self::Reassign { id, owner } => {
                task::reassign(store, actor, TaskId(id), UserNumber(owner))
                    .await
                    .map_err(super::with_field_problems)?;
                output.print(&json!({ "task": id, "owner": owner }), |_| {
                    format!("Task {id} reassigned to user {owner}.")
                })?;
            }
            Self::Import { file, owner } => {
                let file = read_file(&file).await?;
                let id = task::import_for(store, actor, file, owner.map(UserNumber))
                    .await
                    .map_err(super::with_field_problems)?;
                output.print(&json!({ "task": id }), |_| format!("Task {id} created. It is inactive."))?;
            }
            Self::Preview { id, users } => {
                let preview = match users {
                    None => run::preview(store, actor, TaskId(id)).await?,
                    Some(list) => {
                        let users = super::user_list::read(&list)?;
                        let preview = run::preview_listed(store, actor, TaskId(id), &users).await;
                        preview.map_err(super::with_field_problems)?
                    }
                };
                let preview = run::read(store, preview).await?;
                output.print(&preview, preview_text)?;
            }
            Self::Reapply { confirm } => return reapply(store, output, confirm).await,
            Self::Run { id, confirm, preview } => {
                return run_now(store, output, TaskId(id), confirm, preview.map(RunId)).await;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Reads a task file.
async fn read_file(path: &Path) -> anyhow::Result<TaskFile> {
    let text = tokio::fs::read_to_string(path).await.context("The task file cannot be read")?;
    serde_json::from_str(&text).map_err(|error| {
        let problem = error.to_string();
        // serde_json appends the position.
        let problem = problem.split(" at line ").next().unwrap_or_default();
        anyhow::anyhow!(
            "This is not a task file. Line {}: {problem}. Create one with: lethe tasks export ID",
            error.line().max(1)
        )
    })
}

async fn list(store: &Store, output: Output) -> anyhow::Result<()> {
    let mut rows: Vec<TaskRow> = Vec::new();
    let mut paging = Paging { rows: Some(MAX_ROWS), ..Paging::default() };
    loop {
        let page = task::list(store, Actor::COMMAND_LINE, &TaskQuery::default(), &paging).await?;
        rows.extend(page.rows);
        paging.after = page.next;
        if paging.after.is_none() {
            break;
        }
    }
    output.print(&rows, |rows| {
        let line = |task: &TaskRow| {
            let status = if task.active { "active" } else { "inactive" };
            format!("{}\t{status}\t{}\t{}", task.id, task.description, task.schedule.label())
        };
        rows.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}

async fn unowned(store: &Store, output: Output) -> anyhow::Result<()> {
    let tasks = task::unowned(store, Actor::COMMAND_LINE).await?;
    output.print(&tasks, |tasks| {
        let line = |one: &UnownedTask| {
            let status = if one.active { "active" } else { "inactive" };
            let owner = one.owner.map_or_else(|| "–".to_owned(), |owner| owner.to_string());
            format!(
                "{}\t{status}\t{}\t{owner}\t{}",
                one.id,
                one.name.description_for(Actor::COMMAND_LINE),
                one.why.label()
            )
        };
        tasks.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}

async fn show(store: &Store, output: Output, id: TaskId) -> anyhow::Result<()> {
    let task = task::read(store, Actor::COMMAND_LINE, id).await?;
    let who = match &task.draft.settings {
        TaskSettings::AnonymiseUserData(policy) => summary::selection(&policy.conditions, policy.scope),
        TaskSettings::ImportUsers(settings) => settings.sentence(),
        TaskSettings::AnnounceAnonymising(settings) => settings.sentence(),
    };
    let result = json!({
        "id": task.id,
        "description": task.draft.description,
        "active": task.draft.active,
        "settings": task.draft.settings,
        "schedule": task.draft.schedule,
        "owner": task.draft.owner,
        "visibility": task.draft.visibility,
        "single_default": task.single_default,
        "missed": task.draft.missed,
        "next_run": task.next,
        "confirmation": task.confirmation,
        "who": who,
    });
    output.print(&result, |_| {
        let mut lines = vec![task.draft.description, who, task.draft.schedule.label()];
        if let Some(owner) = task.draft.owner {
            lines.push(format!("Owner: user {owner}"));
        }
        if let Some(next) = task.next {
            lines.push(format!("Next run: {}", next.shown));
            lines.push(format!("If a run is missed: {}", task.draft.missed.label()));
        }
        lines.join("\n")
    })
}

async fn run_now(
    store: &Store,
    output: Output,
    task: TaskId,
    confirm: Option<String>,
    approved: Option<RunId>,
) -> anyhow::Result<ExitCode> {
    let actor = Actor::COMMAND_LINE;
    let preview = match approved {
        Some(preview) => preview,
        None => run::preview(store, actor, task).await?,
    };
    let shown = run::read(store, preview).await?;
    if shown.task.as_ref().is_none_or(|(of, _)| *of != task) {
        anyhow::bail!("Preview {preview} does not belong to task {task}");
    }
    let missing = approval_workflow::missing_for(store, actor, preview).await?;
    let count = shown.previewed;
    let how = match &missing {
        Some(why) => {
            // Most of these texts end with the request to ask for an approval.
            let ask = if why.contains("Request approval") { "" } else { ". To request approval" };
            format!(
                "{why}{ask}: lethe approvals request {preview}. Then: lethe tasks run {task} --preview {preview} \
                 --confirm {count}"
            )
        }
        None => format!("To run: --confirm {count}"),
    };
    let Some(confirm) = confirm else {
        output.print(&shown, |preview| format!("{}\nNothing was changed. {how}", preview_text(preview)))?;
        return Ok(ExitCode::FAILURE);
    };
    if missing.is_some() {
        if run::typed_number(&confirm) != Some(count) {
            anyhow::bail!(
                "{confirm} is not {}, the number that preview {preview} shows. Nothing was changed",
                grouped(count)
            );
        }
        anyhow::bail!("{how}");
    }
    let started = run::start(store, actor, preview, &confirm).await.map_err(super::with_field_problems)?;
    run::execute(store, started).await?;
    let result = run::read(store, started).await?;
    output.print(&result, super::runs::run_text)?;
    Ok(super::runs::exit_code(&result))
}

async fn reapply(store: &Store, output: Output, confirm: Option<String>) -> anyhow::Result<ExitCode> {
    let people = run::under_older_rules(store).await?;
    let Some(confirm) = confirm.filter(|_| people > 0) else {
        output.print(
            &json!({ "people": people, "rules_version": policy::RULES_VERSION }),
            |_| match people {
                0 => format!(
                    "All anonymised users already meet the current rules (version {})",
                    policy::RULES_VERSION
                ),
                _ => format!(
                    "{} anonymised under rules older than version {}. No user was changed. To apply the \
                 current rules: --confirm {people}",
                    counted(people, "user is", "users are"),
                    policy::RULES_VERSION
                ),
            },
        )?;
        return Ok(if people == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    };
    let started =
        run::start_reapply(store, Actor::COMMAND_LINE, &confirm).await.map_err(super::with_field_problems)?;
    run::execute(store, started).await?;
    let result = run::read(store, started).await?;
    output.print(&result, super::runs::run_text)?;
    Ok(super::runs::exit_code(&result))
}

fn preview_text(preview: &Run) -> String {
    if matches!(preview.settings, TaskSettings::ImportUsers(_)) {
        return import_preview_text(preview);
    }
    let what = match preview.settings {
        TaskSettings::AnnounceAnonymising(_) => "get an e-mail",
        _ => "be anonymised",
    };
    let mut lines = vec![format!(
        "Preview {}: {} of {} users would {what}",
        preview.id,
        grouped(preview.previewed),
        grouped(preview.users)
    )];
    if preview.listed.is_some() {
        lines.push("Only listed users were assessed".to_owned());
    }
    lines.extend(preview.verdicts.iter().map(|(reason, count)| {
        format!("{}\t{} ({})", grouped(*count), reason.verdict().label(), reason.label())
    }));
    lines.join("\n")
}

/// Returns the preview of an import as text: its file, the exceeded limits and the counts.
fn import_preview_text(preview: &Run) -> String {
    let mut lines = vec![format!(
        "Preview {}: {} would be read",
        preview.id,
        counted(preview.previewed, "line", "lines")
    )];
    lines.extend(preview.imports.iter().flat_map(super::runs::import_lines));
    lines.join("\n")
}
