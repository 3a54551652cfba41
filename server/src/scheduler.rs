//! The scheduler of this process: every few seconds it queues due tasks and makes sure that queued runs are executed.

use chrono::NaiveDate;
use identity::{session, staff};
use operations::heartbeat;
use rand::RngExt as _;
use safeguards::approval;
use safeguards::suppression::list;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use task_centre::{run, schedule};
use tokio::task::JoinHandle;
use trail::audit::Due;
use trail::{Store, audit};
use transfer::import_history;

/// The pause between two ticks, in milliseconds. It is random, so that several processes do not tick together.
const TICK_INTERVAL_MS: std::ops::Range<u64> = 4_000..6_000;

/// Interval between deletions of ended sessions and expired links.
const PURGE_INTERVAL: Duration = Duration::from_mins(30);

/// The time of the last tick, by the clock of the computer.
#[derive(Clone, Debug)]
pub(crate) struct Heartbeat(Arc<AtomicI64>);

impl Default for Heartbeat {
    /// Counts from now until the first tick.
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(chrono::Utc::now().timestamp())))
    }
}

impl Heartbeat {
    fn beat(&self) {
        self.0.store(chrono::Utc::now().timestamp(), Ordering::Relaxed);
    }

    /// Returns the seconds since the last tick.
    pub(crate) fn age(&self) -> i64 {
        (chrono::Utc::now().timestamp() - self.0.load(Ordering::Relaxed)).max(0)
    }

    /// Creates a heartbeat of this age.
    #[cfg(test)]
    pub(crate) fn with_age(seconds: i64) -> Self {
        Self(Arc::new(AtomicI64::new(chrono::Utc::now().timestamp() - seconds)))
    }
}

/// Ticks until the process stops. An error is logged by its code only, and the next tick tries again.
pub(crate) async fn run_until_stopped(store: Store, heartbeat: Heartbeat) {
    // No task starts before the clock is known to agree with the database.
    heartbeat::beat(&store).await;
    while !store.vitals.skew().lets_schedule() {
        heartbeat.beat();
        if pause(&store).await.is_stopping() {
            return;
        }
    }
    while let Err(error) = schedule::recalculate(&store).await {
        tracing::error!(code = error.code(), "the schedule of the tasks could not be calculated");
        if pause(&store).await.is_stopping() {
            return;
        }
    }
    give_up_on_lost_scans(&store).await;
    end_interrupted_imports(&store).await;
    let (mut worker, mut messenger) = (Worker::default(), Messenger::default());
    let mut purge = Purge::default();
    let (mut anchored, mut purged) = (None, None);
    loop {
        match schedule::tick(&store).await {
            Ok(started) => {
                heartbeat.beat();
                for run in started {
                    tracing::info!(run = run.0, "a scheduled task was started");
                }
            }
            Err(error) => {
                if let Some(fault) = error.fault() {
                    store.vitals.report(fault);
                }
                tracing::error!(code = error.code(), "the scheduler could not check for due tasks");
            }
        }
        if let Err(error) = approval::observe_regularly(&store).await {
            tracing::warn!(code = error.code(), "the state of four eyes could not be stored");
        }
        anchored = anchor_audit(&store, anchored).await;
        purged = purge_suppressed_keys(&store, purged).await;
        write_repeats(&store, Due::Over).await;
        purge.run_if_due(&store).await;
        delete_expired_credentials(&store).await;
        // With a wrong clock, a run of another server would look abandoned.
        if store.vitals.skew().lets_schedule() {
            worker.ensure_running(&store);
            messenger.ensure_running(&store);
        }
        if pause(&store).await.is_stopping() {
            break;
        }
    }
    messenger.join().await;
    worker.join().await;
    write_repeats(&store, Due::All).await;
}

/// Records the residue searches of single users that ended with their process.
async fn give_up_on_lost_scans(store: &Store) {
    if let Err(error) = run::give_up_on_lost_scans(store).await {
        tracing::warn!(code = error.code(), "lost residue searches could not be recorded");
    }
}

/// Records the imports that ended with their process.
async fn end_interrupted_imports(store: &Store) {
    if let Err(error) = import_history::end_interrupted(store).await {
        tracing::warn!(code = error.code(), "interrupted imports could not be recorded");
    }
}

/// Deletes the credentials of disabled staff once disabling can no longer be undone.
async fn delete_expired_credentials(store: &Store) {
    match staff::delete_expired(store).await {
        Ok(0) => {}
        Ok(credentials) => tracing::info!(credentials, "credentials of disabled staff were deleted"),
        Err(error) => {
            tracing::error!(code = error.code(), "credentials of disabled staff could not be deleted");
        }
    }
}

/// Anchors the end of the audit once a day. Returns the day of the last anchor.
async fn anchor_audit(store: &Store, last: Option<NaiveDate>) -> Option<NaiveDate> {
    let today = store.clock.today();
    if last == Some(today) {
        return last;
    }
    match audit::anchor_daily(store).await {
        Ok(()) => Some(today),
        Err(error) => {
            tracing::error!(code = error.code(), "the end of the audit could not be anchored");
            last
        }
    }
}

/// Deletes the suppressed keys whose time is over, once a day. Returns the day of the last deletion.
async fn purge_suppressed_keys(store: &Store, last: Option<NaiveDate>) -> Option<NaiveDate> {
    let today = store.clock.today();
    if last == Some(today) {
        return last;
    }
    match list::purge(store).await {
        Ok(keys) => {
            if keys > 0 {
                tracing::info!(keys, "expired keys of the suppression list were deleted");
            }
            Some(today)
        }
        Err(error) => {
            tracing::error!(code = error.code(), "expired keys of the suppression list could not be deleted");
            last
        }
    }
}

/// Records the numbers of repeated events.
async fn write_repeats(store: &Store, due: Due) {
    if let Err(error) = audit::write_repeats(store, due).await {
        tracing::error!(code = error.code(), "repeated events could not be recorded");
    }
}

/// Deletes ended sessions and expired links at intervals.
#[derive(Default)]
struct Purge(Option<Instant>);

impl Purge {
    async fn run_if_due(&mut self, store: &Store) {
        if self.0.is_some_and(|last| last.elapsed() < PURGE_INTERVAL) {
            return;
        }
        self.0 = Some(Instant::now());
        match session::purge(store).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "ended sessions and links were deleted"),
            Err(error) => tracing::error!(code = error.code(), "ended sessions could not be deleted"),
        }
        match import_history::erase_old_uploads(store).await {
            Ok(0) => {}
            Ok(uploads) => tracing::info!(uploads, "old uploads were deleted"),
            Err(error) => tracing::error!(%error, "old uploads could not be deleted"),
        }
    }
}

/// The event that ended a pause.
enum WakeReason {
    NextTick,
    Stopping,
}

impl WakeReason {
    const fn is_stopping(&self) -> bool {
        matches!(self, Self::Stopping)
    }
}

async fn pause(store: &Store) -> WakeReason {
    let interval = Duration::from_millis(rand::rng().random_range(TICK_INTERVAL_MS));
    tokio::select! {
        () = tokio::time::sleep(interval) => WakeReason::NextTick,
        () = store.stopped() => WakeReason::Stopping,
    }
}

/// Executes queued runs in a separate task, one at a time. A run may take hours, and the scheduler must go on ticking.
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

    /// Waits until the run stops before its next batch.
    async fn join(self) {
        if let Some(worker) = self.0 {
            let _ = worker.await;
        }
    }
}

/// Delivers notifications in a separate task, because a mail server may take long to answer.
#[derive(Default)]
struct Messenger(Option<JoinHandle<()>>);

impl Messenger {
    fn ensure_running(&mut self, store: &Store) {
        if self.0.as_ref().is_none_or(JoinHandle::is_finished) {
            let store = store.clone();
            self.0 = Some(tokio::spawn(async move {
                if let Err(error) = notify::work(&store).await {
                    tracing::error!(code = error.code(), "notifications could not be delivered");
                }
            }));
        }
    }

    /// Waits until the delivery in progress has ended.
    async fn join(self) {
        if let Some(messenger) = self.0 {
            let _ = messenger.await;
        }
    }
}
