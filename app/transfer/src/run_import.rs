//! Checks and imports a watched file for a run of a task.

use super::ImportSummary;
use super::import::{import_permitted, rejected};
use super::import_history::{self, ImportResult};
use super::order::{ImportOrder, Imported, RunOrder};
use super::problem::TransferError;
use super::watch::Watch;
use super::watched_folder::WatchedFile;
use super::{profile, run_history};
use db::RecordsError;
use db::entity::{imports, runs};
use policy::import::{ImportOrigin, ImportState};
use policy::import_profile::ImportProfile;
use policy::{ImportId, ImportSettings, RunId, RunState, TaskId};
use sea_orm::sea_query::Query;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseBackend, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use trail::Actor;
use trail::Store;

/// The interval of the heartbeats of an import, at which its run is also looked at.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(2);

/// The imports of runs that this process is working on.
#[derive(Debug, Default)]
struct RunImports(Mutex<HashMap<RunId, Arc<Watch>>>);

impl RunImports {
    fn imports(&self) -> std::sync::MutexGuard<'_, HashMap<RunId, Arc<Watch>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks the import of a run to stop before its next lines, if this process is working on it.
///
/// On SQLite an import has the only write lock, so it must stop before the run can be changed.
pub fn cancel(store: &Store, run: RunId) {
    if let Some(watch) = store.process_state::<RunImports>().imports().get(&run) {
        watch.cancel();
    }
}

/// Returns whether this process is importing a file for a run.
pub fn is_under_way(store: &Store, run: RunId) -> bool {
    store.process_state::<RunImports>().imports().contains_key(&run)
}

/// Returns the number of lines that this process has read for a run.
pub fn lines_read(store: &Store, run: RunId) -> Option<u64> {
    store.process_state::<RunImports>().imports().get(&run).map(|watch| watch.lines())
}

/// The task whose files are imported, and its settings.
#[derive(Clone, Copy, Debug)]
pub struct TaskSource<'a> {
    /// The task.
    pub task: TaskId,
    /// Which files it imports, and how.
    pub settings: &'a ImportSettings,
}

/// A watched file that was checked for a preview.
#[derive(Debug)]
pub struct CheckedFile {
    file: WatchedFile,
    profile: ImportProfile,
    sha256: String,
    result: ImportResult,
    summary: Option<ImportSummary>,
}

impl CheckedFile {
    /// Returns the SHA-256 of the file.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Returns the counts, or `None` if the file would be rejected.
    pub const fn counts(&self) -> Option<&ImportSummary> {
        self.summary.as_ref()
    }

    /// Returns whether an import of the file would exceed a safety limit.
    pub fn is_stopped(&self) -> bool {
        self.result.state == ImportState::Checked && self.result.reason.is_some()
    }

    /// Stores the check as an import of the preview.
    pub async fn record(
        self,
        (tx, store): (&DatabaseTransaction, &Store),
        actor: Actor,
        (run, of): (RunId, TaskSource<'_>),
    ) -> Result<(), RecordsError> {
        let watch = Watch::default();
        let order = order(of, self.profile, &self.file, &watch);
        let id = run_history::add((tx, store), actor, &order, (run, &self.file)).await?;
        import_history::set_result((tx, store), id, self.result).await
    }
}

/// Checks a file: counts what an import would do, and changes nothing.
pub async fn check(
    store: &Store,
    actor: Actor,
    of: TaskSource<'_>,
    (file, sha256): (&WatchedFile, String),
) -> Result<CheckedFile, TransferError> {
    let watch = Watch::default();
    let profile = profile_of(&store.db, None, of.settings).await?;
    let order = ImportOrder { dry_run: true, ..order(of, profile.clone(), file, &watch) };
    let (result, summary) = match import_permitted(store, actor, &order).await {
        Ok(done) if done.sha256 != sha256 => return Err(TransferError::FileChanged),
        Ok(Imported { summary, report, stop, .. }) => {
            let result = ImportResult {
                state: ImportState::Checked,
                sha256: Some(sha256.clone()),
                counts: Some(summary.clone()),
                reason: stop.map(|stop| stop.label()),
                report,
            };
            (result, Some(summary))
        }
        Err(TransferError::File(problems)) => {
            (ImportResult { sha256: Some(sha256.clone()), ..rejected(&problems) }, None)
        }
        Err(error) => return Err(error),
    };
    Ok(CheckedFile { file: file.clone(), profile, sha256, result, summary })
}

/// The outcome of a watched file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FileOutcome {
    /// Its lines were imported and committed.
    Imported,
    /// It has problems. Nothing was changed.
    Rejected,
    /// It exceeds a safety limit. Nothing was changed.
    Stopped,
    /// The import was cancelled, or another process took over the run. Nothing was changed.
    Cancelled,
    /// It was changed while it was read. Nothing was changed.
    StillWritten,
}

/// Imports a file for a run. The changes, the audit event and the history are committed together, if this process
/// still holds the run.
///
/// An error means that nothing was changed and that the history says so.
pub async fn import(
    store: &Store,
    actor: Actor,
    run: RunOrder<'_>,
    of: TaskSource<'_>,
    file: &WatchedFile,
) -> Result<FileOutcome, TransferError> {
    let watch = Arc::<Watch>::default();
    let profile = profile_of(&store.db, Some(run.run), of.settings).await?;
    let order = order(of, profile, file, &watch);
    let tx = store.begin().await?;
    let id = run_history::add((&tx, store), actor, &order, (run.run, file)).await?;
    store.commit(tx).await?;
    let order = ImportOrder { record: Some(id), run: Some(run), ..order };
    let running = store.process_state::<RunImports>();
    running.imports().insert(run.run, Arc::clone(&watch));
    let done = tokio::select! {
        done = import_permitted(store, actor, &order) => done,
        never = look_after(store, (id, &run), &watch) => match never {},
    };
    let outcome = finish(store, (id, run.sha256), done).await;
    running.imports().remove(&run.run);
    outcome
}

/// Returns the profile of a run or preview. A run of a preview reads the file as the preview did, even if the profile has
/// changed since.
async fn profile_of(
    db: &impl ConnectionTrait,
    run: Option<RunId>,
    settings: &ImportSettings,
) -> Result<ImportProfile, RecordsError> {
    if let Some(run) = run {
        let previews = Query::select()
            .column(runs::Column::PreviewId)
            .from(runs::Entity)
            .and_where(runs::Column::Id.eq(run.0))
            .take();
        let checked = imports::Entity::find()
            .filter(imports::Column::RunId.in_subquery(previews))
            .order_by_desc(imports::Column::Id)
            .one(db)
            .await?;
        if let Some(checked) = checked {
            return Ok(checked.profile);
        }
    }
    let found = profile::find(db, &settings.profile, settings.kind).await?;
    found.ok_or_else(|| {
        let why = "The import profile of this task no longer exists. Choose another one";
        RecordsError::Refused(why.to_owned())
    })
}

/// Returns whether a file would change nothing: the task imported the same bytes last, in the same way, and all its lines.
/// A line that was left out must be read again, because a decision or another file can have changed what becomes of it.
pub async fn is_unchanged(
    store: &Store,
    run: RunId,
    of: TaskSource<'_>,
    sha256: &str,
) -> Result<bool, RecordsError> {
    let Some(last) = run_history::last_imported(store, of.task).await? else { return Ok(false) };
    let profile = profile_of(&store.db, Some(run), of.settings).await?;
    Ok(last.sha256.as_deref() == Some(sha256)
        && last.profile.reads_like(&profile)
        && last.options == of.settings.options
        && last.counts.is_some_and(|counts| counts.is_complete()))
}

/// Returns whether the profile of the settings still reads files as the imports of this run did. Locks the profile, so
/// that it can't change before the transaction ends.
pub async fn has_current_profile(
    tx: &DatabaseTransaction,
    run: RunId,
    settings: &ImportSettings,
) -> Result<bool, RecordsError> {
    profile::lock(tx, &settings.profile, settings.kind).await?;
    let current = profile::find(tx, &settings.profile, settings.kind).await?;
    let used = imports::Entity::find().filter(imports::Column::RunId.eq(run.0)).all(tx).await?;
    Ok(current.is_some_and(|current| used.iter().all(|import| import.profile.reads_like(&current))))
}

/// Returns the order for a file of a task.
fn order<'a>(
    TaskSource { task, settings }: TaskSource<'_>,
    profile: ImportProfile,
    file: &'a WatchedFile,
    watch: &'a Watch,
) -> ImportOrder<'a> {
    ImportOrder {
        options: settings.options,
        limits: settings.limits,
        origin: ImportOrigin::Task,
        task: Some(task),
        tables: file.tables.clone(),
        ..ImportOrder::on_command_line(&file.path, profile, watch)
    }
}

/// Writes heartbeats while the import is under way, and cancels it if the server stops, the run is cancelled or another
/// process holds the run.
async fn look_after(store: &Store, (id, run): (ImportId, &RunOrder<'_>), watch: &Watch) -> Infallible {
    loop {
        tokio::select! {
            () = store.stopped() => {
                watch.cancel();
                return std::future::pending().await;
            }
            () = tokio::time::sleep(HEARTBEAT_INTERVAL) => {}
        }
        if matches!(is_ours(store, run).await, Ok(false)) {
            watch.cancel();
        }
        // On SQLite the import has the only write lock of the database.
        if store.db.get_database_backend() == DatabaseBackend::Postgres
            && let Err(error) = import_history::heartbeat(store, id).await
        {
            tracing::warn!(code = error.code(), "a heartbeat of an import could not be written");
        }
    }
}

/// Returns whether the run is running and this process holds it.
async fn is_ours(store: &Store, run: &RunOrder<'_>) -> Result<bool, sea_orm::DbErr> {
    let found: Option<(RunState, Option<String>)> = runs::Entity::find()
        .select_only()
        .columns([runs::Column::State, runs::Column::Holder])
        .filter(runs::Column::Id.eq(run.run.0))
        .into_tuple()
        .one(&store.db)
        .await?;
    Ok(found
        .is_some_and(|(state, holder)| state == RunState::Running && holder.as_deref() == Some(run.holder)))
}

/// Stores the result of an import that has not stored it itself.
async fn finish(
    store: &Store,
    (id, sha256): (ImportId, &str),
    done: Result<Imported, TransferError>,
) -> Result<FileOutcome, TransferError> {
    let (state, outcome) = match &done {
        Ok(_) => return Ok(FileOutcome::Imported),
        Err(TransferError::File(_)) => return Ok(FileOutcome::Rejected),
        Err(TransferError::Limit(_)) => (ImportState::Stopped, Some(FileOutcome::Stopped)),
        Err(TransferError::Cancelled) if store.is_stopping() => {
            (ImportState::Interrupted, Some(FileOutcome::Cancelled))
        }
        Err(TransferError::Cancelled) => (ImportState::Cancelled, Some(FileOutcome::Cancelled)),
        Err(TransferError::FileChanged) => (ImportState::Failed, Some(FileOutcome::StillWritten)),
        Err(TransferError::Io(_) | TransferError::Records(_)) => (ImportState::Failed, None),
    };
    let Err(error) = done else { return Ok(FileOutcome::Imported) };
    let reason = match &error {
        TransferError::Records(_) | TransferError::Io(_) => format!("{error}. Nothing was changed"),
        TransferError::Cancelled if store.is_stopping() => {
            "The server stopped during the import. Nothing was changed".to_owned()
        }
        _ => error.to_string(),
    };
    let result = ImportResult {
        state,
        sha256: Some(sha256.to_owned()),
        counts: None,
        reason: Some(reason),
        report: Vec::new(),
    };
    run_history::store_result(store, id, result).await?;
    outcome.ok_or(error)
}

/// Records that a file has the same content as the one that the task imported before.
pub async fn record_unchanged(
    store: &Store,
    actor: Actor,
    (run, sha256): (RunId, &str),
    of: TaskSource<'_>,
    file: &WatchedFile,
) -> Result<(), RecordsError> {
    let watch = Watch::default();
    let profile = profile_of(&store.db, Some(run), of.settings).await?;
    let order = order(of, profile, file, &watch);
    let tx = store.begin().await?;
    let id = run_history::add((&tx, store), actor, &order, (run, file)).await?;
    let result = ImportResult {
        state: ImportState::Unchanged,
        sha256: Some(sha256.to_owned()),
        counts: None,
        reason: Some(
            "The file has the same content as the last imported one. Nothing was changed".to_owned(),
        ),
        report: Vec::new(),
    };
    import_history::set_result((&tx, store), id, result).await?;
    store.commit(tx).await
}
