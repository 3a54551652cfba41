//! Waiting for faults to pass: another writer, a full disk, a database that does not answer. They are no reason to fail a
//! run or one of its users.

use crate::dialect;
use crate::error::RecordsError;
use crate::store::Store;
use std::time::Duration;

/// How long a run waits before it tries again.
const WAIT: Duration = Duration::from_secs(1);
/// How often it waits for the same thing: with the time that the database itself waits, more than an hour.
const MAX_WAITS: u32 = 600;

/// How often the same thing was waited for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Patience(u32);

impl Patience {
    /// Waits after a fault that passes. Gives the error back if it has lasted too long, or the process is to stop: the run
    /// is taken up again later.
    pub(super) async fn wait(&mut self, store: &Store, error: RecordsError) -> Result<(), RecordsError> {
        if let Some(fault) = error.fault() {
            store.vitals.note(fault);
        }
        self.0 += 1;
        if self.0 == 1 {
            tracing::warn!(code = error.code(), "a run waits until this is over");
        }
        if self.0 > MAX_WAITS || store.is_stopping() {
            return Err(error);
        }
        tokio::time::sleep(WAIT).await;
        Ok(())
    }
}

/// Does something again until no fault keeps it from being done.
pub(super) async fn patiently<T, Work>(store: &Store, work: impl Fn() -> Work) -> Result<T, RecordsError>
where
    Work: Future<Output = Result<T, RecordsError>>,
{
    let mut patience = Patience::default();
    loop {
        match work().await {
            Err(error) if dialect::is_passing(&error) => patience.wait(store, error).await?,
            done => return done,
        }
    }
}
