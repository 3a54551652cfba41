//! `lethe runs`: lists, shows, resumes and cancels runs, changes the selection of previews, and verifies certificates.

use super::{Output, ReaderGone};
use anyhow::Context as _;
use clap::Subcommand;
use db::pagination::Paging;
use erasure::certificate::{self, Checked};
use policy::numbers::{counted, grouped};
use policy::{ExclusionReason, Outcome, RunId, RunState, TaskSettings, VerdictKind};
use serde_json::json;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use task_centre::run::{self, MemberQuery, Run, RunQuery, RunRow};
use trail::{Actor, Store};
use transfer::import_history::Import;

#[derive(Debug, Subcommand)]
pub(crate) enum Runs {
    /// List the newest runs and previews.
    List {
        /// Number of runs, at most 100.
        #[arg(long, default_value_t = 50)]
        last: u64,
    },
    /// Start queued runs and resume interrupted ones, and wait until they end.
    Resume,
    /// Cancel a queued or running run. Users already anonymised stay anonymised.
    Cancel {
        /// Id of the run.
        #[arg(value_parser = super::number)]
        id: i64,
    },
    /// Show one run or preview with its counts.
    Show {
        /// Id of the run.
        #[arg(value_parser = super::number)]
        id: i64,
    },
    /// Exclude users from the run of a preview.
    Exclude {
        /// Id of the preview.
        #[arg(value_parser = super::number)]
        id: i64,
        /// A list of user numbers, one in each line. “-” reads standard input.
        #[arg(long, value_name = "FILE")]
        users: PathBuf,
        /// The reason.
        #[arg(long, value_parser = reason)]
        reason: ExclusionReason,
    },
    /// Include excluded users of a preview again.
    Include {
        /// Id of the preview.
        #[arg(value_parser = super::number)]
        id: i64,
        /// A list of user numbers, one in each line. “-” reads standard input.
        #[arg(long, value_name = "FILE")]
        users: PathBuf,
    },
    /// Discard a preview, so that it cannot be run.
    Discard {
        /// Id of the preview.
        #[arg(value_parser = super::number)]
        id: i64,
    },
    /// Print the users of a run or preview as CSV. It contains personal data: keep it safe, and delete it after use.
    Users {
        /// Id of the run or preview.
        #[arg(value_parser = super::number)]
        id: i64,
        /// Only users with this verdict, such as eligible or blocked.
        #[arg(long, value_parser = verdict)]
        verdict: Option<VerdictKind>,
    },
    /// Verify a certificate: its signature, its key, and that it still matches the records.
    Verify {
        /// Id of the run, or the file of a downloaded certificate.
        #[arg(value_name = "ID|FILE")]
        what: String,
        /// An earlier version of the certificate of a run.
        #[arg(long)]
        certificate_version: Option<i32>,
        /// Verify a file only by this public key, without the database. The key is printed on every certificate.
        #[arg(long, value_name = "KEY", conflicts_with = "certificate_version")]
        public_key: Option<String>,
    },
}

impl Runs {
    /// Verifies a certificate file by a public key, which needs no database. Returns `None` for all other commands.
    pub(crate) fn without_database(&self, output: Output) -> Option<anyhow::Result<ExitCode>> {
        let Self::Verify { what: file, public_key: Some(key), .. } = self else { return None };
        let checked = std::fs::read_to_string(file)
            .context("The certificate file cannot be read")
            .and_then(|text| Ok(certificate::verify_signature(&text, key)?));
        Some(checked.and_then(|checked| print_checked(&checked, output)))
    }

    pub(crate) async fn execute(self, store: &Store, output: Output) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { last } => {
                let paging = Paging { rows: Some(last), ..Paging::default() };
                let page = run::list(store, &RunQuery::default(), &paging).await?;
                output.print(&page.rows, |rows| rows.iter().map(line).collect::<Vec<_>>().join("\n"))?;
            }
            Self::Resume => return resume(store, output).await,
            Self::Cancel { id } => {
                let state = run::cancel(store, Actor::COMMAND_LINE, RunId(id)).await?;
                output.print(&state, |state| format!("Run {id}: {}", state.label()))?;
            }
            Self::Show { id } => show(store, output, RunId(id)).await?,
            Self::Exclude { id, users, reason } => {
                let users = super::user_list::read(&users)?;
                run::exclude(store, Actor::COMMAND_LINE, RunId(id), &users, reason)
                    .await
                    .map_err(super::with_field_problems)?;
                show(store, output, RunId(id)).await?;
            }
            Self::Include { id, users } => {
                let users = super::user_list::read(&users)?;
                run::include(store, Actor::COMMAND_LINE, RunId(id), &users)
                    .await
                    .map_err(super::with_field_problems)?;
                show(store, output, RunId(id)).await?;
            }
            Self::Discard { id } => {
                run::discard(store, Actor::COMMAND_LINE, RunId(id)).await?;
                output.print(&json!({ "preview": id }), |_| format!("Preview {id} discarded."))?;
            }
            Self::Users { id, verdict } => {
                let run = run::read(store, RunId(id)).await?;
                let query = MemberQuery { verdict, ..MemberQuery::default() };
                let csv = run::members_csv(store, Actor::COMMAND_LINE, &run, &query).await?;
                let mut out = io::stdout().lock();
                out.write_all(csv.as_bytes()).and_then(|()| out.flush()).map_err(ReaderGone::or)?;
            }
            Self::Verify { what, certificate_version, .. } => {
                return verify(store, output, &what, certificate_version).await;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn show(store: &Store, output: Output, id: RunId) -> anyhow::Result<()> {
    let run = run::read(store, id).await?;
    output.print(&run, run_text)
}

/// Reads the code of a reason to exclude users.
fn reason(text: &str) -> Result<ExclusionReason, String> {
    let codes = ExclusionReason::ALL.map(ExclusionReason::code);
    ExclusionReason::from_code(text).ok_or_else(|| format!("choose one of {}", codes.join(", ")))
}

/// Reads the code of a verdict.
fn verdict(text: &str) -> Result<VerdictKind, String> {
    let codes = VerdictKind::ALL.map(VerdictKind::code);
    VerdictKind::from_code(text).ok_or_else(|| format!("choose one of {}", codes.join(", ")))
}

/// Returns success only if every resumed run has succeeded without findings.
async fn resume(store: &Store, output: Output) -> anyhow::Result<ExitCode> {
    let mut runs: Vec<Run> = Vec::new();
    for run in run::drain_queue(store).await? {
        runs.push(run::read(store, run).await?);
    }
    let done = runs.iter().all(is_done);
    output.print(&runs, |runs| match &runs[..] {
        [] => "No run is queued or interrupted".to_owned(),
        runs => runs.iter().map(run_text).collect::<Vec<_>>().join("\n\n"),
    })?;
    Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns whether a run succeeded and left no finding to decide.
fn is_done(run: &Run) -> bool {
    run.state == RunState::Succeeded && run.open_findings == 0
}

/// Returns the exit status of the command that started a run: success if it succeeded and nothing is left to decide.
pub(super) fn exit_code(run: &Run) -> ExitCode {
    if is_done(run) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Returns the end of the message about a user who has been anonymised: the run, and its findings.
pub(super) fn single_run_text(run: &Run) -> String {
    match run.open_findings {
        0 => format!("(run {})", run.id),
        open => {
            format!("(run {}). {} to decide: lethe residue", run.id, counted(open, "finding", "findings"))
        }
    }
}

async fn verify(store: &Store, output: Output, what: &str, version: Option<i32>) -> anyhow::Result<ExitCode> {
    let checked = if let Ok(id) = what.parse() {
        certificate::verify_version(store, RunId(id), version).await?
    } else {
        let text = tokio::fs::read_to_string(what).await;
        certificate::verify_file(store, &text.context("The certificate file cannot be read")?).await?
    };
    print_checked(&checked, output)
}

fn print_checked(checked: &Checked, output: Output) -> anyhow::Result<ExitCode> {
    output.print(checked, Checked::label)?;
    Ok(if checked.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(run: &RunRow) -> String {
    let task =
        run.task.as_ref().map_or_else(|| "–".to_owned(), |task| task.description_for(Actor::COMMAND_LINE));
    let state = run.state.label_with_findings(run.open_findings);
    format!("{}\t{}\t{state}\t{}\t{task}", run.id, run.kind.label(), super::output::instant(run.created_at))
}

/// Returns a run as text. Names are not hidden: the command line may see all tasks.
pub(super) fn run_text(run: &Run) -> String {
    if matches!(run.settings, TaskSettings::ImportUsers(_)) {
        return import_text(run);
    }
    let done = Outcome::Done.label_of(run.settings.task_type()).to_lowercase();
    let mut lines = vec![
        format!("{} {}: {}", run.kind.label(), run.id, run.state.label_with_findings(run.open_findings)),
        format!(
            "{} in the preview: {} {done}, {} skipped, {} failed",
            grouped(run.previewed),
            grouped(run.done),
            grouped(run.skipped),
            grouped(run.failed)
        ),
    ];
    let counted = |label: &str, count: i64| format!("{}\t{label}", grouped(count));
    lines.extend(run.verdicts.iter().map(|(reason, count)| counted(reason.label(), *count)));
    lines.extend(
        run.skipped_by.iter().map(|(reason, count)| counted(&format!("skipped: {}", reason.label()), *count)),
    );
    if let TaskSettings::AnnounceAnonymising(_) = run.settings {
        lines.extend(run.failed_by.iter().map(|(code, count)| counted(&format!("failed: {code}"), *count)));
        lines.extend(run.errors.iter().map(|code| format!("Error: {code}")));
    }
    if run.cancelled_too_late {
        lines.push("Cancelled too late: all its users had already been processed".to_owned());
    }
    lines.extend(run.tables.iter().map(|(table, count)| counted(&format!("rows of {table}"), *count)));
    lines.join("\n")
}

/// Returns a run that imports files as text.
fn import_text(run: &Run) -> String {
    let mut lines = vec![
        format!("{} {}: {}", run.kind.label(), run.id, run.state.label()),
        format!(
            "{} read: {} imported, {} held or skipped, {} rejected",
            counted(run.previewed, "line", "lines"),
            grouped(run.done),
            grouped(run.skipped),
            grouped(run.failed)
        ),
    ];
    lines.extend(run.imports.iter().flat_map(import_lines));
    lines.extend(
        run.files_left.iter().map(|(code, count)| format!("{}\tfiles left: {code}", grouped(*count))),
    );
    lines.extend(run.errors.iter().map(|code| format!("Error: {code}")));
    lines.join("\n")
}

/// Returns what a run did with a file, or what a preview found in it.
pub(super) fn import_lines(import: &Import) -> Vec<String> {
    let name = import.file_name.as_deref().unwrap_or("–");
    let mut lines = vec![format!("{name}: {} (import {})", import.state.label(), import.id)];
    lines.extend(import.counts.as_ref().map(|counts| {
        let number = |count: u64| grouped(i64::try_from(count).unwrap_or(i64::MAX));
        format!(
            "  {} new, {} changed, {} unchanged, {} left, {} rejected",
            number(counts.created),
            number(counts.changed),
            number(counts.unchanged),
            number(counts.left),
            number(counts.rejected)
        )
    }));
    lines.extend(import.reason.as_ref().map(|reason| format!("  {reason}")));
    lines
}
