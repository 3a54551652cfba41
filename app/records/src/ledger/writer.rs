//! Adding to the ledger.

use super::entry::{Entry, What, policy_text};
use super::file::{Damage, LedgerFile};
use super::standing;
use super::tail::Tail;
use crate::error::{Fault, Place, RecordsError};
use crate::store::Store;
use policy::Policy;
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// What one process knows of the end of the ledger; nothing before it was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known(Arc<Mutex<Option<Tail>>>);

/// The ledger, open. Nobody else has it open as long as this lives.
pub(super) struct Opened {
    known: OwnedMutexGuard<Option<Tail>>,
    pub(super) file: LedgerFile,
}

/// The ledger, open to be added to.
pub(super) struct Writer {
    opened: Opened,
    pub(super) tail: Tail,
}

/// Entries that are to be added together, and what will be known of the ledger then.
pub(super) struct Draft {
    lines: String,
    pub(super) tail: Tail,
}

impl Opened {
    /// Opens the ledger, when nobody else has it open any more. None where there is no file.
    pub(super) async fn of(store: &Store) -> Result<Option<Self>, RecordsError> {
        Self::by(store, LedgerFile::open).await
    }

    /// [`Opened::of`], and makes an empty file where there is none.
    pub(super) async fn or_created(store: &Store) -> Result<Self, RecordsError> {
        let opened = Self::by(store, |path| LedgerFile::open_or_create(path).map(Some)).await?;
        opened.ok_or_else(|| RecordsError::Ledger(standing::MISSING.to_owned()))
    }

    async fn by(
        store: &Store,
        open: impl FnOnce(&Path) -> io::Result<Option<LedgerFile>> + Send + 'static,
    ) -> Result<Option<Self>, RecordsError> {
        let known = store.ledger.0.clone().lock_owned().await;
        let path = store.settings.ledger.clone();
        let file = blocking(move || open(&path)).await?.map_err(Damage::from)?;
        Ok(file.map(|file| Self { known, file }))
    }

    /// To be added to, once it was read.
    pub(super) fn read_up_to(self, tail: Tail) -> Writer {
        Writer { opened: self, tail }
    }
}

impl Writer {
    /// Opens the ledger and reads what others have added.
    pub(super) async fn enter(store: &Store) -> Result<Self, RecordsError> {
        let opened = Opened::of(store).await?;
        let mut opened = opened.ok_or_else(|| RecordsError::Ledger(standing::MISSING.to_owned()))?;
        blocking(move || {
            // Where something goes wrong, nothing is known any more, and the next one reads all of it again.
            let known = opened.known.take();
            let caught_up =
                known.and_then(|mut tail| tail.catch_up(&mut opened.file).is_ok().then_some(tail));
            let tail = match caught_up {
                Some(tail) => tail,
                // Nothing was known, or another file was put in its place.
                None => Tail::read(&mut opened.file, |_, _, _| ())?,
            };
            Ok(opened.read_up_to(tail))
        })
        .await?
    }

    /// Nothing yet, after the present end.
    pub(super) fn draft(&self) -> Draft {
        Draft { lines: String::new(), tail: self.tail.clone() }
    }

    /// Adds what was drafted. With `durable` it is on the disk when this returns.
    pub(super) async fn write(mut self, draft: Draft, durable: bool) -> Result<Self, RecordsError> {
        blocking(move || {
            self.opened
                .file
                .append(self.tail.position, &draft.lines, durable)
                .map_err(|error| not_written(&error))?;
            self.tail = Tail { torn: false, ..draft.tail };
            Ok(self)
        })
        .await?
    }

    /// Closes the ledger and remembers its end.
    pub(super) fn leave(mut self) {
        *self.opened.known = Some(self.tail);
    }
}

impl Draft {
    /// Adds an entry.
    pub(super) fn add(&mut self, what: What) -> Result<(), RecordsError> {
        let (line, entry, place) = Entry::line(&self.tail.last, what).map_err(|_| cannot_be_written())?;
        let position = self.tail.position + line.len() as u64;
        self.tail.take(&entry, place, position)?;
        self.lines.push_str(&line);
        Ok(())
    }

    /// The entry of a policy, which is added when there is none.
    pub(super) fn policy(&mut self, policy: &Policy) -> Result<i64, RecordsError> {
        let text = policy_text(policy).map_err(|_| cannot_be_written())?;
        if let Some(sequence) = self.tail.policies.get(&text) {
            return Ok(*sequence);
        }
        let policy = serde_json::to_value(policy).map_err(|_| cannot_be_written())?;
        self.add(What::Policy { policy })?;
        Ok(self.tail.last.sequence)
    }
}

fn cannot_be_written() -> RecordsError {
    RecordsError::Corrupt("policy")
}

fn not_written(error: &io::Error) -> RecordsError {
    if let Some(fault) = Fault::of_file(Place::Ledger, error) {
        return RecordsError::Fault(fault);
    }
    RecordsError::Ledger(format!(
        "The ledger file cannot be written ({}), and nobody is anonymised without it. Nothing was changed",
        error.kind()
    ))
}

/// Does what waits for the disk or for another process, where nobody else has to wait for it.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, RecordsError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| RecordsError::Ledger("Work on the ledger was broken off. Try again".to_owned()))
}
