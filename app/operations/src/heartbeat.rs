//! The heartbeat: every few seconds this process checks database, disks and clock.
//!
//! [`beat`] updates this server's row over a separate connection. The row has no [`db::entity`], since only this
//! module reads it. [`trail::vitals`] keeps the result.

mod disk;
mod row;

use db::{Fault, RecordsError, Storage};
use row::Row;
use safeguards::suppression;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use trail::Store;

/// Duration of blocking by other writers after which it counts as a fault. Requests wait as long.
const MAX_BUSY: Duration = Duration::from_secs(10);
/// Maximum duration of a check.
const PROBE_TIMEOUT: Duration = Duration::from_secs(4);
/// A check isn't repeated within this time.
const FRESH: Duration = Duration::from_millis(500);
/// Interval between checks.
const INTERVAL: Duration = Duration::from_secs(3);
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

/// Checks the database, the disks and the clock, unless that has just been done.
pub async fn beat(store: &Store) {
    let vitals = &store.vitals;
    let turn = store.process_state::<Mutex<Turn>>();
    let mut turn = turn.lock().await;
    if turn.last.is_some_and(|last| last.elapsed() < FRESH) {
        return;
    }
    let found = tokio::time::timeout(PROBE_TIMEOUT, row::beat(store, &mut turn.row)).await;
    let found = found.unwrap_or(Err(RecordsError::Fault(Fault::Unreachable)));
    let mut seen = vitals.last_check();
    match found {
        Ok(skew) => {
            (turn.busy_since, turn.failures) = (None, 0);
            (seen.database, seen.skew) = (None, skew);
        }
        Err(error) => {
            seen.database = match error.fault() {
                Some(Fault::Busy) if vitals.has_long_write() => {
                    turn.busy_since = None;
                    None
                }
                Some(Fault::Busy) => {
                    let since = *turn.busy_since.get_or_insert_with(Instant::now);
                    (since.elapsed() > MAX_BUSY).then_some(Fault::Busy)
                }
                // A single check can be late because the computer is slow. The second one counts and follows at
                // once.
                Some(Fault::Unreachable) if turn.failures == 0 => {
                    turn.failures = 1;
                    vitals.check_soon();
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
    seen.is_key_file_wrong = store.key.read().await.is_err();
    turn.last = Some(Instant::now());
    let is_up = seen.database.is_none() && turn.failures == 0;
    vitals.set(seen);
    // The result of the check above must not wait for a database that does not answer.
    if is_up && let Ok(status) = suppression::key::status(store).await {
        seen.is_suppression_key_wrong = !status.is_usable();
        vitals.set(seen);
    }
}

/// Checks every few seconds until the process shuts down, then removes this server's row.
pub async fn watch(store: &Store) {
    loop {
        beat(store).await;
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = store.vitals.check_asked() => tokio::time::sleep(FRESH).await,
            () = store.stopped() => break,
        }
    }
    let turn = store.process_state::<Mutex<Turn>>();
    let row = &turn.lock().await.row;
    if let Err(error) = row::remove(store, row).await {
        tracing::warn!(code = error.code(), "the row of this server could not be removed");
    }
}
