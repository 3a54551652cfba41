//! The key file: Ed25519 in PKCS#8 form, which OpenSSL reads too.

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use ed25519_dalek::{SECRET_KEY_LENGTH, SigningKey};
use rand::Rng;
use std::io::{self, Write};
use std::path::Path;
use tempfile::NamedTempFile;
use thiserror::Error;
use zeroize::Zeroizing;

/// The reason why a key file cannot be used.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The content is not a key.
    #[error("it is not an Ed25519 key in PKCS#8 form")]
    Unreadable,
}

impl KeyFileError {
    /// Returns whether the file does not exist.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

/// Reads the key.
pub(crate) fn read(path: &Path) -> Result<SigningKey, KeyFileError> {
    let bytes = Zeroizing::new(std::fs::read(path)?);
    let text = str::from_utf8(&bytes).map_err(|_| KeyFileError::Unreadable)?;
    SigningKey::from_pkcs8_pem(text).map_err(|_| KeyFileError::Unreadable)
}

/// Creates a key file, readable by its owner only. Keeps a file that another process creates in the meantime.
pub fn make(path: &Path) -> Result<(), KeyFileError> {
    let mut secret_key = [0; SECRET_KEY_LENGTH];
    rand::rng().fill_bytes(&mut secret_key);
    // Without the public key every OpenSSL version reads it.
    let pair = KeypairBytes { secret_key, public_key: None };
    let text = pair.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyFileError::Unreadable)?;
    let folder = folder_of(path);
    std::fs::create_dir_all(folder)?;
    // Temporary files are readable by their owner only.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => return Err(error.error.into()),
        _ => {}
    }
    // Makes the name of the file durable.
    std::fs::File::open(folder)?.sync_all()?;
    Ok(())
}

/// Renames the current file to a name that does not exist yet.
pub fn keep_beside(path: &Path, kept: &Path) -> io::Result<()> {
    std::fs::hard_link(path, kept)?;
    std::fs::remove_file(path)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys/lethe.key");
        assert!(read(&path).expect_err("no file").is_missing());
        make(&path).expect("made");
        let key = read(&path).expect("a key");
        make(&path).expect("there already");
        assert_eq!(read(&path).expect("a key").to_bytes(), key.to_bytes());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        for broken in ["no key", "", "\u{fffd}"] {
            std::fs::write(&path, broken).expect("written");
            make(&path).expect("there already");
            assert!(matches!(read(&path), Err(KeyFileError::Unreadable)), "a file that is no key stays");
        }
    }
}
