//! Encrypts texts for URLs and stored forms: search terms, kept forms, undo and form outcomes.
//!
//! A URL contains such a text, so that the browser can return to it. Encryption keeps it
//! unreadable in browser history and proxy logs. Only the same member of staff can decrypt it.

use super::Session;
use db::RecordsError;
use tokio::sync::OnceCell;
use trail::secret_box::SecretBox;
use trail::{Store, Undo};

/// Prefix of the encrypted text of an undo. It distinguishes it from other texts encrypted for a member of staff.
const SEALED: &str = "undo ";
/// Label of the derived encryption key.
const LABEL: &[u8] = b"lethe url cipher 1";

/// The cipher, once it is derived.
#[derive(Debug, Default)]
struct UrlCipher(OnceCell<SecretBox>);

/// Returns the cipher. The key is read once in each process.
pub(super) async fn sealer(store: &Store) -> Result<SecretBox, RecordsError> {
    store
        .process_state::<UrlCipher>()
        .0
        .get_or_try_init(|| SecretBox::for_purpose(&store.key, LABEL))
        .await
        .cloned()
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

    /// Encrypts the undo of a change for a URL. Only this member of staff can decrypt it.
    pub fn seal_undo(&self, undo: &Undo) -> Result<String, RecordsError> {
        let text = serde_json::to_string(undo).map_err(|_| RecordsError::Corrupt("undo"))?;
        self.seal(&format!("{SEALED}{text}"))
    }

    /// Decrypts an undo that was encrypted for this member of staff, or returns `None`.
    pub fn open_undo(&self, sealed: &str) -> Option<Undo> {
        let opened = self.open(sealed)?;
        serde_json::from_str(opened.strip_prefix(SEALED)?).ok()
    }
}
