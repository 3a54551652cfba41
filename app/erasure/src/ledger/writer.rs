//! Appends to the ledger.

use super::entry::{Entry, EntryKind, policy_text};
use super::file::{Damage, LedgerFile};
use super::status;
use super::tail::Tail;
use db::{Fault, RecordsError, Storage};
use policy::Policy;
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};
use trail::Store;

/// The end of the ledger as this process last saw it; `None` before the first read.
#[derive(Clone, Debug, Default)]
struct CachedTail(Arc<Mutex<Option<Tail>>>);

/// The open and locked ledger.
pub(crate) struct Opened {
    known: OwnedMutexGuard<Option<Tail>>,
    pub(crate) file: LedgerFile,
}

/// The open ledger, read to its end and ready for new entries.
pub struct Writer {
    opened: Opened,
    /// The state of the ledger at its end.
    pub tail: Tail,
}

/// Entries to append together, and the state of the ledger after them.
pub(crate) struct Draft {
    lines: String,
    pub tail: Tail,
}

impl Opened {
    /// Waits for the lock and opens the ledger. Returns `None` if the file doesn't exist.
    pub(crate) async fn lock(store: &Store) -> Result<Option<Self>, RecordsError> {
        Self::by(store, LedgerFile::open).await
    }

    /// Like [`Opened::lock`], but creates an empty file if there is none.
    pub(crate) async fn or_created(store: &Store) -> Result<Self, RecordsError> {
        let opened = Self::by(store, |path| LedgerFile::open_or_create(path).map(Some)).await?;
        opened.ok_or_else(|| RecordsError::Ledger(status::MISSING.to_owned()))
    }

    async fn by(
        store: &Store,
        open: impl FnOnce(&Path) -> io::Result<Option<LedgerFile>> + Send + 'static,
    ) -> Result<Option<Self>, RecordsError> {
        let known = store.process_state::<CachedTail>().0.clone().lock_owned().await;
        let path = store.settings.ledger.clone();
        let file = blocking(move || open(&path)).await?.map_err(Damage::from)?;
        Ok(file.map(|file| Self { known, file }))
    }

    /// Returns a writer for a ledger that was read up to `tail`.
    pub(crate) fn read_up_to(self, tail: Tail) -> Writer {
        Writer { opened: self, tail }
    }
}

impl Writer {
    /// Opens the ledger and reads the entries that other processes have added.
    pub async fn enter(store: &Store) -> Result<Self, RecordsError> {
        let opened = Opened::lock(store).await?;
        let mut opened = opened.ok_or_else(|| RecordsError::Ledger(status::MISSING.to_owned()))?;
        blocking(move || {
            // On an error the cache stays empty, and the next caller reads the whole file.
            let known = opened.known.take();
            let caught_up =
                known.and_then(|mut tail| tail.catch_up(&mut opened.file).is_ok().then_some(tail));
            let tail = match caught_up {
                Some(tail) => tail,
                // The cache was empty, or the file was replaced.
                None => Tail::read(&mut opened.file, |_, _, _| ())?,
            };
            Ok(opened.read_up_to(tail))
        })
        .await?
    }

    /// Returns an empty draft after the current end.
    pub(crate) fn draft(&self) -> Draft {
        Draft { lines: String::new(), tail: self.tail.clone() }
    }

    /// Appends the drafted entries. With `durable`, they are on disk when this returns.
    pub(crate) async fn write(mut self, draft: Draft, durable: bool) -> Result<Self, RecordsError> {
        blocking(move || {
            self.opened
                .file
                .append(self.tail.file_offset, &draft.lines, durable)
                .map_err(|error| not_written(&error))?;
            self.tail = Tail { torn: false, ..draft.tail };
            Ok(self)
        })
        .await?
    }

    /// Closes the ledger and caches its end.
    pub fn leave(mut self) {
        *self.opened.known = Some(self.tail);
    }
}

impl Draft {
    /// Adds an entry.
    pub(crate) fn add(&mut self, what: EntryKind) -> Result<(), RecordsError> {
        let (line, entry, position) = Entry::line(&self.tail.last, what).map_err(|_| cannot_be_written())?;
        let file_offset = self.tail.file_offset + line.len() as u64;
        self.tail.take(&entry, position, file_offset)?;
        self.lines.push_str(&line);
        Ok(())
    }

    /// Returns the number of the policy's entry; adds the entry if there is none.
    pub(crate) fn policy(&mut self, policy: &Policy) -> Result<i64, RecordsError> {
        let text = policy_text(policy).map_err(|_| cannot_be_written())?;
        if let Some(sequence) = self.tail.policies.get(&text) {
            return Ok(*sequence);
        }
        let policy = serde_json::to_value(policy).map_err(|_| cannot_be_written())?;
        self.add(EntryKind::Policy { policy })?;
        Ok(self.tail.last.sequence)
    }
}

fn cannot_be_written() -> RecordsError {
    RecordsError::Corrupt("policy")
}

fn not_written(error: &io::Error) -> RecordsError {
    if let Some(fault) = Fault::of_file(Storage::Ledger, error) {
        return RecordsError::Fault(fault);
    }
    RecordsError::Ledger(format!(
        "The ledger file cannot be written ({}). Lethe anonymises no users without it. Nothing was changed",
        error.kind()
    ))
}

/// Runs `work`, which waits for the disk or another process, on the thread pool for blocking work.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, RecordsError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| RecordsError::Ledger("The update of the ledger was interrupted. Try again".to_owned()))
}
