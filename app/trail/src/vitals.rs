//! The health of this process: whether the database is writable, the disks have space and the clock is right.
//!
//! The heartbeat checks this every few seconds. A failed write of a request is recorded at once
//! ([`Vitals::report`]) and counts for half a minute. All faults clear without intervention once their cause is
//! gone.

mod clock;

pub use clock::{Skew, outside};

use db::{Fault, Storage};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex as StdMutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// Duration for which a fault counts after a failed write.
const FAULT_LIFETIME: Duration = Duration::from_secs(30);

/// The health of this process.
#[derive(Debug)]
pub struct Vitals {
    seen: watch::Sender<Seen>,
    noted: StdMutex<HashMap<Fault, Instant>>,
    wake: Notify,
    /// Number of long writes under way.
    long_writes: AtomicUsize,
}

/// A write that can take minutes, such as an import. It ends when this is dropped.
#[derive(Debug)]
#[must_use]
pub struct LongWrite<'a>(&'a AtomicUsize);

impl Drop for LongWrite<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The result of the last check.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    /// The fault of the database.
    pub database: Option<Fault>,
    /// The fault of the disks.
    pub disk: Option<Fault>,
    /// The differences between clocks.
    pub skew: Skew,
    /// Whether the key file is missing, unreadable or different.
    pub is_key_file_wrong: bool,
    /// Whether the key of the suppression list is missing, unreadable or different while the list has rows.
    pub is_suppression_key_wrong: bool,
}

impl Default for Vitals {
    fn default() -> Self {
        Self {
            seen: watch::Sender::new(Seen::default()),
            noted: StdMutex::default(),
            wake: Notify::new(),
            long_writes: AtomicUsize::new(0),
        }
    }
}

impl Vitals {
    /// Records a failed write, so that the health status includes it before the next check.
    pub fn report(&self, fault: Fault) {
        // Contention with other writers isn't a fault of the database.
        if fault == Fault::Busy {
            return;
        }
        if fault != Fault::Unreachable {
            self.noted().insert(fault, Instant::now());
        }
        self.check_soon();
    }

    /// Begins a long write. While it is under way, a busy database is no fault: on SQLite, other writes wait for it.
    pub fn begin_long_write(&self) -> LongWrite<'_> {
        self.long_writes.fetch_add(1, Ordering::Relaxed);
        LongWrite(&self.long_writes)
    }

    /// Returns whether a long write of this process is under way.
    pub fn has_long_write(&self) -> bool {
        self.long_writes.load(Ordering::Relaxed) > 0
    }

    /// Clears the faults of this storage after a successful write.
    pub fn written(&self, storage: Storage) {
        self.noted().retain(|fault, _| fault.storage() != Some(storage));
    }

    fn noted(&self) -> std::sync::MutexGuard<'_, HashMap<Fault, Instant>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the result of the last check.
    pub fn last_check(&self) -> Seen {
        *self.seen.borrow()
    }

    /// Stores the result of a check.
    pub fn set(&self, seen: Seen) {
        self.seen.send_if_modified(|before| {
            let is_changed = *before != seen;
            *before = seen;
            is_changed
        });
    }

    /// Asks for a check before the interval ends.
    pub fn check_soon(&self) {
        self.wake.notify_one();
    }

    /// Waits until a check is asked for.
    pub async fn check_asked(&self) {
        self.wake.notified().await;
    }

    /// Returns the current faults, from the last check and from requests since.
    pub fn faults(&self) -> Vec<Fault> {
        let seen = *self.seen.borrow();
        let mut faults: Vec<Fault> = seen.database.into_iter().chain(seen.disk).collect();
        let mut noted = self.noted();
        noted.retain(|_, at| at.elapsed() < FAULT_LIFETIME);
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

    /// Returns whether the key of the suppression list is missing, unreadable or different while the list has rows.
    pub fn is_suppression_key_wrong(&self) -> bool {
        self.seen.borrow().is_suppression_key_wrong
    }

    /// Returns how far this computer's clock differs from the reference clocks.
    pub fn skew(&self) -> Skew {
        self.seen.borrow().skew
    }
}
