//! Whether there is space on the disks that Lethe writes to.

use crate::dialect;
use crate::error::{Fault, Place};
use crate::store::Store;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

/// With less space than this, in bytes, a disk counts as full.
const MIN_FREE: u64 = 128 << 10;

/// What is known of the disks.
#[derive(Debug, Default)]
pub(super) struct Disk {
    /// The file of an embedded database, once it is known.
    database: Option<PathBuf>,
}

impl Disk {
    /// Returns the first file that cannot be added to.
    pub(super) async fn look(&mut self, store: &Store) -> Option<Fault> {
        if self.database.is_none() {
            self.database = dialect::file(&store.db).await.ok().flatten();
        }
        let settings = store.settings();
        let mut files =
            vec![(Place::Ledger, settings.ledger.clone()), (Place::Anchors, settings.anchor.clone())];
        files.extend(self.database.clone().map(|file| (Place::Database, file)));
        let look = move || files.into_iter().find_map(|(place, file)| fault(place, &file));
        tokio::task::spawn_blocking(look).await.ok().flatten()
    }
}

fn fault(place: Place, file: &Path) -> Option<Fault> {
    if free_space(file).is_ok_and(|free| free < MIN_FREE) {
        return Some(Fault::DiskFull(place));
    }
    // Closing the file of an embedded database would drop the locks that SQLite has on it for the whole process.
    if place == Place::Database {
        return None;
    }
    match OpenOptions::new().append(true).open(file) {
        // The first anchor makes its file.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            (place == Place::Ledger).then_some(Fault::Missing(place))
        }
        Err(_) => Some(Fault::Unwritable(place)),
        Ok(_) => None,
    }
}

/// How much can still be written beside this file, in bytes.
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
