//! The number of previews that are created at the same time: each assesses many users.

use crate::error::AppError;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The maximum number of simultaneous previews.
static PREVIEWS: Semaphore = Semaphore::const_new(2);

/// Returns the right to create a preview. Rejects the request while others are being created, because they keep the
/// database busy.
pub(crate) fn take() -> Result<SemaphorePermit<'static>, AppError> {
    PREVIEWS.try_acquire().map_err(|_| AppError::TooMany)
}
