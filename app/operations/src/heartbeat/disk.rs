//! Checks the free space on the disks that Lethe writes to.

use db::{Fault, Storage, dialect};
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use trail::Store;

/// Free space in bytes below which a disk counts as full.
const MIN_FREE: u64 = 128 << 10;

/// Known facts about the disks.
#[derive(Debug, Default)]
pub(super) struct Disk {
    /// The file of an embedded database, once it is known.
    database: Option<PathBuf>,
}

impl Disk {
    /// Returns the fault of the first file that can't be appended to.
    pub(super) async fn look(&mut self, store: &Store) -> Option<Fault> {
        if self.database.is_none() {
            self.database = dialect::file(&store.db).await.ok().flatten();
        }
        let settings = &store.settings;
        let mut files =
            vec![(Storage::Ledger, settings.ledger.clone()), (Storage::Anchors, settings.anchor.clone())];
        files.extend(self.database.clone().map(|file| (Storage::Database, file)));
        let look = move || files.into_iter().find_map(|(storage, file)| fault(storage, &file));
        tokio::task::spawn_blocking(look).await.ok().flatten()
    }
}

fn fault(storage: Storage, file: &Path) -> Option<Fault> {
    if free_space(file).is_ok_and(|free| free < MIN_FREE) {
        return Some(Fault::DiskFull(storage));
    }
    // Opening and closing the file would drop SQLite's locks on it for the whole process.
    if storage == Storage::Database {
        return None;
    }
    match OpenOptions::new().append(true).open(file) {
        // The first anchor creates its file.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            (storage == Storage::Ledger).then_some(Fault::Missing(storage))
        }
        Err(_) => Some(Fault::Unwritable(storage)),
        Ok(_) => None,
    }
}

/// Returns the free space on this file's disk, in bytes.
#[cfg(unix)]
fn free_space(file: &Path) -> io::Result<u64> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let space = rustix::fs::statvfs(folder)?;
    Ok(space.f_bavail.saturating_mul(space.f_frsize))
}

#[cfg(not(unix))]
fn free_space(_: &Path) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}
