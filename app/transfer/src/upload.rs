//! The private copies of uploaded files. They are kept outside the database, readable by the server only, until the
//! import is over. An upload is a folder, because some exports have several files.

use db::RecordsError;
use import_file::ImportFile;
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use trail::Store;
use uuid::Uuid;

/// The name of the main file in the folder of an upload. The other files have the names of their tables.
const MAIN: &str = "main";

/// Why an upload can't be used.
pub(super) const GONE: &str = "The uploaded file is on another server, or it was deleted. Upload it again";

/// Files that are being received. They are erased if the upload is dropped before [`Upload::finish`].
#[derive(Debug)]
pub struct Upload {
    name: String,
    folder: PathBuf,
    in_use: InUse,
    file: Option<File>,
    bytes: u64,
    is_kept: bool,
}

/// Received files.
#[derive(Clone, Debug)]
pub struct Uploaded {
    /// The random name of the folder with the private copies.
    pub name: String,
    /// The size of all files in bytes.
    pub bytes: u64,
    _in_use: InUse,
}

/// Keeps the daily maintenance of all servers from erasing a folder that no import names. The operating system ends it
/// with the process.
#[derive(Clone, Debug)]
pub(super) struct InUse {
    _locked: Arc<File>,
}

impl InUse {
    fn begin(folder: &Path) -> io::Result<Self> {
        let folder = File::open(folder)?;
        folder.try_lock()?;
        Ok(Self { _locked: Arc::new(folder) })
    }
}

impl Upload {
    /// Creates an empty upload in this folder, readable and writable by the server's account only.
    pub fn create(uploads: &Path) -> io::Result<Self> {
        let (name, folder, in_use) = create_folder(uploads)?;
        Ok(Self { name, folder, in_use, file: None, bytes: 0, is_kept: false })
    }

    /// Begins the main file, or the file of an additional table. Fails if the upload has this file already.
    pub fn begin(&mut self, table: Option<&'static str>) -> io::Result<()> {
        self.end()?;
        self.file = Some(create_private(&self.folder.join(table.unwrap_or(MAIN)))?);
        Ok(())
    }

    /// Appends a part to the file begun last.
    pub fn write(&mut self, part: &[u8]) -> io::Result<()> {
        let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        file.write_all(part)?;
        self.bytes += part.len() as u64;
        Ok(())
    }

    /// Returns the size of all files so far, in bytes.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Completes the upload and keeps it.
    pub fn finish(mut self) -> io::Result<Uploaded> {
        self.end()?;
        self.is_kept = true;
        Ok(Uploaded { name: self.name.clone(), bytes: self.bytes, _in_use: self.in_use.clone() })
    }

    fn end(&mut self) -> io::Result<()> {
        self.file.take().map_or(Ok(()), |file| file.sync_all())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.is_kept {
            // The daily maintenance erases uploads that no import names.
            let _ = erase(&self.folder);
        }
    }
}

/// Creates a folder with a random name, readable and writable by the server's account only.
pub(super) fn create_folder(uploads: &Path) -> io::Result<(String, PathBuf, InUse)> {
    let name = Uuid::new_v4().simple().to_string();
    let folder = uploads.join(&name);
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder)?;
    let in_use = InUse::begin(&folder)?;
    Ok((name, folder, in_use))
}

/// Returns whether a process is filling or reading this folder.
pub(super) fn is_in_use(folder: &Path) -> bool {
    File::open(folder).is_ok_and(|folder| matches!(folder.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Creates a file that only the account of the server can read. Fails if it exists.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Returns the files of an upload, without the hidden notes about them (`upload_notes`).
pub(super) fn files(folder: &Path) -> io::Result<ImportFile> {
    let mut file = ImportFile { main: folder.join(MAIN), tables: BTreeMap::new() };
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Ok(name) = entry.file_name().into_string()
            && name != MAIN
            && !name.starts_with('.')
        {
            file.tables.insert(name, entry.path());
        }
    }
    Ok(file)
}

/// Returns the folder of an upload of this server.
pub(super) fn folder_of(store: &Store, name: &str) -> Result<PathBuf, RecordsError> {
    if is_name(name) { Ok(store.settings.uploads.join(name)) } else { Err(RecordsError::Corrupt("upload")) }
}

/// Returns whether [`Upload`] gives such names.
fn is_name(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Overwrites the files of an upload with zeros and deletes its folder. A missing folder is no error.
pub(super) fn erase(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        erase_file(&entry?.path())?;
    }
    fs::remove_dir(folder)
}

/// Overwrites a file with zeros and deletes it. A missing file is no error.
pub(super) fn erase_file(path: &Path) -> io::Result<()> {
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
    Ok(names.filter(|name| is_name(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_is_private_and_is_erased_unless_it_is_complete() {
        let folder = tempfile::tempdir().expect("a folder");
        let uploads = folder.path().join("uploads");
        let mut broken_off = Upload::create(&uploads).expect("created");
        broken_off.begin(None).expect("begun");
        broken_off.write(b"last_name\nAlder\n").expect("written");
        assert_eq!(names(&uploads).expect("listed").len(), 1);
        assert!(is_in_use(&broken_off.folder));
        drop(broken_off);
        assert!(names(&uploads).expect("listed").is_empty());

        let mut upload = Upload::create(&uploads).expect("created");
        upload.begin(None).expect("begun");
        upload.write(b"last_").expect("written");
        upload.write(b"name\n").expect("written");
        upload.begin(Some("card")).expect("a second file");
        upload.write(b"id\n").expect("written");
        assert!(upload.begin(Some("card")).is_err(), "a file is there twice");
        let uploaded = upload.finish().expect("complete");
        assert_eq!(uploaded.bytes, 13);
        assert!(is_name(&uploaded.name));
        let folder = uploads.join(&uploaded.name);
        assert!(is_in_use(&folder), "until its import is in the history");
        drop(uploaded);
        assert!(!is_in_use(&folder));
        let files = files(&folder).expect("its files");
        assert_eq!(fs::read(&files.main).expect("read"), b"last_name\n");
        assert_eq!(fs::read(&files.tables["card"]).expect("read"), b"id\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).expect("its mode").permissions().mode() & 0o777;
            assert_eq!([mode(&files.main), mode(&folder)], [0o600, 0o700]);
        }
        erase(&folder).expect("erased");
        assert!(names(&uploads).expect("listed").is_empty());
        erase(&folder).expect("erasing again is no error");
    }

    #[test]
    fn only_names_of_uploads_lead_to_a_folder() {
        for name in ["", "../lethe.key", "a/b", "0123456789abcdef0123456789abcde", "..", "zz"] {
            assert!(!is_name(name), "{name:?}");
        }
    }
}
