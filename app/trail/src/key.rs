//! The key of the installation, which signs certificates and chains the audit. It is an Ed25519 key in a file, and
//! is never stored in the database.

pub mod file;
mod known;

use db::RecordsError;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use file::KeyFileError;
use hkdf::Hkdf;
pub use known::{KeyStatus, KeyUse, establish, is_current, record, retire, status_of};
use sha2::Sha256;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

/// The label from which the fingerprint is derived. The fingerprint reveals nothing about the key.
const FINGERPRINT: &[u8] = b"lethe key fingerprint 1";
/// The length of the fingerprint, in bytes.
const FINGERPRINT_BYTES: usize = 16;

/// The key of the installation.
pub struct Key(SigningKey);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// Reads the key from a file.
    pub async fn read(path: &Path) -> Result<Self, RecordsError> {
        let of = path.to_owned();
        let read = tokio::task::spawn_blocking(move || file::read(&of)).await;
        let read = read.unwrap_or_else(|_| Err(io::Error::other("broken off").into()));
        read.map(Self).map_err(|error| unusable(path, &error))
    }

    /// Returns the fingerprint of the key in hexadecimal, which reveals nothing about the key.
    pub fn fingerprint(&self) -> String {
        base16ct::lower::encode_string(&self.derived(FINGERPRINT)[..FINGERPRINT_BYTES])
    }

    /// Derives a key for the purpose that `label` names.
    pub fn derived(&self, label: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        // Fails only for keys of more than 8,160 bytes.
        let _ = Hkdf::<Sha256>::new(None, self.0.as_bytes()).expand(label, &mut *key);
        key
    }

    /// Returns the public key, in hexadecimal.
    pub fn public(&self) -> String {
        base16ct::lower::encode_string(self.0.verifying_key().as_bytes())
    }

    /// Signs a text. Returns the signature in hexadecimal.
    pub fn sign(&self, text: &str) -> String {
        base16ct::lower::encode_string(&self.0.sign(text.as_bytes()).to_bytes())
    }
}

/// The key of an open database: its file, its fingerprint and, once it is read, the key itself.
#[derive(Clone, Debug)]
pub struct InstallationKey {
    path: PathBuf,
    fingerprint: Arc<str>,
    key: Arc<OnceCell<Key>>,
}

impl InstallationKey {
    /// Keeps a key that was read from this path.
    pub(crate) fn new(path: &Path, key: Key) -> Self {
        let fingerprint = key.fingerprint().into();
        Self { path: path.to_owned(), fingerprint, key: Arc::new(OnceCell::new_with(Some(key))) }
    }

    /// Returns the same key as a process would see it that has not read the file yet.
    pub(crate) fn unread(&self) -> Self {
        Self { key: Arc::default(), ..self.clone() }
    }

    /// Returns the same key, read from another path next time.
    pub(crate) fn at(&self, path: &Path) -> Self {
        Self { path: path.to_owned(), ..self.clone() }
    }

    /// The fingerprint of the key with which the database was opened.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Returns the key, kept in memory. If the file disappears while the server runs, the process continues and
    /// health reports the file.
    pub async fn load(&self) -> Result<&Key, RecordsError> {
        self.key.get_or_try_init(|| self.read()).await
    }

    /// Reads the key from its file. Rejects any other key than the one of this database.
    pub async fn read(&self) -> Result<Key, RecordsError> {
        let key = Key::read(&self.path).await?;
        let found = key.fingerprint();
        if *self.fingerprint == *found {
            return Ok(key);
        }
        Err(known::foreign(&self.path, &found, &self.fingerprint))
    }
}

/// Returns whether a text was signed with the private key of this public key.
pub fn is_signed(text: &str, signature: &str, public_key: &str) -> bool {
    let key = bytes(public_key).and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
    let signature = bytes(signature).map(|bytes| Signature::from_bytes(&bytes));
    match (key, signature) {
        (Some(key), Some(signature)) => key.verify_strict(text.as_bytes(), &signature).is_ok(),
        _ => false,
    }
}

/// Decodes hexadecimal digits. None unless they give exactly `COUNT` bytes.
fn bytes<const COUNT: usize>(digits: &str) -> Option<[u8; COUNT]> {
    base16ct::lower::decode_vec(digits).ok()?.try_into().ok()
}

/// Returns the error about an unusable key file, with cause and remedy.
pub fn unusable(path: &Path, error: &KeyFileError) -> RecordsError {
    RecordsError::NotReady(format!(
        "The key file {} cannot be used: {error}. Restore it from its own copy and allow the user that runs Lethe to \
         read it, or correct LETHE_KEY_FILE",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_signed_with_the_key_counts() {
        let folder = tempfile::tempdir().expect("a folder");
        let [key, other] = ["a", "b"].map(|name| {
            let path = folder.path().join(name);
            file::make(&path).expect("made");
            Key(file::read(&path).expect("a key"))
        });
        let signature = key.sign("50 done");
        assert!(is_signed("50 done", &signature, &key.public()));
        assert!(!is_signed("51 done", &signature, &key.public()));
        assert!(!is_signed("50 done", &signature, &other.public()));
        assert_ne!(key.fingerprint(), other.fingerprint());
        assert_eq!(key.fingerprint().len(), 2 * FINGERPRINT_BYTES);
        for broken in ["", "00", &signature[2..], &signature.to_uppercase()] {
            assert!(!is_signed("50 done", broken, &key.public()), "{broken}");
            assert!(!is_signed("50 done", &signature, broken), "{broken}");
        }
    }
}
