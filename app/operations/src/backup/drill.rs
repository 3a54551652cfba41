//! The restore drill: restores a backup into a separate folder or database, replays the ledger there and verifies
//! the audit. The library itself is not changed.

use super::manifest::{Manifest, Positions, digest, manifest_beside};
use super::postgres;
use db::{Clock, RecordsError, Settings, opening};
use erasure::ledger;
use policy::Action;
use safeguards::suppression;
use sea_orm::{ConnectionTrait, Statement};
use serde::Serialize;
use std::path::Path;
use std::time::Instant;
use std::{fs, io};
use task_centre::replay;
use trail::audit::{self, AuditAction, Subject, Verification};
use trail::{Actor, Store};

/// The result of a drill.
#[derive(Debug, Serialize)]
pub struct Drill {
    /// The manifest. None if there is none beside the backup.
    pub manifest: Option<Manifest>,
    /// Whether size, digest and positions match the manifest. True if there is no manifest.
    pub as_in_manifest: bool,
    /// The positions of the restored database.
    pub restored: Positions,
    /// The number of users that the replay of the ledger anonymised again.
    pub anonymised_again: i64,
    /// The number of anonymised users after the replay.
    pub anonymised: i64,
    /// Whether the ledger and the restored database are in sync after the replay.
    pub ledger_level: bool,
    /// The result of verifying the audit.
    pub audit: Verification,
    /// The duration, in seconds.
    pub seconds: f64,
}

impl Drill {
    /// Returns whether the backup could be restored and passed every check.
    pub fn is_passed(&self) -> bool {
        self.as_in_manifest && self.ledger_level && self.audit.is_whole()
    }
}

/// The detail of the event of a drill that passed, and of one that failed.
pub const PASSED: &str = "passed";
const FAILED: &str = "failed";

/// Records the result of a drill in the audit of the library.
pub async fn record(store: &Store, actor: Actor, drill: &Drill) -> Result<(), RecordsError> {
    actor.require(Action::Administer)?;
    let detail = if drill.is_passed() { PASSED } else { FAILED };
    audit::record_event_in_own_tx(store, actor, AuditAction::BackupDrilled, Subject::Library, detail).await
}

/// Restores a backup and checks that it can be used. `settings` are those of the library, whose files are only
/// read. A PostgreSQL dump is restored into the empty database `into`, which the caller should drop afterwards.
pub async fn drill(
    clock: Clock,
    settings: &Settings,
    actor: Actor,
    file: &Path,
    into: Option<&str>,
) -> Result<Drill, RecordsError> {
    actor.require(Action::Administer)?;
    let began = Instant::now();
    let folder = tempfile::Builder::new().prefix("lethe-drill").tempdir().map_err(|error| broken(&error))?;
    let manifest = manifest_of(file)?;
    let of = file.to_owned();
    let digested = tokio::task::spawn_blocking(move || digest(&of)).await;
    let (bytes, sha256) = digested
        .unwrap_or_else(|_| Err(io::Error::other("broken off")))
        .map_err(|error| unreadable(file, &error))?;
    let url = restore(file, folder.path(), into).await?;
    let db = opening::look_at(&url).await?;
    let restored = Positions::read(&db).await;
    db.close().await?;
    let restored = restored?;
    let as_in_manifest = manifest.as_ref().is_none_or(|manifest| {
        manifest.bytes == bytes && manifest.sha256 == sha256 && manifest.positions == restored
    });
    let settings =
        beside(settings, folder.path(), restored.audit_sequence).map_err(|error| broken(&error))?;
    let store = crate::startup::open_store(&url, clock, settings).await?;
    replace_suppression_key(&store).await?;
    let receipt = replay::replay(&store, |_| ()).await?;
    let status = ledger::status(&store).await?;
    let audit = audit::verify(&store, actor).await?;
    let now = Positions::read(&store.db).await?;
    store.db.close().await?;
    Ok(Drill {
        manifest,
        as_in_manifest,
        restored,
        anonymised_again: receipt.map_or(0, |receipt| receipt.anonymised),
        anonymised: now.anonymised,
        ledger_level: status.is_level(),
        audit,
        seconds: began.elapsed().as_secs_f64(),
    })
}

fn manifest_of(file: &Path) -> Result<Option<Manifest>, RecordsError> {
    let path = manifest_beside(file);
    match fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text)
            .map(Some)
            .map_err(|_| RecordsError::Refused(format!("The manifest {} is not valid", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(&path, &error)),
    }
}

/// Restores into a folder or an empty database. Returns the URL of the restored database.
async fn restore(file: &Path, folder: &Path, into: Option<&str>) -> Result<String, RecordsError> {
    let mut begins = [0; 5];
    let read = fs::File::open(file).and_then(|mut opened| io::Read::read_exact(&mut opened, &mut begins));
    read.map_err(|error| unreadable(file, &error))?;
    if &begins != b"PGDMP" {
        let copy = folder.join("lethe.db");
        fs::copy(file, &copy).map_err(|error| broken(&error))?;
        return Ok(format!("sqlite://{}?mode=rw", copy.display()));
    }
    let Some(into) = into else {
        return Err(RecordsError::Refused(
            "This is a PostgreSQL backup. Create an empty database and pass its URL: --into postgres://…"
                .to_owned(),
        ));
    };
    let db = opening::look_at(into).await?;
    // Raw SQL: the catalogue of PostgreSQL.
    let sql = "SELECT COUNT(*) AS n FROM information_schema.tables WHERE table_schema = 'public'";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let tables: i64 = row.map_or(Ok(0), |row| row.try_get("", "n"))?;
    db.close().await?;
    if tables > 0 {
        return Err(RecordsError::Refused(
            "The database of --into is not empty. Nothing has been restored".to_owned(),
        ));
    }
    postgres::restore(file, into).await?;
    Ok(into.to_owned())
}

/// Empties the suppression list of the restored copy and gives it another key. The replay can then anonymise,
/// regardless of the list's original key. The drill does not check the list.
async fn replace_suppression_key(store: &Store) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    suppression::destroy::start_over(&tx, &store.settings.suppression_key).await?;
    store.commit(tx).await
}

/// Returns the settings for the restored copy. They name a copy of the ledger, the anchors up to its last event, and
/// another key of the suppression list.
fn beside(settings: &Settings, folder: &Path, last: i64) -> io::Result<Settings> {
    let (ledger, anchor) = (folder.join("lethe.ledger"), folder.join("lethe.audit"));
    fs::copy(&settings.ledger, &ledger)?;
    let anchors = match fs::read_to_string(&settings.anchor) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    let is_held = |line: &&str| {
        let anchor = serde_json::from_str::<serde_json::Value>(line).ok();
        // The verification must report an unreadable line.
        anchor.and_then(|anchor| anchor.get("sequence")?.as_i64()).is_none_or(|sequence| sequence <= last)
    };
    let held: Vec<&str> = anchors.lines().filter(is_held).collect();
    if !held.is_empty() {
        fs::write(&anchor, format!("{}\n", held.join("\n")))?;
    }
    let suppression_key = folder.join("lethe.suppression");
    Ok(Settings { ledger, anchor, suppression_key, vacuum_up_to: 0, ..settings.clone() })
}

fn unreadable(file: &Path, error: &io::Error) -> RecordsError {
    RecordsError::Refused(format!("{} cannot be read: {error}", file.display()))
}

fn broken(error: &io::Error) -> RecordsError {
    RecordsError::Refused(format!("The drill failed: {error}"))
}
