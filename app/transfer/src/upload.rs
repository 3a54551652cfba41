//! The private copies of uploaded files. They are kept outside the database, readable by the server only, until the
//! import is over.

use super::problem::TransferError;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// A file that is being received. It is erased if it is dropped before [`Upload::finish`].
#[derive(Debug)]
pub struct Upload {
    name: String,
    path: PathBuf,
    file: File,
    bytes: u64,
    is_kept: bool,
}

/// A received file.
#[derive(Clone, Debug)]
pub struct Uploaded {
    /// The random name of the private copy.
    pub name: String,
    /// The size in bytes.
    pub bytes: u64,
}

impl Upload {
    /// Creates an empty file in this folder, readable and writable by the server's account only.
    pub fn create(uploads: &Path) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(uploads)?;
        let name = Uuid::new_v4().simple().to_string();
        let path = uploads.join(&name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        Ok(Self { name, path, file, bytes: 0, is_kept: false })
    }

    /// Appends a part of the file.
    pub fn write(&mut self, part: &[u8]) -> io::Result<()> {
        self.file.write_all(part)?;
        self.bytes += part.len() as u64;
        Ok(())
    }

    /// Returns the size so far, in bytes.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Completes the file and keeps it.
    pub fn finish(mut self) -> io::Result<Uploaded> {
        self.file.sync_all()?;
        self.is_kept = true;
        Ok(Uploaded { name: self.name.clone(), bytes: self.bytes })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.is_kept {
            // The daily maintenance erases uploads that no import names.
            let _ = erase(&self.path);
        }
    }
}

/// Returns the path of an upload. Rejects a name that [`Upload`] did not create.
pub(super) fn path_of(uploads: &Path, name: &str) -> Result<PathBuf, TransferError> {
    let is_ours = name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_ours { Ok(uploads.join(name)) } else { Err(io::Error::from(io::ErrorKind::InvalidInput).into()) }
}

/// Overwrites an upload with zeros and deletes it. A missing upload is no error.
pub(super) fn erase(path: &Path) -> io::Result<()> {
    static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];
    let mut file = match OpenOptions::new().write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    let mut left = file.metadata()?.len();
    while left > 0 {
        let part = usize::try_from(left).unwrap_or(usize::MAX).min(ZEROS.len());
        file.write_all(&ZEROS[..part])?;
        left -= part as u64;
    }
    file.sync_all()?;
    fs::remove_file(path)
}

/// Returns the names of all uploads.
pub(super) fn names(uploads: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(uploads) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.filter(|name| path_of(uploads, name).is_ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_is_private_and_is_erased_unless_it_is_complete() {
        let folder = tempfile::tempdir().expect("a folder");
        let uploads = folder.path().join("uploads");
        let mut broken_off = Upload::create(&uploads).expect("created");
        broken_off.write(b"last_name\nAlder\n").expect("written");
        assert_eq!(names(&uploads).expect("listed").len(), 1);
        drop(broken_off);
        assert!(names(&uploads).expect("listed").is_empty());

        let mut upload = Upload::create(&uploads).expect("created");
        upload.write(b"last_").expect("written");
        upload.write(b"name\n").expect("written");
        let uploaded = upload.finish().expect("complete");
        assert_eq!(uploaded.bytes, 10);
        let path = path_of(&uploads, &uploaded.name).expect("its name");
        assert_eq!(fs::read(&path).expect("read"), b"last_name\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).expect("its mode").permissions().mode() & 0o777;
            assert_eq!([mode(&path), mode(&uploads)], [0o600, 0o700]);
        }
        erase(&path).expect("erased");
        assert!(names(&uploads).expect("listed").is_empty());
        erase(&path).expect("erasing again is no error");
    }

    #[test]
    fn only_names_of_uploads_have_a_path() {
        for name in ["", "../lethe.key", "a/b", "0123456789abcdef0123456789abcde", "..", "zz"] {
            assert!(path_of(Path::new("/data"), name).is_err(), "{name:?}");
        }
    }
}
