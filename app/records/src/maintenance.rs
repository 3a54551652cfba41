//! Making removed values vanish from the files of the database, too.
//!
//! SQLite overwrites what it deletes (`secure_delete`), but a page that is split can leave an old copy behind; after each
//! run its write-ahead log is truncated. PostgreSQL keeps old versions of rows until VACUUM, and VACUUM gives their space
//! free without overwriting it. Only writing everything anew (VACUUM, VACUUM FULL) makes the bytes vanish, and meanwhile
//! nobody can use it. So the first happens after each run, the second is offered. Write-ahead logs of PostgreSQL and
//! backups keep old values until they are recycled and expire: no program that speaks to the database can reach them.

use crate::actor::Actor;
use crate::audit::{self, Deed, Subject};
use crate::dialect;
use crate::error::RecordsError;
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
    /// Nothing: others were at work all the time.
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

/// After a run: what needs nobody to wait. The people are done by now, so a database that is busy is noted and the run
/// stays what it is.
pub(crate) async fn after_run(store: &Store) -> Maintenance {
    for _ in 0..TRIES {
        if dialect::sweep(&store.db, &tables()).await.is_ok() {
            return Maintenance::Done;
        }
        tokio::time::sleep(PAUSE).await;
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
    dialect::rewrite(&store.db, &tables()).await?;
    dialect::sweep(&store.db, &tables()).await?;
    note(store, actor, Maintenance::Full).await?;
    Ok(Maintenance::Full)
}

async fn note(store: &Store, actor: Actor, done: Maintenance) -> Result<(), RecordsError> {
    audit::note_alone(store, actor, Deed::FilesMaintained, Subject::Library, done.code()).await
}

/// The tables that hold something of users.
fn tables() -> Vec<&'static str> {
    TABLES.iter().filter(|table| table.owner != Owner::Nobody).map(|table| table.name).collect()
}
