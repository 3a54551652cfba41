//! The command line: one file for each noun. The commands call the same functions as the pages.

mod access_requests;
mod announcements;
mod api_keys;
mod approvals;
mod audit;
mod backup;
mod check;
mod custom_fields;
mod demo;
mod export;
mod file_format;
mod held;
mod import;
mod import_profiles;
mod key;
mod ledger;
mod legal_holds;
mod library;
mod output;
mod report;
mod residue;
mod runs;
mod staff;
mod suppression;
mod tasks;
mod user_list;
mod users;
mod vacuum;

#[cfg(test)]
pub(crate) use users::record_text;

use crate::config::Config;
use crate::{startup, web};
use clap::{Parser, Subcommand};
use db::RecordsError;
use operations::OpenOptions;
pub(crate) use output::{Output, ReaderGone, print_error};
use policy::form::{FieldErrors, Problem};
use std::process::ExitCode;
use trail::Store;
use trail::key::KeyUse;

/// The arguments of the command line.
#[derive(Debug, Parser)]
#[command(name = "lethe", version, about = "Anonymises users of a library and keeps its statistics")]
pub(crate) struct Arguments {
    /// Print results as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Migrate the database, then serve the web pages (the default).
    Serve,
    /// The task centre: list, show, export, import, preview, run, reapply, unowned, reassign.
    #[command(subcommand)]
    Tasks(tasks::Tasks),
    /// Runs and previews: list, show, users, exclude, include, discard, resume, cancel, verify a certificate.
    #[command(subcommand)]
    Runs(runs::Runs),
    /// Users: find, show, anonymise, merge.
    #[command(subcommand)]
    Users(users::Users),
    /// Staff: list, add, disable, anonymise.
    #[command(subcommand)]
    Staff(staff::Staff),
    /// Announcements of anonymising: receive bounces.
    #[command(subcommand)]
    Announcements(announcements::Announcements),
    /// API keys of identity systems: create, list, revoke.
    #[command(subcommand)]
    ApiKeys(api_keys::ApiKeys),
    /// Custom fields of user records: list, add, change, remove.
    #[command(subcommand)]
    CustomFields(custom_fields::CustomFields),
    /// The settings of the library: show, set.
    #[command(subcommand)]
    Library(library::LibraryCommand),
    /// Legal holds: list.
    #[command(subcommand)]
    LegalHolds(legal_holds::LegalHolds),
    /// Access requests: list, write everything held about a user.
    #[command(subcommand)]
    AccessRequests(access_requests::AccessRequests),
    /// Lines of import files held because of the suppression list: list, decide.
    #[command(subcommand)]
    Held(held::Held),
    /// The suppression list of anonymised users: show, destroy its key.
    #[command(subcommand)]
    Suppression(suppression::Suppression),
    /// Approvals by a second person: list, ask, withdraw.
    #[command(subcommand)]
    Approvals(approvals::Approvals),
    /// Clean the database files: leave no removed value in their free space.
    Vacuum(vacuum::Vacuum),
    /// Check whether values of anonymised users are still stored.
    Residue(residue::Residue),
    /// Print a report.
    Report(report::Arguments),
    /// Fill an empty database with an invented library.
    Demo(demo::Demo),
    /// Import users or loans from a file.
    #[command(subcommand)]
    Import(import::Import),
    /// The profiles that describe import files: list, show, export, import, delete.
    #[command(subcommand)]
    ImportProfiles(import_profiles::ImportProfiles),
    /// Export users or loans as CSV.
    #[command(subcommand)]
    Export(export::Export),
    /// The audit: list, verify.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Check whether Lethe can run here: files, permissions, assets, clock, database, key, ledger.
    Check,
    /// The installation key: show, replace.
    #[command(subcommand)]
    Key(key::Key),
    Backup(backup::Backup),
    /// Restore a backup elsewhere, and check that it is usable.
    Drill(backup::RestoreDrill),
    /// The ledger of anonymised users: show, verify, replay, reset.
    #[command(subcommand)]
    Ledger(ledger::Ledger),
}

/// The size in bytes up to which `serve` checks the whole file of an SQLite database at its start. `lethe check` checks
/// files of any size.
const MAX_BYTES_CHECKED_AT_START: u64 = 2 << 30;

impl Command {
    /// Returns the key that the command accepts: events that a replaced key signed can still be verified.
    const fn key_use(&self) -> KeyUse {
        match self {
            Self::Audit(audit::Audit::Verify) => KeyUse::Replaced,
            _ => KeyUse::Current,
        }
    }
}

/// Reads an id or a user number.
fn number(text: &str) -> Result<i64, &'static str> {
    text.trim().parse().map_err(|_| "enter a number, digits only")
}

/// Lists the problems of the fields if the error is about invalid fields.
fn with_field_problems(error: RecordsError) -> anyhow::Error {
    let RecordsError::Invalid(errors) = &error else { return error.into() };
    let problems = errors.0.iter().map(|error| format!("{}: {}", error.field, error.problem));
    anyhow::anyhow!("{}", problems.collect::<Vec<_>>().join("; "))
}

/// Lists the problems of options. `options` holds the values of those that accept only some.
fn with_options(errors: &FieldErrors, options: &[(&str, Vec<&str>)]) -> anyhow::Error {
    let problems = errors.0.iter().map(|error| {
        let known = options.iter().find(|(name, _)| *name == error.field);
        match (&error.problem, known) {
            (Problem::UnknownChoice, Some((name, values))) if values.is_empty() => {
                format!("--{name}: Leave it out: it has no options here")
            }
            (Problem::UnknownChoice, Some((name, values))) => {
                format!("--{name}: Choose one of {}", values.join(", "))
            }
            (problem, _) => format!("--{}: {problem}", error.field),
        }
    });
    anyhow::anyhow!("{}", problems.collect::<Vec<_>>().join("\n"))
}

impl Arguments {
    /// Executes the command. Returns success only if the command was completely executed.
    pub(crate) async fn execute(self) -> anyhow::Result<ExitCode> {
        if let Some(Command::Runs(runs)) = &self.command
            && let Some(done) = runs.without_database(Output { json: self.json })
        {
            return done;
        }
        let config = Config::read()?;
        config.log.init();
        let (command, output) = (self.command.unwrap_or(Command::Serve), Output { json: self.json });
        if matches!(command, Command::Check) {
            return check::execute(&config, output).await;
        }
        let serves = matches!(command, Command::Serve);
        startup::prepare(&config, serves)?;
        // These commands work without the database, or without its key.
        let command = match command {
            Command::Key(key) => return key.execute(&config, output).await,
            Command::Drill(drill) => return drill.execute(&config, output).await,
            command => command,
        };
        let opening = OpenOptions {
            key: command.key_use(),
            check_up_to: if serves { MAX_BYTES_CHECKED_AT_START } else { 0 },
        };
        let store =
            operations::open_store_with(&config.database_url, config.clock(), config.settings(), opening)
                .await;
        let store = store.map_err(|error| match error {
            RecordsError::Ledger(_) | RecordsError::NotReady(_) => error.into(),
            error => anyhow::Error::new(error).context("The database cannot be opened"),
        })?;
        let done = Self::dispatch(command, &config, &store, output).await;
        // Only this process has the old values of users anonymised one by one: it searches for them before it ends.
        task_centre::run::background_scans().await;
        done
    }

    async fn dispatch(
        command: Command,
        config: &Config,
        store: &Store,
        output: Output,
    ) -> anyhow::Result<ExitCode> {
        // A restored backup contains users who were anonymised later. No command may read or change them before the
        // replay. Destroying a lost key of the suppression list can be the condition for the replay.
        if !matches!(command, Command::Serve | Command::Ledger(_) | Command::Suppression(_)) {
            erasure::ledger::status(store).await?.refuse_unless_level()?;
        }
        match command {
            Command::Serve => {
                web::serve(config, store.clone()).await?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Tasks(tasks) => tasks.execute(store, output).await,
            Command::Runs(runs) => runs.execute(store, output).await,
            Command::Users(users) => users.execute(store, output).await,
            Command::Staff(staff) => staff.execute(store, output, &config.address(config.addr)).await,
            Command::Announcements(announcements) => announcements.execute(store, output).await,
            Command::ApiKeys(keys) => keys.execute(store, output).await,
            Command::CustomFields(fields) => fields.execute(store, output).await,
            Command::AccessRequests(requests) => requests.execute(store, output).await,
            Command::Library(library) => library.execute(store, output).await,
            Command::LegalHolds(holds) => holds.execute(store, output).await,
            Command::Held(held) => held.execute(store, output).await,
            Command::Suppression(suppression) => suppression.execute(store, output).await,
            Command::Approvals(approvals) => approvals.execute(store, output).await,
            Command::Report(arguments) => report::print(store, output, arguments).await,
            Command::Demo(demo) => {
                demo.execute(store, output).await?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Import(import) => import.execute(store, output).await,
            Command::ImportProfiles(profiles) => profiles.execute(store, output).await,
            Command::Export(export) => {
                export.execute(store, output).await?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Residue(residue) => residue.execute(store, output).await,
            Command::Vacuum(vacuum) => vacuum.execute(store, output).await,
            Command::Audit(audit) => audit.execute(store, output).await,
            Command::Ledger(ledger) => ledger.execute(store, output).await,
            Command::Backup(backup) => backup.execute(config, store, output).await,
            Command::Check | Command::Key(_) | Command::Drill(_) => Ok(ExitCode::FAILURE),
        }
    }
}
