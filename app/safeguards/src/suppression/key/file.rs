//! The key file: 64 hexadecimal digits.

use rand::Rng as _;
use std::io::{self, Write as _};
use std::path::Path;
use tempfile::NamedTempFile;
use thiserror::Error;
use zeroize::Zeroizing;

/// The length of the key, in bytes.
pub(super) const KEY_BYTES: usize = 32;

/// The reason why a key file cannot be used.
#[derive(Debug, Error)]
pub(in crate::suppression) enum KeyFileError {
    /// The file cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The content is not a key.
    #[error("it does not contain 64 hexadecimal digits")]
    Unreadable,
}

impl KeyFileError {
    /// Returns whether the file does not exist.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

/// Reads the key.
pub(super) fn read(path: &Path) -> Result<Zeroizing<[u8; KEY_BYTES]>, KeyFileError> {
    let digits = Zeroizing::new(std::fs::read(path)?);
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    let decoded = base16ct::lower::decode(digits.trim_ascii(), &mut *key).map(<[u8]>::len);
    if decoded == Ok(KEY_BYTES) { Ok(key) } else { Err(KeyFileError::Unreadable) }
}

/// Creates a key file, readable by its owner only. Keeps an existing file.
pub(super) fn make(path: &Path) -> Result<(), KeyFileError> {
    if path.exists() {
        return Ok(());
    }
    match written(path)?.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => return Err(error.error.into()),
        _ => {}
    }
    sync_folder(path)
}

/// Overwrites the bytes of a key with zeros, then replaces the file by one with a new key.
///
/// Zeros overwrite the old bytes on most disks. A disk or file system that keeps earlier versions can still hold them,
/// as can a backup.
pub(in crate::suppression) fn overwrite(path: &Path) -> Result<(), KeyFileError> {
    let new = written(path)?;
    match std::fs::OpenOptions::new().write(true).open(path) {
        Ok(mut old) => {
            let length = usize::try_from(old.metadata()?.len()).unwrap_or(usize::MAX).min(1 << 16);
            old.write_all(&vec![b'0'; length])?;
            old.sync_all()?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    new.persist(path).map_err(|error| error.error)?;
    sync_folder(path)
}

/// Writes a random key to a temporary file, which only its owner can read.
fn written(path: &Path) -> Result<NamedTempFile, KeyFileError> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    rand::rng().fill_bytes(&mut *key);
    let digits = Zeroizing::new(base16ct::lower::encode_string(&*key));
    let folder = folder_of(path);
    std::fs::create_dir_all(folder)?;
    let mut file = NamedTempFile::new_in(folder)?;
    writeln!(file, "{}", *digits)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Makes the name of the file durable.
fn sync_folder(path: &Path) -> Result<(), KeyFileError> {
    Ok(std::fs::File::open(folder_of(path))?.sync_all()?)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_overwritten_on_request() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys/lethe.suppression");
        assert!(read(&path).expect_err("no file").is_missing());
        make(&path).expect("made");
        let key = read(&path).expect("a key");
        make(&path).expect("there already");
        assert_eq!(*read(&path).expect("a key"), *key);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        overwrite(&path).expect("overwritten");
        assert_ne!(*read(&path).expect("a key"), *key);
        for broken in ["no key", "", "00"] {
            std::fs::write(&path, broken).expect("written");
            make(&path).expect("there already");
            assert!(matches!(read(&path), Err(KeyFileError::Unreadable)), "{broken}");
        }
        overwrite(&path).expect("a damaged file is replaced");
        assert!(read(&path).is_ok());
    }

    #[test]
    fn the_old_bytes_are_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, second_name) = (folder.path().join("key"), folder.path().join("second name"));
        make(&path).expect("made");
        std::fs::hard_link(&path, &second_name).expect("a second name of the same bytes");
        overwrite(&path).expect("overwritten");
        let old = std::fs::read(&second_name).expect("the old file");
        assert!(old.iter().all(|byte| *byte == b'0'), "{old:?}");
    }
}
