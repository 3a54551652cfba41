//! The progress of an import, and the request to cancel it.

use super::problem::TransferError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Shows how far an import is, and stops it.
#[derive(Debug, Default)]
pub struct Watch {
    lines: AtomicU64,
    is_cancelled: AtomicBool,
}

impl Watch {
    /// Returns the number of lines read so far.
    pub fn lines(&self) -> u64 {
        self.lines.load(Ordering::Relaxed)
    }

    /// Asks the import to stop before its next lines.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Records the number of lines read. Fails if the import was cancelled.
    pub(super) fn advance(&self, lines: u64) -> Result<(), TransferError> {
        self.lines.store(lines, Ordering::Relaxed);
        if self.is_cancelled.load(Ordering::Relaxed) { Err(TransferError::Cancelled) } else { Ok(()) }
    }
}
