//! Making removed values vanish from the files of the database, too.
//!
//! SQLite overwrites what it deletes (`secure_delete`), but a page that is split can leave an old copy behind; after each
//! run its write-ahead log is truncated. PostgreSQL keeps old versions of rows until VACUUM, and VACUUM gives their space
//! free without overwriting it. Only writing everything anew (VACUUM, VACUUM FULL) makes the bytes vanish, and meanwhile
//! nobody can change anything. So the first happens after each run; the second too after a run for many people on SQLite
//! while the file is small (`Settings::vacuum_up_to`), and else when somebody asks for it. Write-ahead logs of PostgreSQL
//! and backups keep old values until they are recycled and expire: no program that speaks to the database can reach them.

use crate::actor::Actor;
use crate::audit::{self, Deed, Subject};
use crate::dialect;
use crate::error::RecordsError;
use crate::residue;
use crate::store::Store;
use policy::Action;
use policy::register::{Owner, TABLES};
use serde::Serialize;
use std::time::Duration;

/// How often a database that is busy is tried again after a run, and how long lies between.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);

/// What was done so that removed values vanish from the files.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Maintenance {
    /// Log truncated (SQLite); space of old rows given free and statistics made anew (PostgreSQL).
    Done,
    /// Every table of users was written anew, without any old row.
    Full,
    /// Not all of it: others were at work all the time, or somebody reads what stood there before.
    Busy,
}

impl Maintenance {
    /// The stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Full => "full",
            Self::Busy => "busy",
        }
    }
}

/// After many people were anonymised: where the whole file is small enough to be written anew, it is. The people are
/// done by now, so a database that is busy is noted and the run stays what it is.
pub(crate) async fn after_bulk_run(store: &Store) -> Maintenance {
    match can_be_vacuumed(store).await {
        Ok(true) => match dialect::rewrite(&store.db, &[]).await {
            Ok(()) if after_run(store).await == Maintenance::Done => return Maintenance::Full,
            Ok(()) => return Maintenance::Busy,
            // Others are at work, or the disk is full: the file is what it was.
            Err(error) => tracing::warn!(%error, "the database file could not be written anew after the run"),
        },
        Ok(false) => {}
        Err(error) => tracing::warn!(code = error.code(), "the size of the database file is not known"),
    }
    after_run(store).await
}

/// Whether the database is one file that is small enough. Findings that are noted by the position of a row would name
/// other rows afterwards: while one of them is undecided the file stays as it is.
async fn can_be_vacuumed(store: &Store) -> Result<bool, RecordsError> {
    let size = dialect::file_size(&store.db).await?;
    Ok(size.is_some_and(|size| size <= store.settings.vacuum_up_to)
        && !residue::notes_positions(store).await?)
}

/// After one person, and whenever somebody asks: what needs nobody to wait.
pub(crate) async fn after_run(store: &Store) -> Maintenance {
    let Ok(now) = dialect::horizon(&store.db).await else { return Maintenance::Busy };
    for attempt in 1..=TRIES {
        let held = dialect::is_held_back(&store.db, &now).await.unwrap_or(true);
        // What can be swept is swept in any case.
        let is_swept =
            if held && attempt < TRIES { false } else { dialect::sweep(&store.db, &tables()).await.is_ok() };
        if is_swept && !held {
            return Maintenance::Done;
        }
        if attempt < TRIES {
            tokio::time::sleep(PAUSE).await;
        }
    }
    tracing::warn!("the database files could not be swept after the run");
    Maintenance::Busy
}

/// What happens after a run, when somebody asks for it.
pub async fn ordinary(store: &Store, actor: Actor) -> Result<Maintenance, RecordsError> {
    actor.must(Action::Administer)?;
    let done = after_run(store).await;
    note(store, actor, done).await?;
    Ok(done)
}

/// Writes the tables of users anew, so that no byte of an old row is left in their files. Takes minutes in a large
/// library; others wait meanwhile.
pub async fn full(store: &Store, actor: Actor) -> Result<Maintenance, RecordsError> {
    actor.must(Action::Administer)?;
    let now = dialect::horizon(&store.db).await?;
    let held = dialect::is_held_back(&store.db, &now).await?;
    dialect::rewrite(&store.db, &tables()).await?;
    let done = if is_swept(store).await && !held { Maintenance::Full } else { Maintenance::Busy };
    note(store, actor, done).await?;
    Ok(done)
}

/// Sweeps the files, and tries again while others are at work: a reader keeps the write-ahead log of SQLite.
async fn is_swept(store: &Store) -> bool {
    for _ in 1..TRIES {
        if dialect::sweep(&store.db, &tables()).await.is_ok() {
            return true;
        }
        tokio::time::sleep(PAUSE).await;
    }
    dialect::sweep(&store.db, &tables()).await.is_ok()
}

async fn note(store: &Store, actor: Actor, done: Maintenance) -> Result<(), RecordsError> {
    audit::note_alone(store, actor, Deed::FilesMaintained, Subject::Library, done.code()).await
}

/// The tables that hold something of users.
fn tables() -> Vec<&'static str> {
    TABLES.iter().filter(|table| table.owner != Owner::Nobody).map(|table| table.name).collect()
}
