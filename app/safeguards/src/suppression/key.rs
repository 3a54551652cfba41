//! The key of the suppression list: 32 random bytes in a separate file, as hexadecimal digits. The database records
//! its fingerprint, so that a missing or another key is noticed.
//!
//! The key is read for each transaction and never kept in memory, so that a destroyed key is gone at once.

mod file;

pub(super) use file::overwrite;

use db::entity::{suppressed_keys, suppression_list_keys};
use db::{Clock, RecordsError};
use file::{KEY_BYTES, KeyFileError};
use hmac::{Hmac, KeyInit as _, Mac as _};
use policy::suppression::KeyKind;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
    QuerySelect, Set,
};
use serde::Serialize;
use sha2::Sha256;
use std::path::{Path, PathBuf};
use std::{fmt, io};
use trail::Store;

/// The label of the fingerprint, which reveals nothing about the key.
const FINGERPRINT: &str = "lethe suppression key fingerprint 1";
/// The number of hexadecimal digits of a digest: 128 bits, half of the output. The rows of the list are smaller by a third. Two of a billion keys share them with a probability of 10⁻²¹.
const DIGEST_DIGITS: usize = 32;
/// The label of the digests of lines.
const LINE: &str = "line";

/// A keyed digest, in hexadecimal digits.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyedDigest(pub(super) String);

impl KeyedDigest {
    /// Returns the id of the row: the first 63 bits. Two of a hundred million keys share one with a probability of
    /// less than one in a thousand; the second one would not be added.
    pub(super) fn id(&self) -> i64 {
        let first =
            self.0.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default();
        i64::try_from(first >> 1).unwrap_or_default()
    }
}

/// The key of the suppression list, ready to compute digests.
pub struct ListKey(Hmac<Sha256>);

impl fmt::Debug for ListKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ListKey")
    }
}

impl ListKey {
    fn new(key: &[u8; KEY_BYTES]) -> Result<Self, KeyFileError> {
        Hmac::new_from_slice(key).map(Self).map_err(|_| KeyFileError::Unreadable)
    }

    /// Reads the key, for a transaction. A destruction of the key waits until the transaction ends.
    ///
    /// Rejects a missing or another key while the list has rows. For an empty list, it creates a missing key.
    pub async fn load(tx: &DatabaseTransaction, store: &Store) -> Result<Self, RecordsError> {
        let path = &store.settings.suppression_key;
        let recorded = lock_shared(tx).await?;
        let found = read(path).await;
        if let Ok(key) = found
            && recorded.as_deref() == Some(&*key.fingerprint())
        {
            return Ok(key);
        }
        let status = status_of(tx, path).await?;
        match status.problem() {
            Some(problem) => Err(problem),
            None => adopt(tx, path).await,
        }
    }

    /// Returns the digest of a key in its normal form.
    pub fn digest(&self, kind: KeyKind, normal: &str) -> KeyedDigest {
        KeyedDigest(self.mac(kind.code(), normal))
    }

    /// Returns the digest of the content of a line.
    pub fn line_digest(&self, content: &str) -> String {
        self.mac(LINE, content)
    }

    fn fingerprint(&self) -> String {
        self.mac(FINGERPRINT, "")
    }

    fn mac(&self, label: &str, text: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(label.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        let mut digits = base16ct::lower::encode_string(&mac.finalize().into_bytes());
        digits.truncate(DIGEST_DIGITS);
        digits
    }
}

/// The key file compared with the database.
#[derive(Clone, Debug, Serialize)]
pub struct KeyStatus {
    /// The key file.
    pub file: PathBuf,
    /// The fingerprint of the key in the file. None if it is missing or unreadable.
    pub found: Option<String>,
    /// Whether the file exists.
    pub exists: bool,
    /// The fingerprint recorded in the database. None before the first use.
    pub expected: Option<String>,
    /// Whether the key in the file was destroyed earlier: the file is a copy of it.
    pub is_destroyed: bool,
    /// Whether the list has rows.
    pub has_rows: bool,
}

impl KeyStatus {
    /// Returns whether the list can be used: with its key, or with a new one because the list is empty.
    pub fn is_usable(&self) -> bool {
        self.problem().is_none()
    }

    /// Returns the reason why the list cannot be used, with the remedy.
    pub fn problem(&self) -> Option<RecordsError> {
        let matches = self.found.is_some() && self.found == self.expected;
        let is_unreadable = self.exists && self.found.is_none();
        if matches || !self.has_rows && !is_unreadable && !self.is_destroyed {
            return None;
        }
        let what = match &self.found {
            _ if self.is_destroyed => "was destroyed earlier",
            Some(_) => "is another one than the list was made with",
            None if self.exists => "cannot be read",
            None => "is missing",
        };
        Some(RecordsError::Suppression(format!(
            "The key of the suppression list {what}. Until this is corrected, no user is anonymised, created or \
             imported, because anonymised users could return. Nothing was changed. An administrator restores the \
             file from its own copy (LETHE_SUPPRESSION_KEY_FILE). If the key is lost, the data protection officer \
             destroys it, which empties the list: lethe suppression destroy"
        )))
    }
}

/// Compares the key file with the database.
pub async fn status(store: &Store) -> Result<KeyStatus, RecordsError> {
    status_of(&store.db, &store.settings.suppression_key).await
}

async fn status_of(db: &impl ConnectionTrait, path: &Path) -> Result<KeyStatus, RecordsError> {
    let read = read(path).await;
    let exists = !matches!(&read, Err(error) if error.is_missing());
    let found = read.ok().map(|key| key.fingerprint());
    let known = match &found {
        Some(fingerprint) => suppression_list_keys::Entity::find_by_id(fingerprint.clone()).one(db).await?,
        None => None,
    };
    Ok(KeyStatus {
        file: path.to_owned(),
        is_destroyed: known.is_some_and(|known| known.destroyed_at.is_some()),
        found,
        exists,
        expected: current(db).await?,
        has_rows: has_rows(db).await?,
    })
}

/// Creates the key of a new database. An existing database with a missing or another key is reported only, so that
/// Lethe starts.
pub async fn establish(store: &Store) -> Result<(), RecordsError> {
    let status = status(store).await?;
    if status.found.is_some() && status.found == status.expected {
        return Ok(());
    }
    let tx = store.begin().await?;
    match ListKey::load(&tx, store).await {
        Ok(_) => store.commit(tx).await,
        Err(RecordsError::Suppression(why)) => {
            tracing::warn!("{why}");
            Ok(tx.rollback().await?)
        }
        Err(error) => Err(error),
    }
}

/// Records the key of a file as the current one. Creates the file if it is missing.
async fn adopt(tx: &DatabaseTransaction, path: &Path) -> Result<ListKey, RecordsError> {
    let of = path.to_owned();
    blocking(move || file::make(&of)).await.map_err(|error| unusable(&error))?;
    let key = read(path).await.map_err(|error| unusable(&error))?;
    record(tx, &key.fingerprint()).await?;
    Ok(key)
}

/// Marks the current key as destroyed and records a new one.
pub(super) async fn record(tx: &DatabaseTransaction, fingerprint: &str) -> Result<(), DbErr> {
    let now = Clock::system_now();
    suppression_list_keys::Entity::update_many()
        .col_expr(suppression_list_keys::Column::DestroyedAt, Expr::value(now))
        .filter(suppression_list_keys::Column::DestroyedAt.is_null())
        .filter(suppression_list_keys::Column::Fingerprint.ne(fingerprint))
        .exec(tx)
        .await?;
    let row = suppression_list_keys::ActiveModel {
        fingerprint: Set(fingerprint.to_owned()),
        recorded_at: Set(now),
        destroyed_at: Set(None),
    };
    let unless = OnConflict::new().do_nothing().to_owned();
    suppression_list_keys::Entity::insert(row).on_conflict(unless).exec_without_returning(tx).await?;
    Ok(())
}

/// Returns the fingerprint of the new key in a file.
pub(super) async fn fingerprint_in(path: &Path) -> Result<String, RecordsError> {
    Ok(read(path).await.map_err(|error| unusable(&error))?.fingerprint())
}

async fn current(db: &impl ConnectionTrait) -> Result<Option<String>, DbErr> {
    let current = suppression_list_keys::Column::DestroyedAt.is_null();
    let row = suppression_list_keys::Entity::find().filter(current).one(db).await?;
    Ok(row.map(|row| row.fingerprint))
}

/// Returns the current fingerprint, and excludes [`lock`] until the transaction ends.
async fn lock_shared(tx: &DatabaseTransaction) -> Result<Option<String>, DbErr> {
    let current =
        suppression_list_keys::Entity::find().filter(suppression_list_keys::Column::DestroyedAt.is_null());
    // A writing transaction of SQLite excludes others anyway.
    let current = match tx.get_database_backend() {
        DatabaseBackend::Postgres => current.lock_shared(),
        _ => current,
    };
    Ok(current.one(tx).await?.map(|row| row.fingerprint))
}

/// Waits for the transactions that use the key.
pub(super) async fn lock(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    suppression_list_keys::Entity::find()
        .filter(suppression_list_keys::Column::DestroyedAt.is_null())
        .lock_exclusive()
        .all(tx)
        .await?;
    Ok(())
}

async fn has_rows(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let any = suppressed_keys::Entity::find().select_only().column(suppressed_keys::Column::Id);
    Ok(any.into_tuple::<i64>().one(db).await?.is_some())
}

async fn read(path: &Path) -> Result<ListKey, KeyFileError> {
    let of = path.to_owned();
    let key = blocking(move || file::read(&of)).await?;
    ListKey::new(&key)
}

/// Runs file operations outside of the asynchronous runtime.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyFileError> + Send + 'static,
) -> Result<T, KeyFileError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(io::Error::other("broken off").into()))
}

/// Returns the error about a key file that cannot be written or read.
pub(super) fn unusable(error: &KeyFileError) -> RecordsError {
    RecordsError::Suppression(format!(
        "The key file of the suppression list cannot be used: {error}. Nothing was changed. Allow the user that runs \
         Lethe to read and write it, or correct LETHE_SUPPRESSION_KEY_FILE"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_depend_on_key_kind_and_value() {
        let [key, other] = [1, 2].map(|byte| ListKey::new(&[byte; KEY_BYTES]).expect("a key"));
        let digest = key.digest(KeyKind::Barcode, "123");
        assert_eq!(digest, key.digest(KeyKind::Barcode, "123"));
        assert_ne!(digest, key.digest(KeyKind::UserId, "123"));
        assert_ne!(digest, key.digest(KeyKind::Barcode, "124"));
        assert_ne!(digest, other.digest(KeyKind::Barcode, "123"));
        assert_eq!(digest.0.len(), DIGEST_DIGITS);
        assert!(digest.id() > 0);
        assert_ne!(key.fingerprint(), other.fingerprint());
        assert_ne!(key.line_digest("123"), digest.0);
    }
}
