//! Waits for temporary faults: another writer, a full disk, an unavailable database. They don't fail a run or its
//! users.

use db::RecordsError;
use std::time::Duration;
use trail::Store;

/// Pause before a retry.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// Maximum number of retries. With the database's own timeouts, this is more than an hour.
const MAX_RETRIES: u32 = 600;

/// Number of retries so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Retries(u32);

impl Retries {
    /// Waits after a temporary fault.
    ///
    /// Returns the error if the fault has lasted too long or the process is shutting down. The run is taken up
    /// again later.
    pub(super) async fn wait(&mut self, store: &Store, error: RecordsError) -> Result<(), RecordsError> {
        if let Some(fault) = error.fault() {
            store.vitals.report(fault);
        }
        self.0 += 1;
        if self.0 == 1 {
            tracing::warn!(code = error.code(), "a run is waiting for a temporary fault to end");
        }
        if self.0 > MAX_RETRIES || store.is_stopping() {
            return Err(error);
        }
        tokio::time::sleep(RETRY_INTERVAL).await;
        Ok(())
    }
}

/// Retries `work` until no temporary fault prevents it.
pub(super) async fn retrying<T, Work>(store: &Store, work: impl Fn() -> Work) -> Result<T, RecordsError>
where
    Work: Future<Output = Result<T, RecordsError>>,
{
    let mut retries = Retries::default();
    loop {
        match work().await {
            Err(error) if error.is_temporary() => retries.wait(store, error).await?,
            done => return done,
        }
    }
}
