//! Whether a file or folder can be used: by trying, as the rights on paper do not tell all.

use super::owner;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

/// How much is written to see whether the disk is full, in bytes: as much as SQLite needs beside its file.
const PROBE_BYTES: usize = 64 << 10;

/// What is done with a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Need {
    Read,
    Append,
    ReadAndWrite,
}

impl Need {
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

/// What keeps a file from being used; where there is none yet, from being made. `name` is the setting that names it.
pub(super) fn file(path: &Path, need: Need, name: &str) -> Option<String> {
    if path.is_dir() {
        return Some(format!("{} is a folder, not a file. Correct {name}", path.display()));
    }
    // Opening a pipe would wait for its other end.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Some(format!("{} is not a regular file. Correct {name}", path.display()));
    }
    match need.open(path) {
        Ok(_) => None,
        // Whether a key may be made is for the database to say.
        Err(error) if error.kind() == ErrorKind::NotFound && need == Need::Read => None,
        Err(error) if error.kind() == ErrorKind::NotFound => folder(existing(folder_of(path)), name),
        Err(error) => Some(words(path, need.label(), &error, name)),
    }
}

/// What keeps files from being made in a folder, and something from being written into them.
pub(super) fn folder(path: &Path, name: &str) -> Option<String> {
    let made = tempfile::Builder::new().prefix(".lethe-check").tempfile_in(path);
    let written = made.and_then(|mut file| file.write_all(&vec![0; PROBE_BYTES]));
    written.err().map(|error| words(path, "written to", &error, name))
}

/// The folder of a file.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The folder, or the nearest one above it that exists.
fn existing(folder: &Path) -> &Path {
    folder.ancestors().find(|above| above.exists()).unwrap_or(Path::new("."))
}

/// A path that cannot be used, why, and what to do.
pub(super) fn words(path: &Path, used: &str, error: &io::Error, name: &str) -> String {
    let remedy = match error.kind() {
        ErrorKind::PermissionDenied => owner::remedy(path),
        ErrorKind::ReadOnlyFilesystem => "Mount its file system read-write".to_owned(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "Make room on the disk".to_owned(),
        _ => format!("Correct {name}"),
    };
    format!("{} cannot be {used}: {}. {remedy}", path.display(), plain(error))
}

/// What the operating system says, without its number.
pub(super) fn plain(error: &io::Error) -> String {
    let words = match error.raw_os_error() {
        // The library puts the path, which is named already, before it.
        Some(code) => io::Error::from_raw_os_error(code).to_string(),
        None => error.kind().to_string(),
    };
    words.split(" (os error").next().unwrap_or_default().to_lowercase()
}
