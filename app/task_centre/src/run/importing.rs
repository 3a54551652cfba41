//! Executes a run of the task type *Import users*: the files of a folder, oldest first, each in one transaction.

use super::ended::{self, Ended};
use super::finish;
use super::lease::{Lease, LeaseStatus};
use super::watched::{self, as_error_of_run, is_dealt_with};
use db::RecordsError;
use db::entity::{runs, tasks};
use erasure::run_counts;
use policy::import::ImportState;
use policy::import_settings::ImportedFile;
use policy::{ImportSettings, Phase, RunId, RunKind, RunState, SafetyLimit, TaskId, UserNumber};
use sea_orm::{ActiveModelTrait, DatabaseTransaction, EntityTrait, Set};
use trail::Actor;
use trail::Store;
use transfer::run_history::{self, RunLines};
use transfer::run_import::{self, FileOutcome, TaskSource};
use transfer::watched_folder::{self, WatchedFile};
use transfer::{RunOrder, TransferError};

/// The kind under which a run counts files that it did not import.
pub(super) const FILES: &str = "file";

/// The error code of a run whose file is not the one of its preview any more.
const FILE_CHANGED: &str = "file_changed";

/// A file that was left for a later run. The code is in `run_counts`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum LeftFile {
    /// It is still being written.
    StillWritten,
    /// It was rejected earlier, and has not changed since.
    RejectedBefore,
    /// It was imported, but could not be deleted.
    NotErased,
}

impl LeftFile {
    const fn code(self) -> &'static str {
        match self {
            Self::StillWritten => "still_written",
            Self::RejectedBefore => "rejected_before",
            Self::NotErased => "not_erased",
        }
    }
}

/// A run of an import.
struct Job<'a> {
    run: &'a runs::Model,
    task: TaskId,
    settings: &'a ImportSettings,
    actor: Actor,
}

impl<'a> Job<'a> {
    const fn source(&self) -> TaskSource<'a> {
        TaskSource { task: self.task, settings: self.settings }
    }
}

/// Imports the files of a run and ends the run.
pub(super) async fn execute(
    store: &Store,
    lease: &Lease,
    run: &runs::Model,
    settings: &ImportSettings,
) -> Result<RunState, RecordsError> {
    let job = Job {
        run,
        task: TaskId(run.task_id.unwrap_or_default()),
        settings,
        actor: Actor::unprivileged(run.actor_number.map(UserNumber), run.channel),
    };
    lease.enter(store, Phase::Importing).await?;
    // An earlier process may have died during an import. It has changed nothing.
    run_history::end_interrupted(store, lease.run).await?;
    let mut left = Vec::new();
    let ended = match import_all(store, lease, &job, &mut left).await {
        Ok(ended) => ended,
        Err(error) if error.is_temporary() => return Err(error),
        Err(error) => {
            tracing::error!(run = run.id, code = error.code(), "a run could not import its files");
            Ended::Failed(error.code())
        }
    };
    match ended {
        Ended::LeaseLost => Ok(RunState::Interrupted),
        Ended::ShuttingDown => {
            lease.release(store).await?;
            Ok(RunState::Interrupted)
        }
        ended => end(store, lease, &job, ended, &left).await,
    }
}

async fn import_all(
    store: &Store,
    lease: &Lease,
    job: &Job<'_>,
    left: &mut Vec<LeftFile>,
) -> Result<Ended, RecordsError> {
    let is_scheduled = job.run.kind == RunKind::Scheduled;
    if is_scheduled && !is_active(store, job.task).await? {
        return Ok(Ended::Cancelled);
    }
    let done = run_history::of_run(store, lease.run).await?;
    let files = if is_scheduled {
        watched::files(store, job.task, job.settings).await?
    } else if done.iter().any(|import| import.state == ImportState::Imported) {
        erase_after_interruption(store, job, left).await?;
        return Ok(Ended::Completed);
    } else {
        match previewed_file(store, job).await? {
            Some(file) => vec![(file, None)],
            None => return Ok(Ended::Failed(FILE_CHANGED)),
        }
    };
    for (mut file, last) in files {
        if is_dealt_with(last) {
            let by_this_run = done.iter().any(|import| {
                import.file_name.as_deref() == Some(file.name.as_str()) && is_dealt_with(Some(import.state))
            });
            match job.settings.imported_file {
                // The process died between the import and the deletion.
                ImportedFile::Erase if by_this_run => {
                    erase(store, job, &file, left).await;
                    continue;
                }
                ImportedFile::Keep => continue,
                // The same file was delivered again.
                ImportedFile::Erase => {}
            }
        }
        if last == Some(ImportState::Rejected) {
            left.push(LeftFile::RejectedBefore);
            continue;
        }
        if is_scheduled && !is_confirmed(store, job).await? {
            return Ok(Ended::Stopped(SafetyLimit::NotConfirmed));
        }
        if let Some(ended) = must_stop(store, lease).await? {
            return Ok(ended);
        }
        match import_one(store, lease, job, &mut file).await? {
            FileOutcome::Imported => erase(store, job, &file, left).await,
            FileOutcome::Rejected => {}
            FileOutcome::StillWritten if !is_scheduled => return Ok(Ended::Failed(FILE_CHANGED)),
            FileOutcome::StillWritten => left.push(LeftFile::StillWritten),
            FileOutcome::Stopped => return Ok(Ended::Stopped(SafetyLimit::Import)),
            FileOutcome::Cancelled => {
                return Ok(match must_stop(store, lease).await? {
                    Some(ended) => ended,
                    // The request to cancel waits for the end of the import.
                    None => Ended::Cancelled,
                });
            }
        }
    }
    Ok(Ended::Completed)
}

/// Waits until a file is complete, and imports it. Sets its size and time to those of the imported file.
async fn import_one(
    store: &Store,
    lease: &Lease,
    job: &Job<'_>,
    file: &mut WatchedFile,
) -> Result<FileOutcome, RecordsError> {
    let Some(complete) = watched_folder::when_complete(file).await else {
        return Ok(FileOutcome::StillWritten);
    };
    *file = complete;
    let sha256 = match watched_folder::sha256(file).await {
        Ok(sha256) => sha256,
        // The file is gone, or may not be read.
        Err(error) => {
            tracing::warn!(run = job.run.id, kind = %error.kind(), "a watched file could not be read");
            return Ok(FileOutcome::StillWritten);
        }
    };
    let is_scheduled = job.run.kind == RunKind::Scheduled;
    if is_scheduled && run_import::is_unchanged(store, lease.run, job.source(), &sha256).await? {
        run_import::record_unchanged(store, job.actor, (lease.run, &sha256), job.source(), file).await?;
        return Ok(FileOutcome::Imported);
    }
    if !is_scheduled && job.run.fingerprint.as_deref() != Some(&sha256) {
        return Ok(FileOutcome::StillWritten);
    }
    let order = RunOrder {
        run: lease.run,
        holder: lease.holder(),
        sha256: &sha256,
        is_confirmed: !is_scheduled && job.run.safety_limit == Some(SafetyLimit::Import),
    };
    match run_import::import(store, job.actor, order, job.source(), file).await {
        Ok(outcome) => Ok(outcome),
        // The history says that this file failed. The others may be readable.
        Err(TransferError::Io(_)) => Ok(FileOutcome::Rejected),
        Err(error) => Err(as_error_of_run(error)),
    }
}

/// Returns the file of the preview, or `None` if it is gone.
async fn previewed_file(store: &Store, job: &Job<'_>) -> Result<Option<WatchedFile>, RecordsError> {
    let Some(preview) = job.run.preview_id else { return Ok(None) };
    let name = run_history::of_run(store, RunId(preview)).await?.pop().and_then(|import| import.file_name);
    let files = watched::in_folder(store, job.settings).await?;
    Ok(files.into_iter().find(|file| Some(&file.name) == name.as_ref()))
}

/// Deletes the file of a run whose process died between the import and the deletion.
async fn erase_after_interruption(
    store: &Store,
    job: &Job<'_>,
    left: &mut Vec<LeftFile>,
) -> Result<(), RecordsError> {
    if let Some(file) = previewed_file(store, job).await?
        && watched_folder::sha256(&file).await.ok() == job.run.fingerprint
    {
        erase(store, job, &file, left).await;
    }
    Ok(())
}

/// Deletes an imported file and its tables, unless the task keeps them.
async fn erase(store: &Store, job: &Job<'_>, file: &WatchedFile, left: &mut Vec<LeftFile>) {
    if job.settings.imported_file == ImportedFile::Keep {
        return;
    }
    if watched::erase(store, job.settings, file).await.is_err() {
        tracing::warn!(run = job.run.id, "an imported file could not be deleted");
        left.push(LeftFile::NotErased);
    }
}

async fn is_active(store: &Store, task: TaskId) -> Result<bool, RecordsError> {
    let task = tasks::Entity::find_by_id(task.0).one(&store.db).await?;
    Ok(task.is_some_and(|task| task.active && task.deleted_at.is_none()))
}

/// Returns whether a person has confirmed the settings: by a run that was started by hand.
async fn is_confirmed(store: &Store, job: &Job<'_>) -> Result<bool, RecordsError> {
    let task = tasks::Entity::find_by_id(job.task.0).one(&store.db).await?;
    let confirmed = task.and_then(|task| task.confirmed_settings);
    Ok(confirmed.is_some_and(|confirmed| !job.run.settings.extends_beyond(&confirmed)))
}

/// Returns why the run must stop before its next file, or `None` if it can continue.
async fn must_stop(store: &Store, lease: &Lease) -> Result<Option<Ended>, RecordsError> {
    if store.is_stopping() {
        return Ok(Some(Ended::ShuttingDown));
    }
    let tx = store.begin().await?;
    ended::must_stop(lease, &tx).await
}

/// Ends a run: its state follows from its files and their lines.
async fn end(
    store: &Store,
    lease: &Lease,
    job: &Job<'_>,
    ended: Ended,
    left: &[LeftFile],
) -> Result<RunState, RecordsError> {
    let tx = store.begin().await?;
    let ended = match lease.status(&tx).await? {
        LeaseStatus::Ours => ended,
        LeaseStatus::Cancelled => match ended {
            // All files were imported before the run could stop.
            Ended::Completed => Ended::Completed,
            _ => Ended::Cancelled,
        },
        LeaseStatus::Lost => return Ok(RunState::Interrupted),
    };
    let (lines, files) = run_history::result_of(&tx, lease.run).await?;
    let state = state_of(&ended, lines, &files, left);
    let safety_limit = match ended {
        Ended::Stopped(limit) => Some(limit),
        _ => None,
    };
    if let Ended::Failed(code) = ended {
        run_counts::add(&tx, lease.run, "error", code, 1).await?;
    }
    for one in left {
        run_counts::add(&tx, lease.run, FILES, one.code(), 1).await?;
    }
    set_lines(&tx, lease.run, lines).await?;
    finish::end_without_people(&tx, store, (lease.run, job.actor), state, safety_limit).await?;
    if job.run.kind == RunKind::Manual
        && state.confirms(lines.imported)
        && run_import::has_current_profile(&tx, lease.run, job.settings).await?
    {
        finish::confirm_settings(&tx, job.run).await?;
    }
    store.commit(tx).await?;
    Ok(state)
}

/// Stores the numbers of lines. They add up: imported, skipped and rejected lines are all lines.
async fn set_lines(tx: &DatabaseTransaction, run: RunId, lines: RunLines) -> Result<(), RecordsError> {
    runs::ActiveModel {
        id: Set(run.0),
        users: Set(lines.lines),
        previewed: Set(lines.lines),
        done: Set(lines.imported),
        skipped: Set(lines.skipped),
        failed: Set(lines.rejected),
        ..Default::default()
    }
    .update(tx)
    .await?;
    Ok(())
}

fn state_of(ended: &Ended, lines: RunLines, files: &[ImportState], left: &[LeftFile]) -> RunState {
    let has = |state: ImportState| files.contains(&state);
    match ended {
        Ended::Cancelled => RunState::Cancelled,
        Ended::Stopped(_) => RunState::StoppedByLimit,
        Ended::Failed(_) => RunState::Failed,
        Ended::ShuttingDown | Ended::LeaseLost => RunState::Interrupted,
        Ended::Completed => {
            let is_rejected = has(ImportState::Rejected)
                || has(ImportState::Failed)
                || lines.rejected > 0
                || left.contains(&LeftFile::RejectedBefore)
                || left.contains(&LeftFile::NotErased);
            let is_imported = has(ImportState::Imported) || has(ImportState::Unchanged);
            match (is_rejected, is_imported) {
                (true, true) => RunState::CompletedWithFailures,
                (true, false) => RunState::Failed,
                (false, true) => RunState::Succeeded,
                (false, false) => RunState::NothingToImport,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_follows_from_files_and_lines() {
        use ImportState::{Imported, Rejected, Unchanged};
        let of = |files: &[ImportState], rejected, left: &[LeftFile]| {
            let lines = RunLines { rejected, ..RunLines::default() };
            state_of(&Ended::Completed, lines, files, left)
        };
        assert_eq!(of(&[], 0, &[]), RunState::NothingToImport);
        assert_eq!(of(&[], 0, &[LeftFile::StillWritten]), RunState::NothingToImport);
        assert_eq!(of(&[], 0, &[LeftFile::RejectedBefore]), RunState::Failed, "it is reported every time");
        assert_eq!(of(&[Imported, Unchanged], 0, &[]), RunState::Succeeded);
        assert_eq!(of(&[Imported], 1, &[]), RunState::CompletedWithFailures);
        assert_eq!(of(&[Imported, Rejected], 0, &[]), RunState::CompletedWithFailures);
        assert_eq!(of(&[Imported], 0, &[LeftFile::NotErased]), RunState::CompletedWithFailures);
        assert_eq!(of(&[Rejected], 0, &[]), RunState::Failed);
    }
}
