//! `lethe import`: users, loans, requests and charges from files of other systems.

use super::Output;
use super::file_format::{FileFormat, ImportOptionArgs};
use clap::{Args, Subcommand};
use policy::import::LineOutcome;
use policy::import_profile::{FileKind, field_label};
use policy::numbers::{counted, grouped};
use std::path::PathBuf;
use std::process::ExitCode;
use trail::{Actor, Store};
use transfer::detection::{self, Detection};
use transfer::import_history::ReportLine;
use transfer::{
    FileProblems, ImportFile, ImportOrder, ImportSummary, Imported, TransferError, Watch, import,
};

/// Maximum number of problems, and of notes, that the command prints.
const MAX_PRINTED: usize = 100;

/// The kinds of imports.
#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// Users: update existing users and create new ones. No user is removed.
    Users(Source),
    /// Loans.
    Loans(Source),
    /// Requests.
    Requests(Source),
    /// Charges and credits.
    Charges(Source),
}

/// The file and its options.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// The file.
    file: PathBuf,
    #[command(flatten)]
    format: FileFormat,
    /// Show what is detected about the file and its first ten rows. Nothing is imported.
    #[arg(long)]
    detect: bool,
    /// Check and count, without changing anything.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    options: ImportOptionArgs,
    /// Import a file that exceeds the safety limits: the number in the refusal. If four eyes are in force, a second
    /// person must approve the file instead (lethe approvals request --import).
    #[arg(long, value_name = "NUMBER")]
    confirm: Option<u64>,
}

impl Import {
    /// Imports the file. A file with problems changes nothing; the command then fails.
    pub(crate) async fn execute(self, store: &Store, output: Output) -> anyhow::Result<ExitCode> {
        let (kind, unit, source) = match &self {
            Self::Users(source) => (FileKind::Users, ("user", "users"), source),
            Self::Loans(source) => (FileKind::Loans, ("loan", "loans"), source),
            Self::Requests(source) => (FileKind::Requests, ("request", "requests"), source),
            Self::Charges(source) => (FileKind::Charges, ("charge", "charges"), source),
        };
        let profile = source.format.profile(store, kind).await?;
        let tables = source.format.tables(&profile)?;
        if source.detect {
            let file = ImportFile { main: source.file.clone(), tables };
            let detection = detection::of_file(store, Actor::COMMAND_LINE, file, profile).await;
            let detection = detection.map_err(|error| source.explain(error))?;
            output.print(&detection, detection_text)?;
            return Ok(if detection.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        let watch = Watch::default();
        let order = ImportOrder {
            dry_run: source.dry_run,
            confirmed: source.confirm,
            options: source.options.import_options(&profile),
            tables,
            ..ImportOrder::on_command_line(&source.file, profile, &watch)
        };
        let done = import(store, Actor::COMMAND_LINE, &order).await;
        match done {
            Ok(Imported { summary, report, .. }) => {
                print_lines(&report, LineOutcome::Rejected);
                print_lines(&report, LineOutcome::Note);
                output.print(&summary, |summary| summary_text(summary, unit))?;
                // Skipping or holding a line about an anonymised user is the rule. A rejected line makes the command
                // fail.
                let refused = summary.rejected + summary.staff + summary.held;
                Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
            Err(TransferError::File(problems)) => print_problems(output, &problems),
            Err(error) => Err(source.explain(error)),
        }
    }
}

impl Source {
    /// Adds the name of the file to an error.
    fn explain(&self, error: TransferError) -> anyhow::Error {
        match error {
            TransferError::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {
                anyhow::anyhow!("File not found: {}", self.file.display())
            }
            error => error.into(),
        }
    }
}

/// Describes what was detected, with the first ten rows.
fn detection_text(detection: &Detection) -> String {
    let detected = &detection.detected;
    let mut lines = vec![format!("Encoding: {}", detected.encoding)];
    lines.extend(detected.delimiter.map(|delimiter| format!("Delimiter: {delimiter:?}")));
    lines.extend(detected.header_line.map(|line| format!("Line with the names of the columns: {line}")));
    for column in &detected.columns {
        let dates = match column.dates {
            Some(_) if column.is_ambiguous => ", dates with two meanings: choose --date-format".to_owned(),
            Some(format) => format!(", dates as {}", format.label()),
            None => String::new(),
        };
        lines.push(format!("Column {}: {}{dates}", column.name, column.target));
    }
    if !detected.ignored.is_empty() {
        lines.push(format!("Ignored columns: {}", detected.ignored.join(", ")));
    }
    lines.extend(detected.rows.iter().map(|row| row.join(" | ")));
    lines.extend(detection.problems.iter().map(ToString::to_string));
    lines.join("\n")
}

/// Prints the first lines with this outcome.
fn print_lines(report: &[ReportLine], outcome: LineOutcome) {
    let lines: Vec<&ReportLine> = report.iter().filter(|line| line.outcome == outcome).collect();
    for line in lines.iter().take(MAX_PRINTED) {
        let column = line.column.as_deref().map(|column| format!(", {column}")).unwrap_or_default();
        super::print_error(&format!("line {}{column}: {}", line.line, line.message));
    }
    if lines.len() > MAX_PRINTED {
        let more = counted(number((lines.len() - MAX_PRINTED) as u64), "more line", "more lines");
        super::print_error(&format!("and {more}"));
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn summary_text(summary: &ImportSummary, (one, many): (&str, &str)) -> String {
    let mut text = format!(
        "{} read. {} created, {} changed, {} unchanged",
        counted(number(summary.lines), "line", "lines"),
        counted(number(summary.created), one, many),
        grouped(number(summary.changed)),
        grouped(number(summary.unchanged)),
    );
    for (count, singular, plural) in [
        (summary.rejected, "line with problems rejected", "lines with problems rejected"),
        (summary.skipped, "line about an anonymised user skipped", "lines about anonymised users skipped"),
        (
            summary.held,
            "line skipped that would empty or overwrite a value under legal hold",
            "lines skipped that would empty or overwrite values under legal hold",
        ),
        (
            summary.suppressed,
            "line held for a decision, because an anonymised user had its key",
            "lines held for a decision, because anonymised users had their keys",
        ),
        (
            summary.suppressed_ignored,
            "line ignored by an earlier decision",
            "lines ignored by earlier decisions",
        ),
        (
            summary.suppressed_noted,
            "user created although an anonymised user had the UserID, barcode or e-mail",
            "users created although anonymised users had the UserID, barcode or e-mail",
        ),
        (
            summary.suppressed_guarantors,
            "guarantor left out, who is anonymised",
            "guarantors left out, who are anonymised",
        ),
        (
            summary.staff,
            "line skipped that would change a member of staff",
            "lines skipped that would change members of staff",
        ),
        (
            summary.touched,
            "user counted towards the safety limits: identifying values removed or replaced, or eligible \
             earlier",
            "users counted towards the safety limits: identifying values removed or replaced, or eligible \
             earlier",
        ),
        (
            summary.new_terms,
            "new category, department or branch, named by its code",
            "new categories, departments or branches, named by their codes",
        ),
        (summary.new_items, "new item", "new items"),
    ] {
        if count > 0 {
            text.push_str(", ");
            text.push_str(&counted(number(count), singular, plural));
        }
    }
    if !summary.fields.is_empty() {
        let fields: Vec<String> = summary
            .fields
            .iter()
            .map(|(field, count)| format!("{} {}", field_label(field), grouped(number(*count))))
            .collect();
        text.push_str(". Changed fields: ");
        text.push_str(&fields.join(", "));
    }
    if !summary.staff_lines.is_empty() {
        let lines: Vec<String> = summary.staff_lines.iter().map(ToString::to_string).collect();
        text.push_str(". Lines about members of staff: ");
        text.push_str(&lines.join(", "));
    }
    if summary.suppressed > 0 && !summary.dry_run {
        text.push_str(". Decide on the page Held lines, or with lethe held");
    }
    text.push_str(if summary.dry_run { ". This was a dry run: nothing was changed." } else { "." });
    text
}

/// Prints the problems of a file. The command fails.
pub(super) fn print_problems(output: Output, problems: &FileProblems) -> anyhow::Result<ExitCode> {
    if output.json {
        output.print(problems, problems_text)?;
    } else {
        super::print_error(&problems_text(problems));
    }
    Ok(ExitCode::FAILURE)
}

fn problems_text(problems: &FileProblems) -> String {
    let mut lines: Vec<String> =
        problems.problems.iter().take(MAX_PRINTED).map(ToString::to_string).collect();
    let listed = lines.len() as u64;
    if problems.total > listed {
        lines.push(format!("and {} more", grouped(number(problems.total - listed))));
    }
    lines.push(format!("{problems}."));
    lines.join("\n")
}
