//! The key of the installation, which signs certificates and chains the audit: Ed25519, in a file of its own and never
//! in the database.

mod file;
mod known;
mod replace;

use crate::error::RecordsError;
use crate::store::Store;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use file::KeyFileError;
use hkdf::Hkdf;
pub use known::{KeyStanding, KeyUse};
pub(crate) use known::{establish, is_current, standing_of};
pub use replace::{CONFIRMATION, Replaced, replace};
use sha2::Sha256;
use std::fmt;
use std::io;
use std::path::Path;
use zeroize::Zeroizing;

/// What the fingerprint is derived for. It tells nothing of the key.
const FINGERPRINT: &[u8] = b"lethe key fingerprint 1";
/// How many bytes of the derived key the fingerprint has.
const FINGERPRINT_BYTES: usize = 16;

/// The key of the installation.
pub(crate) struct Key(SigningKey);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// Returns the key with which this store was opened. The process keeps it: sign-ins, certificates and the audit go on
    /// when the file disappears while the server runs, and health reports the file.
    pub(crate) async fn load(store: &Store) -> Result<&Self, RecordsError> {
        store.key.get_or_try_init(async || Self::read_own(store).await).await
    }

    /// Reads the key from its file. Refuses one that is not the key with which this store was opened.
    pub(crate) async fn read_own(store: &Store) -> Result<Self, RecordsError> {
        let path = &store.settings.key;
        let key = Self::read(path).await?;
        let found = key.fingerprint();
        if *store.key_fingerprint == *found {
            return Ok(key);
        }
        Err(known::foreign(path, &found, &store.key_fingerprint))
    }

    /// Reads the key from a file.
    async fn read(path: &Path) -> Result<Self, RecordsError> {
        let of = path.to_owned();
        let read = tokio::task::spawn_blocking(move || file::read(&of)).await;
        let read = read.unwrap_or_else(|_| Err(io::Error::other("broken off").into()));
        read.map(Self).map_err(|error| unusable(path, &error))
    }

    /// Names the key without telling anything of it, in hexadecimal digits.
    pub(crate) fn fingerprint(&self) -> String {
        base16ct::lower::encode_string(&self.derived(FINGERPRINT)[..FINGERPRINT_BYTES])
    }

    /// A key for something else, from this one; what it is for is part of it.
    pub(crate) fn derived(&self, label: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        // It fails for keys of more than 8,160 bytes only.
        let _ = Hkdf::<Sha256>::new(None, self.0.as_bytes()).expand(label, &mut *key);
        key
    }

    /// The public half, in hexadecimal digits.
    pub(crate) fn public(&self) -> String {
        base16ct::lower::encode_string(self.0.verifying_key().as_bytes())
    }

    /// The private half, for keys that are derived from it.
    pub(crate) fn secret(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Signs a text; the signature is in hexadecimal digits.
    pub(crate) fn sign(&self, text: &str) -> String {
        base16ct::lower::encode_string(&self.0.sign(text.as_bytes()).to_bytes())
    }
}

/// Whether a text was signed with the private half of a public key.
pub(crate) fn is_signed(text: &str, signature: &str, public_key: &str) -> bool {
    let key = bytes(public_key).and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
    let signature = bytes(signature).map(|bytes| Signature::from_bytes(&bytes));
    match (key, signature) {
        (Some(key), Some(signature)) => key.verify_strict(text.as_bytes(), &signature).is_ok(),
        _ => false,
    }
}

/// The bytes of a text of hexadecimal digits, if there are as many as there should be.
fn bytes<const COUNT: usize>(digits: &str) -> Option<[u8; COUNT]> {
    base16ct::lower::decode_vec(digits).ok()?.try_into().ok()
}

/// The key file cannot be used: which file, why, and what to do.
fn unusable(path: &Path, error: &KeyFileError) -> RecordsError {
    RecordsError::NotReady(format!(
        "The key file {} cannot be used: {error}. Put it back from its own copy and let the user that runs Lethe \
         read it, or correct LETHE_KEY",
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
