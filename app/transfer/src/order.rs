//! A file to import, the result, and its place in the history.

use super::ImportSummary;
use super::import_history::{self, ImportResult, ReportLine};
use super::problem::TransferError;
use super::watch::Watch;
use policy::ImportId;
use policy::import::{ImportOrigin, ImportState};
use policy::import_options::ImportOptions;
use policy::import_profile::ImportProfile;
use sea_orm::DatabaseTransaction;
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
    /// What wrong lines, empty cells and absence do.
    pub options: ImportOptions,
    /// Entry point.
    pub origin: ImportOrigin,
    /// The import in the history, if it is there already.
    pub record: Option<ImportId>,
    /// Whether to check the file only. Everything is rolled back.
    pub dry_run: bool,
    /// The confirmed number of users that a file beyond the safety limits touches.
    pub confirmed: Option<u64>,
    /// Shows the progress and cancels the import.
    pub watch: &'a Watch,
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
    let Imported { mut summary, sha256, report } = imported;
    summary.dry_run = order.dry_run;
    if order.dry_run {
        tx.rollback().await?;
        return Ok(Imported { summary, sha256, report });
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
    record((&tx, store), actor, order, result).await?;
    store.commit(tx).await?;
    Ok(Imported { summary, sha256, report })
}
