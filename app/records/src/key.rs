//! The key of the installation, which signs certificates and chains the audit: Ed25519, in a file of its own and never
//! in the database.

use crate::error::RecordsError;
use crate::store::Store;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use ed25519_dalek::{SECRET_KEY_LENGTH, Signature, Signer, SigningKey, VerifyingKey};
use hkdf::Hkdf;
use rand::Rng;
use sha2::Sha256;
use std::io::{self, Write};
use std::path::Path;
use tempfile::NamedTempFile;
use thiserror::Error;
use zeroize::Zeroizing;

/// The key of the installation.
pub(crate) struct Key(SigningKey);

/// Why there is no key.
#[derive(Debug, Error)]
enum KeyError {
    #[error("{}", .0.kind())]
    Io(#[from] io::Error),
    #[error("it is no Ed25519 key in PKCS#8 form")]
    Unreadable,
}

/// Makes the key where there is none yet, and says what is wrong when it cannot be used.
pub async fn prepare(store: &Store) -> Result<(), RecordsError> {
    Key::load(store).await.map(|_| ())
}

impl Key {
    /// Reads the key. It is made, for the owner of the process alone, when it is first used.
    pub(crate) async fn load(store: &Store) -> Result<Self, RecordsError> {
        let path = store.settings.key.clone();
        let loaded = tokio::task::spawn_blocking(move || load(&path)).await;
        loaded.unwrap_or_else(|_| Err(io::Error::other("broken off").into())).map(Self).map_err(|error| {
            RecordsError::Refused(format!(
                "The file of the key that signs certificates cannot be used ({error}). Put it back from its own \
                 copy, or correct LETHE_KEY. If it is lost for good, move the file away: a new key is made, \
                 older certificates then count as signed with another key, and older events of the audit as changed"
            ))
        })
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

fn load(path: &Path) -> Result<SigningKey, KeyError> {
    if !path.try_exists()? {
        make(path)?;
    }
    let text = std::fs::read_to_string(path)?;
    SigningKey::from_pkcs8_pem(&text).map_err(|_| KeyError::Unreadable)
}

/// Makes a key. When another process is quicker, its key stays.
fn make(path: &Path) -> Result<(), KeyError> {
    let mut secret_key = [0; SECRET_KEY_LENGTH];
    rand::rng().fill_bytes(&mut secret_key);
    // Without the public half every OpenSSL reads it.
    let pair = KeypairBytes { secret_key, public_key: None };
    let text = pair.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyError::Unreadable)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    // A new file of this kind is readable for its owner alone.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys/lethe.key");
        let key = Key(load(&path).expect("a key"));
        assert_eq!(Key(load(&path).expect("a key")).public(), key.public());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::write(&path, "no key").expect("written");
        assert!(matches!(load(&path), Err(KeyError::Unreadable)), "a file that is no key is not overwritten");
    }

    #[test]
    fn only_what_was_signed_with_the_key_counts() {
        let folder = tempfile::tempdir().expect("a folder");
        let [key, other] = ["a", "b"].map(|name| Key(load(&folder.path().join(name)).expect("a key")));
        let signature = key.sign("50 done");
        assert!(is_signed("50 done", &signature, &key.public()));
        assert!(!is_signed("51 done", &signature, &key.public()));
        assert!(!is_signed("50 done", &signature, &other.public()));
        for broken in ["", "00", &signature[2..], &signature.to_uppercase()] {
            assert!(!is_signed("50 done", broken, &key.public()), "{broken}");
            assert!(!is_signed("50 done", &signature, broken), "{broken}");
        }
    }
}
