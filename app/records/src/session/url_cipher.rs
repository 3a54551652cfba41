//! Encrypts search terms for URLs.
//!
//! The URL of a result page contains the search, so that the browser can return to it. Encryption keeps it
//! unreadable in browser history and proxy logs. Only the same member of staff can decrypt it.

use super::Session;
use crate::error::RecordsError;
use crate::sealed::SecretBox;
use crate::store::Store;

/// Label of the derived encryption key.
const LABEL: &[u8] = b"lethe what was looked for 1";

/// Returns the cipher for search terms. The key is read once in each process.
pub(super) async fn sealer(store: &Store) -> Result<SecretBox, RecordsError> {
    store.sealer_of_searches.get_or_try_init(async || SecretBox::of(store, LABEL).await).await.cloned()
}

impl Session {
    /// Encrypts a text for a URL.
    pub fn seal(&self, text: &str) -> Result<String, RecordsError> {
        self.sealer.seal(self.user.0, text.as_bytes())
    }

    /// Decrypts a text that was encrypted for this user, or returns `None`.
    pub fn open(&self, sealed: &str) -> Option<String> {
        let opened = self.sealer.open(self.user.0, sealed).ok()?;
        String::from_utf8(opened.to_vec()).ok()
    }
}
