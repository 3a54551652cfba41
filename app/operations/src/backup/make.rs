//! Making a backup while other processes read and write.

use super::manifest::{FORMAT, Manifest, Positions, digest, manifest_beside};
use super::postgres;
use db::error;
use db::{Clock, RecordsError, dialect, opening};
use policy::Action;
use sea_orm::DatabaseBackend;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use tempfile::NamedTempFile;
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// Writes a backup to a new file and its manifest beside it, both readable by their owner only. `url` is the URL
/// of the store's database. The backup shows the database at a single moment.
pub async fn make(store: &Store, actor: Actor, url: &str, file: &Path) -> Result<Manifest, RecordsError> {
    actor.require(Action::Administer)?;
    let manifest_file = manifest_beside(file);
    for path in [file, &manifest_file] {
        if path.exists() {
            let words = format!("{} already exists. Choose a new file", path.display());
            return Err(RecordsError::Refused(words));
        }
    }
    let made_at = Clock::system_now();
    // The file gets its final name when it is complete.
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = NamedTempFile::new_in(folder).map_err(|error| not_written(file, &error))?;
    let (database, positions) = if store.db.get_database_backend() == DatabaseBackend::Postgres {
        ("postgres", postgres::dump(&store.db, url, written.path()).await?)
    } else {
        ("sqlite", copy(store, written.path()).await?)
    };
    let of = written.path().to_owned();
    let digested = tokio::task::spawn_blocking(move || digest(&of)).await;
    let (bytes, sha256) = digested
        .unwrap_or_else(|_| Err(io::Error::other("broken off")))
        .map_err(|error| not_written(file, &error))?;
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        database: database.to_owned(),
        made_at,
        positions,
        bytes,
        sha256,
    };
    keep(written, file, &manifest).map_err(|error| not_written(file, &error))?;
    let tx = store.begin().await?;
    let detail = format!("users={},audit={}", manifest.positions.users, manifest.positions.audit_sequence);
    audit::record_event(&tx, &store.clock, actor, AuditAction::BackedUp, Subject::Library, None, &detail)
        .await?;
    store.commit(tx).await?;
    Ok(manifest)
}

/// Copies an SQLite database into an empty file. Returns the positions of the copy.
async fn copy(store: &Store, to: &Path) -> Result<Positions, RecordsError> {
    let to = to
        .to_str()
        .ok_or_else(|| RecordsError::Refused("The name of the file is not valid UTF-8".to_owned()))?;
    dialect::copy_into(&store.db, to).await.map_err(|error| {
        RecordsError::Refused(format!("The backup could not be written: {}", error::cause(&error)))
    })?;
    let copied = opening::look_at(&format!("sqlite://{to}?mode=ro")).await?;
    let positions = Positions::read(&copied).await;
    copied.close().await?;
    positions
}

/// Renames the complete backup to its final name and writes the manifest.
fn keep(written: NamedTempFile, file: &Path, manifest: &Manifest) -> io::Result<()> {
    written.as_file().sync_all()?;
    written.persist_noclobber(file).map_err(|error| error.error)?;
    let mut beside = NamedTempFile::new_in(
        file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")),
    )?;
    beside.write_all(serde_json::to_string_pretty(manifest)?.as_bytes())?;
    beside.write_all(b"\n")?;
    beside.as_file().sync_all()?;
    let path = manifest_beside(file);
    beside.persist_noclobber(&path).map_err(|error| error.error)?;
    File::open(path)?.sync_all()
}

fn not_written(file: &Path, error: &io::Error) -> RecordsError {
    RecordsError::Refused(format!("The backup {} could not be written: {error}", file.display()))
}
