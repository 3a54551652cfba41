//! Cleaning the database files of removed values.
//!
//! SQLite overwrites deleted data (`secure_delete`), but splitting a page can leave an old copy behind. PostgreSQL
//! keeps old row versions until VACUUM, which frees their space without overwriting it. Only a full rewrite
//! (VACUUM on SQLite, VACUUM FULL on PostgreSQL) removes the bytes, and it blocks all changes.
//!
//! After each run Lethe therefore truncates the write-ahead log of SQLite, or runs VACUUM on PostgreSQL. It
//! rewrites the file after a bulk run on SQLite if the file is small (`Settings::vacuum_up_to`), and otherwise
//! only on request.
//!
//! PostgreSQL's write-ahead logs and all backups keep old values until they are recycled or expire. Lethe cannot
//! reach them through the database.

use crate::residue;
use db::{RecordsError, dialect};
use policy::Action;
pub use policy::maintenance::Maintenance;
use policy::personal_data::{RowOwner, TABLES};
use std::time::Duration;
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// The number of attempts while the database is busy after a run, and the time between them.
const MAX_ATTEMPTS: u32 = 5;
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Cleans the files after a bulk run. Rewrites the whole file if it is small enough. The users are anonymised by
/// now, so a busy database is recorded and does not fail the run.
pub async fn after_bulk_run(store: &Store) -> Maintenance {
    match can_be_vacuumed(store).await {
        Ok(true) => match dialect::vacuum_full(&store.db, &[]).await {
            Ok(()) if after_run(store).await == Maintenance::Done => return Maintenance::Full,
            Ok(()) => return Maintenance::Busy,
            // Other connections are active or the disk is full. The file is unchanged.
            Err(error) => tracing::warn!(%error, "could not rewrite the database file after the run"),
        },
        Ok(false) => {}
        Err(error) => tracing::warn!(code = error.code(), "could not read the size of the database file"),
    }
    after_run(store).await
}

/// Returns whether the database is one file that is small enough. False while there are undecided findings that
/// are identified by row position, because a rewrite changes positions.
async fn can_be_vacuumed(store: &Store) -> Result<bool, RecordsError> {
    let size = dialect::file_size(&store.db).await?;
    Ok(size.is_some_and(|size| size <= store.settings.vacuum_up_to)
        && !residue::notes_positions(store).await?)
}

/// Cleans the database files without blocking others. Runs after a single user is anonymised, and on request.
pub async fn after_run(store: &Store) -> Maintenance {
    let Ok(now) = dialect::snapshot_xmax(&store.db).await else { return Maintenance::Busy };
    for attempt in 1..=MAX_ATTEMPTS {
        let held = dialect::is_held_back(&store.db, &now).await.unwrap_or(true);
        // The last attempt cleans as much as possible in any case.
        let is_swept = if held && attempt < MAX_ATTEMPTS {
            false
        } else {
            dialect::checkpoint(&store.db, &tables()).await.is_ok()
        };
        if is_swept && !held {
            return Maintenance::Done;
        }
        if attempt < MAX_ATTEMPTS {
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
    }
    tracing::warn!("could not clean the database files after the run");
    Maintenance::Busy
}

/// Cleans the files on request, as after a run.
pub async fn ordinary(store: &Store, actor: Actor) -> Result<Maintenance, RecordsError> {
    actor.require(Action::Administer)?;
    let done = after_run(store).await;
    record_maintenance(store, actor, done).await?;
    Ok(done)
}

/// Rewrites the tables with data of users, so that their files contain no bytes of old rows. This can take minutes
/// in a large library and blocks other connections.
pub async fn full(store: &Store, actor: Actor) -> Result<Maintenance, RecordsError> {
    actor.require(Action::Administer)?;
    let now = dialect::snapshot_xmax(&store.db).await?;
    let held = dialect::is_held_back(&store.db, &now).await?;
    dialect::vacuum_full(&store.db, &tables()).await?;
    let done = if is_swept(store).await && !held { Maintenance::Full } else { Maintenance::Busy };
    record_maintenance(store, actor, done).await?;
    Ok(done)
}

/// Cleans the files, with further attempts while other connections are active: a reader holds the write-ahead log
/// of SQLite.
async fn is_swept(store: &Store) -> bool {
    for _ in 1..MAX_ATTEMPTS {
        if dialect::checkpoint(&store.db, &tables()).await.is_ok() {
            return true;
        }
        tokio::time::sleep(RETRY_INTERVAL).await;
    }
    dialect::checkpoint(&store.db, &tables()).await.is_ok()
}

async fn record_maintenance(store: &Store, actor: Actor, done: Maintenance) -> Result<(), RecordsError> {
    audit::record_event_in_own_tx(store, actor, AuditAction::FilesMaintained, Subject::Library, done.code())
        .await
}

/// Returns the tables with data of users.
fn tables() -> Vec<&'static str> {
    TABLES.iter().filter(|table| table.owner != RowOwner::NoUser).map(|table| table.name).collect()
}
