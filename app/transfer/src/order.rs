//! A file to import, the result, and its place in the history.

use super::ImportSummary;
use super::import_history::{self, ImportResult, ReportLine};
use super::problem::TransferError;
use super::watch::Watch;
use db::Clock;
use db::entity::runs;
use policy::import::{ImportOrigin, ImportState};
use policy::import_limits::ImportLimits;
use policy::import_options::ImportOptions;
use policy::import_profile::ImportProfile;
use policy::{ImportId, RunId, RunState, TaskId};
use safeguards::limits::ImportStop;
use safeguards::suppression::arrival;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// A file to import, and how.
#[derive(Clone, Debug)]
pub struct ImportOrder<'a> {
    /// The file.
    pub file: &'a Path,
    /// The additional tables of an export, by name.
    pub tables: BTreeMap<String, PathBuf>,
    /// Format and columns of the file.
    pub profile: ImportProfile,
    /// The effects of wrong lines, empty cells and absence.
    pub options: ImportOptions,
    /// Entry point.
    pub origin: ImportOrigin,
    /// The import in the history, if it is there already.
    pub record: Option<ImportId>,
    /// Whether to check the file only. Everything is rolled back.
    pub dry_run: bool,
    /// The confirmed number of users that a file beyond the safety limits touches.
    pub confirmed: Option<u64>,
    /// The safety limits of the file.
    pub limits: ImportLimits,
    /// The task that imports or previews the file: the source of its users.
    pub task: Option<TaskId>,
    /// The run of a task, if one imports the file.
    pub run: Option<RunOrder<'a>>,
    /// Shows the progress and cancels the import.
    pub watch: &'a Watch,
}

/// The run of a task that imports a file.
#[derive(Clone, Copy, Debug)]
pub struct RunOrder<'a> {
    /// The run.
    pub run: RunId,
    /// The random name of the process that holds the run.
    pub holder: &'a str,
    /// The SHA-256 that the file must have.
    pub sha256: &'a str,
    /// Whether the file may exceed the safety limits: a person has seen its preview and started the run.
    pub is_confirmed: bool,
}

impl<'a> ImportOrder<'a> {
    /// Returns the order to import a file on the command line.
    pub fn on_command_line(file: &'a Path, profile: ImportProfile, watch: &'a Watch) -> Self {
        Self {
            file,
            tables: BTreeMap::new(),
            options: profile.default_options(),
            profile,
            origin: ImportOrigin::CommandLine,
            record: None,
            dry_run: false,
            confirmed: None,
            limits: ImportLimits::of_a_part(),
            task: None,
            run: None,
            watch,
        }
    }
}

/// The result of an import or a check.
#[derive(Debug)]
pub struct Imported {
    /// The numbers of lines.
    pub summary: ImportSummary,
    /// The SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// The lines that were rejected, held or skipped, or have a note. At most [`import_history::MAX_REPORTED`].
    pub report: Vec<ReportLine>,
    /// After a check: the safety limits that an import of the file would exceed.
    pub stop: Option<ImportStop>,
}

/// Stores the result in the history, in the transaction of the changes.
pub(super) async fn record(
    (tx, store): (&DatabaseTransaction, &Store),
    actor: Actor,
    order: &ImportOrder<'_>,
    result: ImportResult,
) -> Result<ImportId, TransferError> {
    let id = match order.record {
        Some(id) => id,
        None => {
            import_history::add((tx, store), actor, order.origin, (order.profile.clone(), order.options))
                .await?
        }
    };
    import_history::set_result((tx, store), id, result).await?;
    Ok(id)
}

/// Rolls back a check, or commits an import with its audit event and its result.
pub(super) async fn complete(
    store: &Store,
    tx: DatabaseTransaction,
    actor: Actor,
    order: &ImportOrder<'_>,
    (imported, detail): (Imported, &str),
) -> Result<Imported, TransferError> {
    let Imported { mut summary, sha256, report, stop } = imported;
    summary.dry_run = order.dry_run;
    if order.dry_run {
        tx.rollback().await?;
        return Ok(Imported { summary, sha256, report, stop });
    }
    if let Some(run) = &order.run {
        run.check(&tx, &sha256).await?;
    }
    let detail = format!("{},{detail}", order.profile.kind.code());
    audit::record_event(&tx, &store.clock, actor, AuditAction::Imported, Subject::Library, None, &detail)
        .await?;
    let result = ImportResult {
        state: ImportState::Imported,
        sha256: Some(sha256.clone()),
        counts: Some(summary.clone()),
        reason: None,
        report: report.clone(),
    };
    let id = record((&tx, store), actor, order, result).await?;
    arrival::set_import(&tx, id).await?;
    store.commit(tx).await?;
    Ok(Imported { summary, sha256, report, stop: None })
}

impl RunOrder<'_> {
    /// Rejects a file that was changed after it was looked at, and a run that another process holds. Locks the run
    /// until the changes are committed.
    async fn check(&self, tx: &DatabaseTransaction, sha256: &str) -> Result<(), TransferError> {
        if sha256 != self.sha256 {
            return Err(TransferError::FileChanged);
        }
        let now = Clock::system_now();
        let held = runs::Entity::update_many()
            .col_expr(runs::Column::HeartbeatAt, Expr::value(now))
            .col_expr(runs::Column::ProgressAt, Expr::value(now))
            .filter(runs::Column::Id.eq(self.run.0))
            .filter(runs::Column::Holder.eq(self.holder))
            .filter(runs::Column::State.eq(RunState::Running))
            .exec(tx)
            .await?;
        if held.rows_affected == 1 { Ok(()) } else { Err(TransferError::Cancelled) }
    }
}
