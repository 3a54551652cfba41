//! `lethe approvals`: requests to a second person. Only a signed-in member of staff can approve, in the web interface.

use super::Output;
use super::file_format::{self, FileFormat, ImportOptionArgs};
use clap::{Args, Subcommand};
use db::pagination::Paging;
use policy::import_limits::effect;
use policy::import_profile::FileKind;
use policy::{ApprovalId, RunId, UserNumber};
use safeguards::approval::{self, About, Approval, ApprovalDecision, ApprovalQuery};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use task_centre::approval_workflow;
use trail::person::Person;
use trail::{Actor, Store};
use transfer::{ImportOrder, TransferError, Watch, request_import};

#[derive(Debug, Subcommand)]
pub(crate) enum Approvals {
    /// List approval requests that are waiting for a decision.
    List {
        /// Include decided and expired requests.
        #[arg(long)]
        all: bool,
        /// Number of requests, at most 100.
        #[arg(long, default_value_t = 50)]
        last: u64,
    },
    /// Withdraw an approval request that was made on the command line.
    Withdraw {
        /// Id of the request.
        #[arg(value_parser = super::number)]
        id: i64,
    },
    /// Request approval by a second person: the run of a preview, a rules update, more manual changes, anonymising a
    /// member of staff, or an import.
    Request {
        /// Id of the preview.
        #[arg(value_parser = super::number, required_unless_present_any = ["reapply", "more_changes", "staff", "import"])]
        preview: Option<i64>,
        /// Request approval for a rules update: to apply the current rules to users anonymised under older ones.
        #[arg(long, conflicts_with = "preview")]
        reapply: bool,
        /// Request approval for more manual changes on the command line than the safety limits allow.
        #[arg(long, conflicts_with_all = ["preview", "reapply"])]
        more_changes: bool,
        /// Request approval to anonymise the member of staff with this user number.
        #[arg(value_parser = super::number, long, value_name = "NUMBER", conflicts_with_all = ["preview", "reapply", "more_changes"])]
        staff: Option<i64>,
        /// Request approval to import this file, which exceeds the safety limits. Give the options of the import.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["preview", "reapply", "more_changes", "staff"])]
        import: Option<PathBuf>,
        #[command(flatten)]
        file: ImportedFile,
    },
}

/// The options of an import that need approval.
#[derive(Debug, Args)]
pub(crate) struct ImportedFile {
    /// The records in the file: users, loans, requests or charges. By default, users.
    #[arg(long, value_name = "KIND", value_parser = file_format::kind, requires = "import")]
    kind: Option<FileKind>,
    #[command(flatten)]
    format: FileFormat,
    #[command(flatten)]
    options: ImportOptionArgs,
}

impl Approvals {
    pub(crate) async fn execute(self, store: &Store, output: Output) -> anyhow::Result<ExitCode> {
        let (all, last) = match self {
            Self::List { all, last } => (all, last),
            Self::Withdraw { id } => return withdraw(store, output, ApprovalId(id)).await,
            Self::Request { import: Some(path), file, .. } => {
                return request(store, output, Subject::Import(path, file)).await;
            }
            Self::Request { preview, more_changes, staff, .. } => {
                let subject = match (preview, more_changes, staff) {
                    (Some(preview), ..) => Subject::Run(RunId(preview)),
                    (None, true, _) => Subject::MoreChanges,
                    (None, false, Some(staff)) => Subject::Staff(UserNumber(staff)),
                    (None, false, None) => Subject::Reapply,
                };
                return request(store, output, subject).await;
            }
        };
        let query = ApprovalQuery { waiting: (!all).then_some(true), ..ApprovalQuery::default() };
        let page = approval::list(store, &query, &Paging { rows: Some(last), ..Paging::default() }).await?;
        output.print(&page.rows, |rows| rows.iter().map(line).collect::<Vec<_>>().join("\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn withdraw(store: &Store, output: Output, id: ApprovalId) -> anyhow::Result<ExitCode> {
    let decision = approval::withdraw(store, Actor::COMMAND_LINE, id).await?;
    output.print(&json!({ "approval": id, "decision": decision }), |_| {
        format!("Approval request {id} withdrawn")
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The subject of a request for approval.
enum Subject {
    Run(RunId),
    Reapply,
    MoreChanges,
    Staff(UserNumber),
    Import(PathBuf, ImportedFile),
}

async fn request(store: &Store, output: Output, subject: Subject) -> anyhow::Result<ExitCode> {
    let actor = Actor::COMMAND_LINE;
    let id = match subject {
        Subject::Run(preview) => approval_workflow::request(store, actor, preview).await?,
        Subject::Reapply => approval_workflow::request_reapply(store, actor).await?,
        Subject::MoreChanges => approval_workflow::request_more_changes(store, actor).await?,
        Subject::Staff(user) => approval_workflow::request_staff_anonymising(store, actor, user).await?,
        Subject::Import(path, ImportedFile { kind, format, options }) => {
            let profile = format.profile(store, kind.unwrap_or(FileKind::Users)).await?;
            let tables = format.tables(&profile)?;
            let options = options.import_options(&profile);
            let watch = Watch::default();
            let order =
                ImportOrder { tables, options, ..ImportOrder::on_command_line(&path, profile, &watch) };
            match request_import(store, actor, &order).await {
                Err(TransferError::File(problems)) => {
                    return super::import::print_problems(output, &problems);
                }
                requested => requested?,
            }
        }
    };
    output.print(&json!({ "approval": id }), |_| {
        format!("Approval requested: approval request {id} is waiting for a second person")
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Returns a request as a line of numbers and codes, without names.
fn line(approval: &Approval) -> String {
    let about = match &approval.about {
        About::Run { preview, task_type, people, .. } => {
            format!("run of preview {preview} ({})", task_type.counted(*people))
        }
        About::Reapply => "applying the current rules to users anonymised earlier".to_owned(),
        About::LegalHoldRelease { hold } => format!("release of legal hold {hold}"),
        About::MoreChanges => "more manual changes".to_owned(),
        About::ApiChanges => "more changes by identity systems".to_owned(),
        About::Import { users, counted_by, sha256 } => {
            format!("import of a file that {}: SHA-256 {sha256}", effect(*counted_by, *users))
        }
        About::SuppressionKey => "destroying the key of the suppression list".to_owned(),
        About::StaffAnonymising { user } => format!("anonymising user {user}, a member of staff"),
    };
    let by = |person: Option<&Person>| {
        person.map_or_else(|| "command line".to_owned(), |person| format!("user {}", person.number))
    };
    let decided = match &approval.decision {
        Some((ApprovalDecision::NotNeeded, second, _)) => format!(", closed by {}", by(second.as_ref())),
        Some((_, second, _)) => format!(" by {}", by(second.as_ref())),
        None => String::new(),
    };
    format!(
        "{}\t{about}\t{}{decided}\trequested by {}\tuntil {}",
        approval.id,
        approval.status.label(),
        match approval.about {
            About::ApiChanges => "identity system".to_owned(),
            _ => by(approval.asked_by.as_ref()),
        },
        super::output::instant(approval.expires_at)
    )
}
