//! Which key a database goes with: it records the fingerprint. A key is made for an empty database only.

use super::{Key, file, unusable};
use crate::clock::Clock;
use crate::dialect;
use crate::entity::installation_keys;
use crate::error::RecordsError;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, Set,
    Statement,
};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What a store may be opened with.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum KeyUse {
    /// The key that is in use.
    #[default]
    Current,
    /// Also one that was replaced: to verify what was written with it.
    Replaced,
}

/// How the key file and the database stand to each other.
#[derive(Clone, Debug, Serialize)]
pub struct KeyStanding {
    /// The key file.
    pub file: PathBuf,
    /// The fingerprint of the key in it; none where it cannot be read.
    pub found: Option<String>,
    /// The fingerprint that the database records; none before the first start.
    pub expected: Option<String>,
    /// The fingerprints of keys that were replaced, the newest first.
    pub replaced: Vec<String>,
}

impl KeyStanding {
    /// Whether the file holds the key that the database records.
    pub fn is_right(&self) -> bool {
        self.found.is_some() && self.found == self.expected
    }
}

/// Reads how the key file and the database stand to each other.
pub(crate) async fn standing_of(db: &impl ConnectionTrait, path: &Path) -> Result<KeyStanding, RecordsError> {
    let found = Key::read(path).await.ok().map(|key| key.fingerprint());
    let replaced = installation_keys::Entity::find()
        .filter(installation_keys::Column::ReplacedAt.is_not_null())
        .order_by_desc(installation_keys::Column::ReplacedAt)
        .all(db)
        .await?;
    Ok(KeyStanding {
        file: path.to_owned(),
        found,
        expected: current(db).await?,
        replaced: replaced.into_iter().map(|key| key.fingerprint).collect(),
    })
}

/// Returns the key with which this database is used. Makes the key of an empty database, and refuses a
/// missing file or another key for any other.
pub(crate) async fn establish(
    db: &DatabaseConnection,
    path: &Path,
    allowed: KeyUse,
) -> Result<Key, RecordsError> {
    let Some(expected) = current(db).await? else {
        return first(db, path).await;
    };
    let of = path.to_owned();
    let read = tokio::task::spawn_blocking(move || file::read(&of)).await;
    let key = match read.unwrap_or_else(|_| Err(std::io::Error::other("broken off").into())) {
        Ok(key) => Key(key),
        Err(error) if error.is_missing() => return Err(missing(path, Some(&expected))),
        Err(error) => return Err(unusable(path, &error)),
    };
    let found = key.fingerprint();
    let replaced = allowed == KeyUse::Replaced
        && installation_keys::Entity::find_by_id(found.clone()).one(db).await?.is_some();
    if found == expected || replaced { Ok(key) } else { Err(foreign(path, &found, &expected)) }
}

/// The first key of a database: the one in the file, or a new one where nothing was done with a key yet.
async fn first(db: &DatabaseConnection, path: &Path) -> Result<Key, RecordsError> {
    if !path.exists() {
        if was_used(db).await? {
            return Err(missing(path, None));
        }
        let of = path.to_owned();
        let made = tokio::task::spawn_blocking(move || file::make(&of)).await;
        made.unwrap_or_else(|_| Err(std::io::Error::other("broken off").into()))
            .map_err(|error| not_made(path, &error))?;
    }
    let key = Key::read(path).await?;
    let found = key.fingerprint();
    record(db, &found).await?;
    // Another process, with a file of its own, may have been quicker.
    match current(db).await? {
        Some(expected) if expected != found => Err(foreign(path, &found, &expected)),
        _ => Ok(key),
    }
}

async fn current(db: &impl ConnectionTrait) -> Result<Option<String>, DbErr> {
    let current = installation_keys::Column::ReplacedAt.is_null();
    let row = installation_keys::Entity::find().filter(current).one(db).await?;
    Ok(row.map(|row| row.fingerprint))
}

/// Records the key in use, unless one is recorded.
pub(super) async fn record(db: &impl ConnectionTrait, fingerprint: &str) -> Result<(), DbErr> {
    let row = installation_keys::ActiveModel {
        fingerprint: Set(fingerprint.to_owned()),
        recorded_at: Set(Clock::real()),
        replaced_at: Set(None),
    };
    let unless = OnConflict::new().do_nothing().to_owned();
    installation_keys::Entity::insert(row).on_conflict(unless).exec_without_returning(db).await?;
    Ok(())
}

/// Whether something was chained, signed or sealed in this database.
async fn was_used(db: &DatabaseConnection) -> Result<bool, DbErr> {
    let backend = db.get_database_backend();
    for found in ["audit_events WHERE sequence IS NOT NULL", "certificates", "credentials"] {
        let sql = Statement::from_string(backend, format!("SELECT 1 AS one FROM {found} LIMIT 1"));
        if db.query_one_raw(sql).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What can be done where the key is lost.
const LOST: &str = "If it is lost for good: lethe key replace --confirm REPLACE";

fn missing(path: &Path, expected: Option<&str>) -> RecordsError {
    let fingerprint = expected.map_or(String::new(), |expected| format!(" (fingerprint {expected})"));
    RecordsError::NotReady(format!(
        "The key file {} is missing. This database was written with a key{fingerprint}, and no other one fits. Put the \
         file back from its own copy, or correct LETHE_KEY. {LOST}",
        path.display()
    ))
}

/// Another key than the one that the database records.
pub(super) fn foreign(path: &Path, found: &str, expected: &str) -> RecordsError {
    RecordsError::NotReady(format!(
        "The key file {} holds another key (fingerprint {found}) than the one with which this database was written \
         (fingerprint {expected}). Put the right file back from its own copy, or correct LETHE_KEY or \
         LETHE_DATABASE_URL. {LOST}",
        path.display()
    ))
}

fn not_made(path: &Path, error: &file::KeyFileError) -> RecordsError {
    RecordsError::NotReady(format!(
        "The key file {} cannot be made: {error}. Let the user that runs Lethe write to its folder, or correct \
         LETHE_KEY",
        path.display()
    ))
}

/// Tells whether the fingerprint of a key is recorded as the one in use.
pub(crate) async fn is_current(db: &impl ConnectionTrait, fingerprint: &str) -> Result<bool, DbErr> {
    Ok(current(db).await?.as_deref() == Some(fingerprint))
}

/// Marks the key in use as replaced.
pub(super) async fn retire(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let sql = "UPDATE installation_keys SET replaced_at = ? WHERE replaced_at IS NULL";
    db.execute_raw(dialect::statement(db.get_database_backend(), sql, vec![Clock::real().into()])).await?;
    Ok(())
}
