//! What somebody typed to find a user: it has to stand in addresses, so that the page can be gone back to, and nobody
//! who reads addresses (a browser's history, a proxy's log) is to read it. So it stands there sealed, and opens for
//! the same member of staff only.

use super::Session;
use crate::error::RecordsError;
use crate::sealed::Sealer;
use crate::store::Store;

/// What the sealing key is derived for.
const LABEL: &[u8] = b"lethe what was looked for 1";

/// The sealer of what was looked for. Its key is read once in the life of a process.
pub(super) async fn sealer(store: &Store) -> Result<Sealer, RecordsError> {
    store.sealer_of_searches.get_or_try_init(async || Sealer::of(store, LABEL).await).await.cloned()
}

impl Session {
    /// A text as it may stand in an address.
    pub fn seal(&self, text: &str) -> Result<String, RecordsError> {
        self.sealer.seal(self.user.0, text.as_bytes())
    }

    /// The text that was sealed for whoever is signed in; None if it was not.
    pub fn open(&self, sealed: &str) -> Option<String> {
        let opened = self.sealer.open(self.user.0, sealed).ok()?;
        String::from_utf8(opened.to_vec()).ok()
    }
}
