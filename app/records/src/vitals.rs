//! The health of this process: whether the database is writable, the disks have space and the clock is right.
//!
//! [`beat`] checks this every few seconds. It updates this server's row over a separate connection. (The row has
//! no [`crate::entity`], since only this module reads it.) A failed write of a request is recorded at once
//! ([`Vitals::note`]) and counts for half a minute. All faults clear without intervention once their cause is
//! gone.

mod clock;
mod disk;
mod row;

pub use clock::Skew;
pub(crate) use row::Row;

use crate::error::{Fault, RecordsError, Storage};
use crate::key::Key;
use crate::store::Store;
use std::collections::HashMap;
use std::sync::{Mutex as StdMutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, Notify, watch};

/// Interval between checks.
const INTERVAL: Duration = Duration::from_secs(3);
/// A check isn't repeated within this time.
const FRESH: Duration = Duration::from_millis(500);
/// Maximum duration of a check.
const PROBE_TIMEOUT: Duration = Duration::from_secs(4);
/// How long a fault counts after a failed write.
const NOTED_FOR: Duration = Duration::from_secs(30);
/// How long other writers may block before that is a fault. Requests wait as long.
const MAX_BUSY: Duration = Duration::from_secs(10);

/// What this process knows about its own state.
#[derive(Debug)]
pub struct Vitals {
    seen: watch::Sender<Seen>,
    noted: StdMutex<HashMap<Fault, Instant>>,
    /// Held by the check in progress.
    turn: Mutex<Turn>,
    wake: Notify,
}

/// The result of the last check.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Seen {
    database: Option<Fault>,
    disk: Option<Fault>,
    skew: Skew,
    is_key_file_wrong: bool,
}

/// State kept from one check to the next.
#[derive(Debug, Default)]
struct Turn {
    last: Option<Instant>,
    busy_since: Option<Instant>,
    /// Number of consecutive checks without a response from the database.
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
    /// Records a failed write, so that the health status includes it before the next check.
    pub fn note(&self, fault: Fault) {
        // Contention with other writers isn't a fault of the database.
        if fault == Fault::Busy {
            return;
        }
        if fault != Fault::Unreachable {
            self.noted().insert(fault, Instant::now());
        }
        self.wake.notify_one();
    }

    /// Clears the faults of this storage after a successful write.
    pub(crate) fn written(&self, place: Storage) {
        self.noted().retain(|fault, _| fault.place() != Some(place));
    }

    fn noted(&self) -> std::sync::MutexGuard<'_, HashMap<Fault, Instant>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the current faults, from the last check and from requests since.
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

    /// Returns whether the database didn't respond to the last check.
    pub fn is_database_down(&self) -> bool {
        self.seen.borrow().database == Some(Fault::Unreachable)
    }

    /// Waits until the database doesn't respond.
    pub async fn database_goes_down(&self) {
        // The store owns the sender, so the channel is open.
        let _ = self.seen.subscribe().wait_for(|seen| seen.database == Some(Fault::Unreachable)).await;
    }

    /// Returns whether the key file is missing, unreadable or different.
    ///
    /// This process continues with the key that it read at startup; the next start will fail.
    pub fn is_key_file_wrong(&self) -> bool {
        self.seen.borrow().is_key_file_wrong
    }

    /// Returns how far this computer's clock differs from the reference clocks.
    pub fn skew(&self) -> Skew {
        self.seen.borrow().skew
    }
}

/// Checks the database, the disks and the clock, unless that has just been done.
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
                // A single check can be late because the computer is slow. The second one counts and follows at
                // once.
                Some(Fault::Unreachable) if turn.failures == 0 => {
                    turn.failures = 1;
                    vitals.wake.notify_one();
                    seen.database
                }
                // A statement that failed for any other reason will also fail later.
                fault => Some(fault.unwrap_or(Fault::Unwritable(Storage::Database))),
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

/// Checks every few seconds until the process shuts down, then removes this server's row.
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
        tracing::warn!(code = error.code(), "the row of this server could not be removed");
    }
}
