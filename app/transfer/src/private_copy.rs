//! A private copy of an SQLite file, on which a file is checked.
//!
//! A check writes every line and rolls back. SQLite has one writer, so the check of a large file in the database itself
//! would keep all other changes waiting.

use super::upload::{self, InUse};
use db::{RecordsError, dialect, disk};
use sea_orm::Database;
use std::io;
use std::path::{Path, PathBuf};
use trail::Store;

/// The name of the copy in its folder.
const NAME: &str = "copy";

/// The disk space that a check needs for each byte of the file: rows, their indexes and their search words.
const BYTES_PER_BYTE: u64 = 8;

/// A copy, until [`PrivateCopy::erase`]. The daily maintenance erases the copy of a process that ended before.
pub(super) struct PrivateCopy {
    /// The store of the copy.
    pub(super) store: Store,
    folder: PathBuf,
    _in_use: InUse,
}

impl PrivateCopy {
    /// Copies the database to check a file. Returns `None` if the database is not an SQLite file, or if the disk has no
    /// space for a copy.
    pub(super) async fn make(store: &Store, file: &Path) -> Result<Option<Self>, RecordsError> {
        if dialect::file(&store.db).await?.is_none() {
            return Ok(None);
        }
        let database = dialect::file_size(&store.db).await?.unwrap_or_default();
        let file = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
        let needed = database.saturating_mul(2).saturating_add(file.saturating_mul(BYTES_PER_BYTE));
        let (_, folder, in_use) = upload::create_folder(&store.settings.uploads).map_err(not_made)?;
        let made = if disk::free_space(&folder).is_ok_and(|free| free < needed) {
            tracing::info!(
                needed,
                "the disk has no space for a copy: the file is checked in the database itself"
            );
            Ok(None)
        } else {
            copy(store, &folder.join(NAME)).await.map(Some)
        };
        match made {
            Ok(Some(store)) => Ok(Some(Self { store, folder, _in_use: in_use })),
            Ok(None) => upload::erase(&folder).map(|()| None).map_err(not_made),
            Err(error) => {
                // The daily maintenance erases what remains.
                let _ = upload::erase(&folder);
                Err(error)
            }
        }
    }

    /// Closes the copy, overwrites it with zeros and deletes it.
    pub(super) async fn erase(self) -> Result<(), RecordsError> {
        self.store.db.close().await?;
        let folder = self.folder;
        let erased = tokio::task::spawn_blocking(move || upload::erase(&folder));
        erased.await.map_err(io::Error::other).flatten().map_err(not_made)
    }
}

/// Copies the database into a new file that only the account of the server can read. Returns its store.
async fn copy(store: &Store, file: &Path) -> Result<Store, RecordsError> {
    upload::create_private(file).map_err(not_made)?;
    let name = file.to_str().ok_or(RecordsError::Corrupt("upload folder"))?;
    dialect::copy_into(&store.db, name).await?;
    let copied = Database::connect(dialect::copy_options(file)).await?;
    Ok(store.with_database(copied))
}

fn not_made(error: io::Error) -> RecordsError {
    RecordsError::Refused(format!("The file cannot be checked on a copy of the database: {error}"))
}
