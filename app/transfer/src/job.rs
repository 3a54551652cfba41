//! Imports in the background. A page starts them; the import goes on when the browser is closed.

use super::import::import;
use super::import_history::{self, Import, ImportResult, ReportLine};
use super::order::{ImportOrder, Imported};
use super::problem::TransferError;
use super::upload;
use super::watch::Watch;
use db::RecordsError;
use policy::import::{ImportOrigin, ImportState};
use policy::import_limits::ImportLimits;
use policy::{Action, ImportId};
use sea_orm::DatabaseBackend;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use trail::{Actor, Store};

/// The interval of the heartbeats, which show other servers that the import is under way.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(10);

/// Why an import whose options were changed after its check can't be started.
const NOT_CHECKED: &str = "The options of this import were changed. Check the file again, then import it";

/// The reason of an import that was cancelled before it began.
const CANCELLED: &str = "Cancelled. Nothing was changed";

/// The imports that this process is working on.
#[derive(Debug, Default)]
struct Jobs(Mutex<HashMap<ImportId, Arc<Watch>>>);

impl Jobs {
    fn begin(&self, id: ImportId) -> Arc<Watch> {
        let watch = Arc::<Watch>::default();
        self.jobs().insert(id, Arc::clone(&watch));
        watch
    }

    fn end(&self, id: ImportId) {
        self.jobs().remove(&id);
    }

    fn watch(&self, id: ImportId) -> Option<Arc<Watch>> {
        self.jobs().get(&id).cloned()
    }

    fn jobs(&self) -> std::sync::MutexGuard<'_, HashMap<ImportId, Arc<Watch>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The work of a background job on the file of an import.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Counts what an import would do, and changes nothing.
    Check,
    /// Imports the file. `confirmed` is the number of users that a file beyond the safety limits touches.
    Import {
        /// The confirmed number of users.
        confirmed: Option<u64>,
    },
}

/// Takes up an import. The returned future does the work; drop it only when the process ends.
pub async fn start(
    store: &Store,
    actor: Actor,
    id: ImportId,
    step: Step,
) -> Result<impl Future<Output = ()> + Send + use<>, RecordsError> {
    actor.require(Action::Import)?;
    let found = import_history::read(store, actor, id).await?;
    let (from, to): (&[ImportState], _) = match step {
        Step::Check => (&ImportState::WAITING, ImportState::Checking),
        Step::Import { .. } => (&[ImportState::Checked], ImportState::Importing),
    };
    let refused = || RecordsError::Refused(import_history::STARTED.to_owned());
    let name = found.upload.clone().ok_or_else(refused)?;
    let folder = upload::folder_of(store, &name)?;
    let files = upload::files(&folder).map_err(|_| RecordsError::Refused(upload::GONE.to_owned()))?;
    if !import_history::advance(store, id, from, to).await? {
        let now = import_history::read(store, actor, id).await?.state;
        let is_unchecked = now == ImportState::Uploaded;
        return Err(if is_unchecked { RecordsError::Refused(NOT_CHECKED.to_owned()) } else { refused() });
    }
    // Read again: until now, the file's profile and options could be changed.
    let found = import_history::read(store, actor, id).await?;
    let jobs = store.process_state::<Jobs>();
    let watch = jobs.begin(id);
    let store = store.clone();
    Ok(async move {
        let (dry_run, confirmed) = match step {
            Step::Check => (true, None),
            Step::Import { confirmed } => (false, confirmed),
        };
        let order = ImportOrder {
            file: &files.main,
            tables: files.tables,
            profile: found.profile.clone(),
            options: found.options,
            origin: ImportOrigin::Page,
            record: Some(id),
            dry_run,
            confirmed,
            limits: ImportLimits::of_a_part(),
            task: None,
            run: None,
            watch: &watch,
        };
        let done = tokio::select! {
            done = import(&store, actor, &order) => done,
            never = beat(&store, id) => match never {},
        };
        let is_over = match finish(&store, &found, done, dry_run).await {
            Ok(state) => state.is_final(),
            Err(error) => {
                tracing::error!(code = error.code(), "the result of an import could not be stored");
                false
            }
        };
        jobs.end(id);
        if is_over && upload::erase(&folder).is_err() {
            tracing::warn!("an uploaded file could not be deleted; daily maintenance tries again");
        }
    })
}

/// Writes heartbeats while an import is under way.
async fn beat(store: &Store, id: ImportId) -> Infallible {
    if store.db.get_database_backend() == DatabaseBackend::Sqlite {
        // The import has the only write lock of the database.
        return std::future::pending().await;
    }
    loop {
        tokio::time::sleep(HEARTBEAT_INTERVAL).await;
        if let Err(error) = import_history::heartbeat(store, id).await {
            tracing::warn!(code = error.code(), "a heartbeat of an import could not be written");
        }
    }
}

/// Stores the result of a job. Returns the state of the import.
async fn finish(
    store: &Store,
    before: &Import,
    done: Result<Imported, TransferError>,
    dry_run: bool,
) -> Result<ImportState, RecordsError> {
    let result = match done {
        // The import has stored its result itself.
        Ok(_) if !dry_run => return Ok(ImportState::Imported),
        Err(TransferError::File(_)) if !dry_run => return Ok(ImportState::Rejected),
        Ok(Imported { summary, sha256, report, stop }) => ImportResult {
            state: ImportState::Checked,
            sha256: Some(sha256),
            counts: Some(summary),
            reason: stop.map(|stop| stop.label()),
            report,
        },
        Err(error) => {
            let (state, reason) = outcome_of(store, &error);
            let report = match &error {
                TransferError::File(problems) => problems.problems.iter().map(ReportLine::from).collect(),
                _ => Vec::new(),
            };
            let counts = (state == ImportState::Checked).then(|| before.counts.clone()).flatten();
            ImportResult { state, sha256: before.sha256.clone(), counts, reason: Some(reason), report }
        }
    };
    let state = result.state;
    let tx = store.begin().await?;
    import_history::set_result((&tx, store), before.id, result).await?;
    store.commit(tx).await?;
    Ok(state)
}

/// Returns the state after an error, and the reason that the page shows. The error has changed nothing.
fn outcome_of(store: &Store, error: &TransferError) -> (ImportState, String) {
    match error {
        TransferError::Cancelled if store.is_stopping() => {
            (ImportState::Interrupted, "The server stopped during the import. Nothing was changed".to_owned())
        }
        TransferError::Cancelled => (ImportState::Cancelled, error.to_string()),
        TransferError::File(_) => (ImportState::Rejected, error.to_string()),
        // The import waits for an approval or a confirmation.
        TransferError::Records(RecordsError::Refused(_) | RecordsError::LimitReached(_)) => {
            (ImportState::Checked, error.to_string())
        }
        TransferError::Records(error) => {
            tracing::error!(code = error.code(), "an import failed");
            (ImportState::Failed, format!("{error}. Nothing was changed"))
        }
        TransferError::Limit(_) => (ImportState::Stopped, error.to_string()),
        TransferError::FileChanged => (ImportState::Failed, error.to_string()),
        TransferError::Io(_) => (ImportState::Failed, format!("{error}. Nothing was changed")),
    }
}

/// Asks an import to stop before its next lines. Nothing of it is kept.
pub async fn cancel(store: &Store, actor: Actor, id: ImportId) -> Result<(), RecordsError> {
    actor.require(Action::Import)?;
    if let Some(watch) = store.process_state::<Jobs>().watch(id) {
        watch.cancel();
        return Ok(());
    }
    let found = import_history::read(store, actor, id).await?;
    if found.state.is_under_way() {
        let why = "Another server is working on this import. Cancel it there";
        return Err(RecordsError::Refused(why.to_owned()));
    }
    if found.state.is_final() {
        return Ok(());
    }
    import_history::end(store, id, ImportState::Cancelled, CANCELLED).await?;
    if let Some(Ok(folder)) = found.upload.map(|name| upload::folder_of(store, &name))
        && upload::erase(&folder).is_err()
    {
        tracing::warn!("an uploaded file could not be deleted; daily maintenance tries again");
    }
    Ok(())
}

/// Returns the number of lines that an import of this process has read.
pub fn lines_read(store: &Store, id: ImportId) -> Option<u64> {
    store.process_state::<Jobs>().watch(id).map(|watch| watch.lines())
}
