//! Checks whether a file or folder can be used by trying, because permission bits do not decide alone.

use super::owner;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

/// The size of the write that detects a full disk, in bytes: as much as SQLite needs next to its database file.
const PROBE_BYTES: usize = 64 << 10;

/// The use that Lethe makes of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum FileUse {
    Read,
    Append,
    ReadAndWrite,
}

impl FileUse {
    const fn label(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Append | Self::ReadAndWrite => "read and written",
        }
    }

    fn open(self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        match self {
            Self::Read => options.read(true),
            Self::Append => options.read(true).append(true),
            Self::ReadAndWrite => options.read(true).write(true),
        };
        options.open(path)
    }
}

/// Returns the problem with using a file, or with creating it if it is missing. `name` is the setting that names it.
pub(super) fn file(path: &Path, file_use: FileUse, name: &str) -> Option<String> {
    if path.is_dir() {
        return Some(format!("{} is a folder, not a file. Correct {name}", path.display()));
    }
    // Opening a pipe would wait for its other end.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Some(format!("{} is not a regular file. Correct {name}", path.display()));
    }
    match file_use.open(path) {
        Ok(_) => None,
        // A missing key file is created, or rejected, when the database is opened.
        Err(error) if error.kind() == ErrorKind::NotFound && file_use == FileUse::Read => None,
        Err(error) if error.kind() == ErrorKind::NotFound => folder(existing(folder_of(path)), name),
        Err(error) => Some(problem(path, file_use.label(), &error, name)),
    }
}

/// Returns the problem with creating and writing files in a folder.
pub(super) fn folder(path: &Path, name: &str) -> Option<String> {
    let probe = tempfile::Builder::new().prefix(".lethe-check").tempfile_in(path);
    let written = probe.and_then(|mut file| file.write_all(&vec![0; PROBE_BYTES]));
    written.err().map(|error| problem(path, "written to", &error, name))
}

/// Returns the folder of a file.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Returns the folder, or its nearest parent that exists.
fn existing(folder: &Path) -> &Path {
    folder.ancestors().find(|above| above.exists()).unwrap_or(Path::new("."))
}

/// Words a problem: the path, the cause and the remedy.
pub(super) fn problem(path: &Path, used: &str, error: &io::Error, name: &str) -> String {
    let remedy = match error.kind() {
        ErrorKind::PermissionDenied => owner::remedy(path),
        ErrorKind::ReadOnlyFilesystem => "Mount its file system read-write".to_owned(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "Make room on the disk".to_owned(),
        _ => format!("Correct {name}"),
    };
    format!("{} cannot be {used}: {}. {remedy}", path.display(), cause(error))
}

/// Returns the message of the operating system without the error number.
pub(super) fn cause(error: &io::Error) -> String {
    let message = match error.raw_os_error() {
        // `tempfile` adds the path to its errors, which the problem names already.
        Some(code) => io::Error::from_raw_os_error(code).to_string(),
        None => error.kind().to_string(),
    };
    message.split(" (os error").next().unwrap_or_default().to_lowercase()
}
