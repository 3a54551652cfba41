//! The key that a database is used with. The database records its fingerprint. A key is created only for an empty
//! database.

use super::{Key, file, unusable};
use db::entity::{audit_events, certificates, credentials, installation_keys};
use db::{Clock, RecordsError};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Select, Set,
};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Selects the keys that a store may be opened with.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum KeyUse {
    /// The current key only.
    #[default]
    Current,
    /// Also a replaced key, to verify what it signed or chained.
    Replaced,
}

/// The status of the key file compared with the database.
#[derive(Clone, Debug, Serialize)]
pub struct KeyStatus {
    /// The key file.
    pub file: PathBuf,
    /// The fingerprint of the key in the file. None if it is unreadable.
    pub found: Option<String>,
    /// The fingerprint recorded in the database. None before the first start.
    pub expected: Option<String>,
    /// The fingerprints of replaced keys, the newest first.
    pub replaced: Vec<String>,
}

impl KeyStatus {
    /// Returns whether the file contains the key recorded in the database.
    pub fn is_right(&self) -> bool {
        self.found.is_some() && self.found == self.expected
    }
}

/// Reads the status of the key file compared with the database.
pub async fn status_of(db: &impl ConnectionTrait, path: &Path) -> Result<KeyStatus, RecordsError> {
    let found = Key::read(path).await.ok().map(|key| key.fingerprint());
    let replaced = installation_keys::Entity::find()
        .filter(installation_keys::Column::ReplacedAt.is_not_null())
        .order_by_desc(installation_keys::Column::ReplacedAt)
        .all(db)
        .await?;
    Ok(KeyStatus {
        file: path.to_owned(),
        found,
        expected: current(db).await?,
        replaced: replaced.into_iter().map(|key| key.fingerprint).collect(),
    })
}

/// Returns the key of this database. Creates one if the database is empty. Otherwise rejects a missing file or
/// another key.
pub async fn establish(db: &DatabaseConnection, path: &Path, allowed: KeyUse) -> Result<Key, RecordsError> {
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

/// Returns the first key of a database: the one in the file, or a new one if no key was used yet.
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
    // Another process with another file may have recorded its key in the meantime.
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

/// Records the current key, unless one is recorded.
pub async fn record(db: &impl ConnectionTrait, fingerprint: &str) -> Result<(), DbErr> {
    let row = installation_keys::ActiveModel {
        fingerprint: Set(fingerprint.to_owned()),
        recorded_at: Set(Clock::system_now()),
        replaced_at: Set(None),
    };
    let unless = OnConflict::new().do_nothing().to_owned();
    installation_keys::Entity::insert(row).on_conflict(unless).exec_without_returning(db).await?;
    Ok(())
}

/// Returns whether anything was chained, signed or encrypted in this database.
async fn was_used(db: &DatabaseConnection) -> Result<bool, DbErr> {
    let chained = audit_events::Entity::find().filter(audit_events::Column::Sequence.is_not_null());
    Ok(has_any(db, chained, audit_events::Column::Id).await?
        || has_any(db, certificates::Entity::find(), certificates::Column::RunId).await?
        || has_any(db, credentials::Entity::find(), credentials::Column::Id).await?)
}

async fn has_any<E: EntityTrait>(
    db: &DatabaseConnection,
    rows: Select<E>,
    key: E::Column,
) -> Result<bool, DbErr> {
    Ok(rows.select_only().column(key).into_tuple::<i64>().one(db).await?.is_some())
}

/// The remedy for a lost key.
const LOST: &str = "If it is lost for good: lethe key replace --confirm REPLACE";

fn missing(path: &Path, expected: Option<&str>) -> RecordsError {
    let fingerprint = expected.map_or(String::new(), |expected| format!(" (fingerprint {expected})"));
    RecordsError::NotReady(format!(
        "The key file {} is missing. This database needs the key it was written with{fingerprint}. Restore the \
         file from its own copy, or correct LETHE_KEY_FILE. {LOST}",
        path.display()
    ))
}

/// Returns the error about a key that is not the one recorded in the database.
pub(crate) fn foreign(path: &Path, found: &str, expected: &str) -> RecordsError {
    RecordsError::NotReady(format!(
        "The key file {} holds another key (fingerprint {found}) than this database was written with \
         (fingerprint {expected}). Restore the right file from its own copy, or correct LETHE_KEY_FILE or \
         LETHE_DATABASE_URL. {LOST}",
        path.display()
    ))
}

fn not_made(path: &Path, error: &file::KeyFileError) -> RecordsError {
    RecordsError::NotReady(format!(
        "The key file {} cannot be created: {error}. Allow the user that runs Lethe to write to its folder, or correct \
         LETHE_KEY_FILE",
        path.display()
    ))
}

/// Returns whether this fingerprint is recorded as the current key.
pub async fn is_current(db: &impl ConnectionTrait, fingerprint: &str) -> Result<bool, DbErr> {
    Ok(current(db).await?.as_deref() == Some(fingerprint))
}

/// Marks the current key as replaced.
pub async fn retire(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    installation_keys::Entity::update_many()
        .col_expr(installation_keys::Column::ReplacedAt, Expr::value(Clock::system_now()))
        .filter(installation_keys::Column::ReplacedAt.is_null())
        .exec(db)
        .await?;
    Ok(())
}
