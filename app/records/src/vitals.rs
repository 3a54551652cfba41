//! Whether this process can do its work right now: whether the database can be written, whether the disks have space,
//! whether the clock is right.
//!
//! [`beat`] finds out every few seconds, by a change of a row of its own ([`crate::entity`] does not know it: nothing
//! else reads it), over a connection of its own. What a request could not write is noted at once ([`Vitals::note`]) and
//! counts for half a minute. Everything here heals by itself.

mod clock;
mod disk;
mod row;

pub use clock::Skew;
pub(crate) use row::Row;

use crate::error::{Fault, Place, RecordsError};
use crate::key::Key;
use crate::store::Store;
use std::collections::HashMap;
use std::sync::{Mutex as StdMutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, Notify, watch};

/// How often the database is looked at.
const INTERVAL: Duration = Duration::from_secs(3);
/// A look that is younger than this is not repeated.
const FRESH: Duration = Duration::from_millis(500);
/// How long a look may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(4);
/// How long a failed write counts after the last one.
const NOTED_FOR: Duration = Duration::from_secs(30);
/// How long writers may be kept out until that is a fault. Requests wait as long.
const MAX_BUSY: Duration = Duration::from_secs(10);

/// What this process knows of its own state.
#[derive(Debug)]
pub struct Vitals {
    seen: watch::Sender<Seen>,
    noted: StdMutex<HashMap<Fault, Instant>>,
    /// Held by the look that is under way.
    turn: Mutex<Turn>,
    wake: Notify,
}

/// What the last look found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Seen {
    database: Option<Fault>,
    disk: Option<Fault>,
    skew: Skew,
    is_key_file_wrong: bool,
}

/// What one look leaves for the next.
#[derive(Debug, Default)]
struct Turn {
    last: Option<Instant>,
    busy_since: Option<Instant>,
    /// How many looks in a row found no database.
    failures: u32,
    row: Row,
    disk: disk::Disk,
}

impl Default for Vitals {
    fn default() -> Self {
        Self {
            seen: watch::Sender::new(Seen::default()),
            noted: StdMutex::default(),
            turn: Mutex::default(),
            wake: Notify::new(),
        }
    }
}

impl Vitals {
    /// Notes a change that failed, so that health says so before the next look does.
    pub fn note(&self, fault: Fault) {
        // Others at work are no fault of the database.
        if fault == Fault::Busy {
            return;
        }
        if fault != Fault::Unreachable {
            self.noted().insert(fault, Instant::now());
        }
        self.wake.notify_one();
    }

    /// Notes that something was written there: what was wrong with it is over.
    pub(crate) fn written(&self, place: Place) {
        self.noted().retain(|fault, _| fault.place() != Some(place));
    }

    fn noted(&self) -> std::sync::MutexGuard<'_, HashMap<Fault, Instant>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what keeps this process from writing, as far as the last look and the requests since know.
    pub fn faults(&self) -> Vec<Fault> {
        let seen = *self.seen.borrow();
        let mut faults: Vec<Fault> = seen.database.into_iter().chain(seen.disk).collect();
        let mut noted = self.noted();
        noted.retain(|_, at| at.elapsed() < NOTED_FOR);
        for fault in noted.keys() {
            if !faults.contains(fault) {
                faults.push(*fault);
            }
        }
        faults
    }

    /// Whether the database did not answer at the last look.
    pub fn is_database_down(&self) -> bool {
        self.seen.borrow().database == Some(Fault::Unreachable)
    }

    /// Waits until the database does not answer.
    pub async fn database_goes_down(&self) {
        // The sender lives in the store itself: it cannot be gone.
        let _ = self.seen.subscribe().wait_for(|seen| seen.database == Some(Fault::Unreachable)).await;
    }

    /// Tells whether the key file is missing, unreadable or another one. This process works with the key that it read at
    /// its start; the next start will be refused.
    pub fn is_key_file_wrong(&self) -> bool {
        self.seen.borrow().is_key_file_wrong
    }

    /// How far the clock of this computer is from those that it is compared with.
    pub fn skew(&self) -> Skew {
        self.seen.borrow().skew
    }
}

/// Looks at the database, the disks and the clock, unless that was done just now.
pub async fn beat(store: &Store) {
    let vitals = &store.vitals;
    let mut turn = vitals.turn.lock().await;
    if turn.last.is_some_and(|last| last.elapsed() < FRESH) {
        return;
    }
    let found = tokio::time::timeout(PROBE_TIMEOUT, row::beat(store, &mut turn.row)).await;
    let found = found.unwrap_or(Err(RecordsError::Fault(Fault::Unreachable)));
    let mut seen = *vitals.seen.borrow();
    match found {
        Ok(skew) => {
            (turn.busy_since, turn.failures) = (None, 0);
            (seen.database, seen.skew) = (None, skew);
        }
        Err(error) => {
            seen.database = match error.fault() {
                Some(Fault::Busy) => {
                    let since = *turn.busy_since.get_or_insert_with(Instant::now);
                    (since.elapsed() > MAX_BUSY).then_some(Fault::Busy)
                }
                // One look may be late because the computer is: the second one counts, and comes at once.
                Some(Fault::Unreachable) if turn.failures == 0 => {
                    turn.failures = 1;
                    vitals.wake.notify_one();
                    seen.database
                }
                // A statement that fails for any other reason cannot be carried out later either.
                fault => Some(fault.unwrap_or(Fault::Unwritable(Place::Database))),
            };
            if seen.database.is_some() {
                tracing::warn!(code = error.code(), "the database could not be written");
            }
        }
    }
    seen.disk = turn.disk.look(store).await;
    seen.is_key_file_wrong = Key::read_own(store).await.is_err();
    turn.last = Some(Instant::now());
    vitals.seen.send_if_modified(|before| {
        let is_changed = *before != seen;
        *before = seen;
        is_changed
    });
}

/// Looks every few seconds until the process is asked to stop, then says that this server is gone.
pub async fn watch(store: &Store) {
    loop {
        beat(store).await;
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = store.vitals.wake.notified() => tokio::time::sleep(FRESH).await,
            () = store.stopped() => break,
        }
    }
    let row = &store.vitals.turn.lock().await.row;
    if let Err(error) = row::remove(store, row).await {
        tracing::warn!(code = error.code(), "that this server ends could not be noted");
    }
}
