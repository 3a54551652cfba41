//! Checks the free space on the disks that Lethe writes to.

use db::{Fault, Storage, dialect, disk};
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
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if disk::free_space(folder).is_ok_and(|free| free < MIN_FREE) {
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
