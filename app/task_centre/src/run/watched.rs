//! Which file of a watched folder a run or preview of *Import users* takes next.

use db::RecordsError;
use policy::import::ImportState;
use policy::{ImportSettings, TaskId};
use trail::Store;
use transfer::watched_folder::{self, Watched, WatchedFile};
use transfer::{TransferError, profile, run_history};

/// Returns the files of a task, oldest first, each with what became of it the last time.
pub(super) async fn files(
    store: &Store,
    task: TaskId,
    settings: &ImportSettings,
) -> Result<Vec<(WatchedFile, Option<ImportState>)>, RecordsError> {
    let mut files = Vec::new();
    for file in in_folder(store, settings).await? {
        let last = run_history::last_state(store, task, &file).await?;
        files.push((file, last));
    }
    Ok(files)
}

/// Returns the files of a folder, oldest first.
pub(super) async fn in_folder(
    store: &Store,
    settings: &ImportSettings,
) -> Result<Vec<WatchedFile>, RecordsError> {
    let tables = profile::tables(&store.db, &settings.profile, settings.kind).await?;
    watched_folder::files(watched(store, settings, &tables))
}

/// Overwrites and deletes an imported file, with its tables unless another file needs them.
pub(super) async fn erase(
    store: &Store,
    settings: &ImportSettings,
    file: &WatchedFile,
) -> Result<(), TransferError> {
    let tables = profile::tables(&store.db, &settings.profile, settings.kind).await?;
    Ok(watched_folder::erase(file, watched(store, settings, &tables)).await?)
}

fn watched<'a>(store: &'a Store, settings: &'a ImportSettings, tables: &'a [&'static str]) -> Watched<'a> {
    Watched { imports: &store.settings.imports, folder: &settings.folder, pattern: &settings.pattern, tables }
}

/// Returns the file that a preview shows: the one that the next run takes first, else one that was rejected.
pub(super) async fn next(
    store: &Store,
    task: TaskId,
    settings: &ImportSettings,
) -> Result<WatchedFile, RecordsError> {
    let refused = |why: String| RecordsError::Refused(why);
    let files = files(store, task, settings).await?;
    let is_waiting =
        |state: Option<ImportState>| !is_dealt_with(state) && state != Some(ImportState::Rejected);
    let next = files
        .iter()
        .find(|(_, last)| is_waiting(*last))
        .or_else(|| files.iter().find(|(_, last)| *last == Some(ImportState::Rejected)));
    let Some((file, _)) = next else {
        let place = if settings.folder.is_empty() {
            "The folder of imports".to_owned()
        } else {
            format!("The folder {}", settings.folder)
        };
        return Err(refused(format!(
            "{place} has no new file {}. Put a file there, then create the preview again",
            settings.pattern
        )));
    };
    watched_folder::when_complete(file).await.ok_or_else(|| {
        refused(format!(
            "The file {} is still being written. Create the preview again in a minute",
            file.name
        ))
    })
}

/// Returns whether a file that was not changed since needs no further import.
pub(super) const fn is_dealt_with(last: Option<ImportState>) -> bool {
    matches!(last, Some(ImportState::Imported | ImportState::Unchanged))
}

/// Returns the error of an import as the error of its run or preview.
pub(super) fn as_error_of_run(error: TransferError) -> RecordsError {
    match error {
        TransferError::Records(error) => error,
        error => RecordsError::Refused(error.to_string()),
    }
}
