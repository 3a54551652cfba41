//! The drill: a backup is restored into a folder or database of its own, the ledger is replayed there, and the audit
//! verified. Nothing of the library itself is changed.

use super::manifest::{Manifest, Positions, digest, manifest_beside};
use super::postgres;
use crate::actor::Actor;
use crate::audit::{self, Verdict};
use crate::clock::Clock;
use crate::error::RecordsError;
use crate::ledger;
use crate::opening;
use crate::settings::Settings;
use crate::store::Store;
use policy::Action;
use sea_orm::{ConnectionTrait, Statement};
use serde::Serialize;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Instant;

/// What a drill found.
#[derive(Debug, Serialize)]
pub struct Drill {
    /// The manifest; none where there is none beside the backup.
    pub manifest: Option<Manifest>,
    /// Whether size, digest and positions are those of the manifest.
    pub as_in_manifest: bool,
    /// Where the restored database stood.
    pub restored: Positions,
    /// How many users were anonymised again, because the ledger names them.
    pub anonymised_again: i64,
    /// How many users are anonymised after that.
    pub anonymised: i64,
    /// Whether the ledger and the restored database say the same now.
    pub ledger_level: bool,
    /// What verifying the audit found.
    pub audit: Verdict,
    /// How long it took, in seconds.
    pub seconds: f64,
}

impl Drill {
    /// Whether the backup could be restored and everything is as it should be.
    pub fn is_passed(&self) -> bool {
        self.as_in_manifest && self.ledger_level && self.audit.is_whole()
    }
}

/// Restores a backup and proves that it is of use. `settings` are those of the library; its files are only read. A dump
/// of PostgreSQL is restored into the empty database at `into`, which is to be dropped afterwards.
pub async fn drill(
    clock: Clock,
    settings: &Settings,
    actor: Actor,
    file: &Path,
    into: Option<&str>,
) -> Result<Drill, RecordsError> {
    actor.must(Action::Administer)?;
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
    let store = Store::open(&url, clock, settings).await?;
    let receipt = ledger::replay(&store, |_| ()).await?;
    let standing = ledger::standing(&store).await?;
    let audit = audit::verify(&store, actor).await?;
    let now = Positions::read(&store.db).await?;
    store.db.close().await?;
    Ok(Drill {
        manifest,
        as_in_manifest,
        restored,
        anonymised_again: receipt.map_or(0, |receipt| receipt.anonymised),
        anonymised: now.anonymised,
        ledger_level: standing.is_level(),
        audit,
        seconds: began.elapsed().as_secs_f64(),
    })
}

fn manifest_of(file: &Path) -> Result<Option<Manifest>, RecordsError> {
    let path = manifest_beside(file);
    match fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text)
            .map(Some)
            .map_err(|_| RecordsError::Refused(format!("The manifest {} cannot be read", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(&path, &error)),
    }
}

/// Restores into a folder, or into an empty database. Gives the address of what was restored.
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
            "This is a backup of PostgreSQL. Create an empty database, and name it: --into postgres://…"
                .to_owned(),
        ));
    };
    let db = opening::look_at(into).await?;
    let sql = "SELECT COUNT(*) AS n FROM information_schema.tables WHERE table_schema = 'public'";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let tables: i64 = row.map_or(Ok(0), |row| row.try_get("", "n"))?;
    db.close().await?;
    if tables > 0 {
        return Err(RecordsError::Refused(
            "The database of --into is not empty. Nothing was restored".to_owned(),
        ));
    }
    postgres::restore(file, into).await?;
    Ok(into.to_owned())
}

/// The settings for the restored copy: copies of the ledger and of the anchors up to the last event that it holds.
fn beside(settings: &Settings, folder: &Path, last: i64) -> io::Result<Settings> {
    let (ledger, anchor) = (folder.join("lethe.ledger"), folder.join("lethe.audit"));
    fs::copy(&settings.ledger, &ledger)?;
    let anchors = match fs::read_to_string(&settings.anchor) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    let is_held = |line: &&str| {
        let anchor = serde_json::from_str::<serde_json::Value>(line).ok();
        // A line that cannot be read is for the verification to find.
        anchor.and_then(|anchor| anchor.get("sequence")?.as_i64()).is_none_or(|sequence| sequence <= last)
    };
    let held: Vec<&str> = anchors.lines().filter(is_held).collect();
    if !held.is_empty() {
        fs::write(&anchor, format!("{}\n", held.join("\n")))?;
    }
    Ok(Settings { ledger, anchor, vacuum_up_to: 0, ..settings.clone() })
}

fn unreadable(file: &Path, error: &io::Error) -> RecordsError {
    RecordsError::Refused(format!("{} cannot be read: {error}", file.display()))
}

fn broken(error: &io::Error) -> RecordsError {
    RecordsError::Refused(format!("The drill could not be carried out: {error}"))
}
