//! The scheduler of this process: every few seconds it starts what is due and takes up what waits.

use chrono::NaiveDate;
use rand::RngExt as _;
use records::audit::Due;
use records::{Store, audit, protection, residue, run, schedule, session, staff, vitals};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// How long the scheduler rests between two looks, in milliseconds. Not always as long, so that several processes do
/// not look at the same moments.
const REST: std::ops::Range<u64> = 4_000..6_000;

/// How often ended sessions and the like are deleted.
const PURGE_EVERY: Duration = Duration::from_mins(30);

/// When the scheduler last looked through, by the computer's clock.
#[derive(Clone, Debug)]
pub(crate) struct Heartbeat(Arc<AtomicI64>);

impl Default for Heartbeat {
    /// Counted from now, before the first look.
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(chrono::Utc::now().timestamp())))
    }
}

impl Heartbeat {
    fn beat(&self) {
        self.0.store(chrono::Utc::now().timestamp(), Ordering::Relaxed);
    }

    /// Seconds since the last look.
    pub(crate) fn age(&self) -> i64 {
        (chrono::Utc::now().timestamp() - self.0.load(Ordering::Relaxed)).max(0)
    }

    /// One that beat this many seconds ago.
    #[cfg(test)]
    pub(crate) fn old(seconds: i64) -> Self {
        Self(Arc::new(AtomicI64::new(chrono::Utc::now().timestamp() - seconds)))
    }
}

/// Looks until the process is told to stop. What goes wrong is logged, by its code only, and tried again.
pub(crate) async fn look(store: Store, pulse: Heartbeat) {
    // Until the clock is known to be right, nothing is done by it.
    vitals::beat(&store).await;
    while !store.vitals().skew().lets_schedule() {
        pulse.beat();
        if rest(&store).await.is_stopping() {
            return;
        }
    }
    while let Err(error) = schedule::recalculate(&store).await {
        tracing::error!(code = error.code(), "the schedule of the tasks could not be calculated");
        if rest(&store).await.is_stopping() {
            return;
        }
    }
    give_up_on_lost_scans(&store).await;
    let mut worker = Worker::default();
    let mut purge = Purge::default();
    let mut anchored = None;
    loop {
        match schedule::tick(&store).await {
            Ok(started) => {
                pulse.beat();
                for run in started {
                    tracing::info!(run = run.0, "a scheduled task was started");
                }
            }
            Err(error) => {
                if let Some(fault) = error.fault() {
                    store.vitals().note(fault);
                }
                tracing::error!(code = error.code(), "the scheduler could not check for due tasks");
            }
        }
        if let Err(error) = protection::observe_regularly(&store).await {
            tracing::warn!(code = error.code(), "the state of four eyes could not be stored");
        }
        anchored = anchor_audit(&store, anchored).await;
        write_repeats(&store, Due::Over).await;
        purge.ensure_running(&store).await;
        delete_expired_credentials(&store).await;
        // By a clock that is wrong, a run of another server looks abandoned.
        if store.vitals().skew().lets_schedule() {
            worker.ensure_running(&store);
        }
        if rest(&store).await.is_stopping() {
            break;
        }
    }
    worker.end().await;
    write_repeats(&store, Due::All).await;
}

/// The search for what single users have left goes with its process: those of processes that are gone are noted.
async fn give_up_on_lost_scans(store: &Store) {
    if let Err(error) = residue::give_up_on_lost_scans(store).await {
        tracing::warn!(code = error.code(), "lost residue searches could not be recorded");
    }
}

/// Credentials of staff whose sign-in was disabled go when that can no longer be undone.
async fn delete_expired_credentials(store: &Store) {
    match staff::delete_expired(store).await {
        Ok(0) => {}
        Ok(credentials) => tracing::info!(credentials, "credentials of disabled staff were deleted"),
        Err(error) => {
            tracing::error!(code = error.code(), "credentials of disabled staff could not be deleted");
        }
    }
}

/// Once a day, the end of the audit is written into its file. Gives the day on which that was done last.
async fn anchor_audit(store: &Store, done: Option<NaiveDate>) -> Option<NaiveDate> {
    let today = store.clock().today();
    if done == Some(today) {
        return done;
    }
    match audit::anchor_daily(store).await {
        Ok(()) => Some(today),
        Err(error) => {
            tracing::error!(code = error.code(), "the end of the audit could not be anchored");
            done
        }
    }
}

/// Writes how often repeated events have happened.
async fn write_repeats(store: &Store, due: Due) {
    if let Err(error) = audit::write_repeats(store, due).await {
        tracing::error!(code = error.code(), "repeated events could not be recorded");
    }
}

/// Deletes ended sessions and the like, once in a while.
#[derive(Default)]
struct Purge(Option<Instant>);

impl Purge {
    async fn ensure_running(&mut self, store: &Store) {
        if self.0.is_some_and(|last| last.elapsed() < PURGE_EVERY) {
            return;
        }
        self.0 = Some(Instant::now());
        match session::purge(store).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "ended sessions and links were deleted"),
            Err(error) => tracing::error!(code = error.code(), "ended sessions could not be deleted"),
        }
    }
}

/// What ended a rest.
enum Rest {
    Over,
    Stopping,
}

impl Rest {
    const fn is_stopping(&self) -> bool {
        matches!(self, Self::Stopping)
    }
}

async fn rest(store: &Store) -> Rest {
    let rest = Duration::from_millis(rand::rng().random_range(REST));
    tokio::select! {
        () = tokio::time::sleep(rest) => Rest::Over,
        () = store.stopped() => Rest::Stopping,
    }
}

/// Carries runs out beside the scheduler, which must go on looking: they may take hours. One at a time.
#[derive(Default)]
struct Worker(Option<JoinHandle<()>>);

impl Worker {
    fn ensure_running(&mut self, store: &Store) {
        if self.0.as_ref().is_none_or(JoinHandle::is_finished) {
            let store = store.clone();
            self.0 = Some(tokio::spawn(async move {
                if let Err(error) = run::work(&store).await {
                    tracing::error!(code = error.code(), "a run was interrupted");
                }
            }));
        }
    }

    /// Waits until the run stops before its next people, as the store tells it to.
    async fn end(self) {
        if let Some(worker) = self.0 {
            let _ = worker.await;
        }
    }
}
