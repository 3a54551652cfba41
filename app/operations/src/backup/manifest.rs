//! The manifest: a file beside a backup that describes its content.

use chrono::{DateTime, Utc};
use db::RecordsError;
use sea_orm::{ConnectionTrait, Statement};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub(super) const FORMAT: &str = "lethe-backup-1";

/// The content of a backup: counts, positions and codes, without personal data.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The format of this file.
    pub format: String,
    /// `sqlite` (a database file) or `postgres` (an archive for `pg_restore`).
    pub database: String,
    /// The instant at which the backup began.
    pub made_at: DateTime<Utc>,
    /// The positions of the database.
    #[serde(flatten)]
    pub positions: Positions,
    /// The size of the backup, in bytes.
    pub bytes: u64,
    /// The SHA-256 of the backup, in hexadecimal.
    pub sha256: String,
}

/// The positions of a database in schema, ledger and audit, with counts.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Positions {
    /// The last migration.
    pub schema: String,
    /// The random name of the installation. None before the first ledger.
    pub library: Option<String>,
    /// The last ledger entry that the database contains.
    pub ledger_sequence: i64,
    /// The last event of the audit.
    pub audit_sequence: i64,
    /// The fingerprint of the current key.
    pub key_fingerprint: Option<String>,
    /// The number of users.
    pub users: i64,
    /// The number of anonymised users.
    pub anonymised: i64,
}

impl Positions {
    /// Reads the positions of a database.
    pub(super) async fn read(db: &impl ConnectionTrait) -> Result<Self, RecordsError> {
        let backend = db.get_database_backend();
        // Raw SQL: one statement reads all tables, so that the positions belong together.
        let sql = "SELECT (SELECT MAX(version) FROM seaql_migrations) AS schema, \
                   (SELECT library FROM ledger_mark) AS library, \
                   (SELECT sequence FROM ledger_mark) AS ledger, (SELECT sequence FROM audit_head) AS audit, \
                   (SELECT fingerprint FROM installation_keys WHERE replaced_at IS NULL) AS fingerprint, \
                   (SELECT COUNT(*) FROM users) AS users, \
                   (SELECT COUNT(*) FROM users WHERE anonymised_on IS NOT NULL) AS anonymised";
        let row = db.query_one_raw(Statement::from_string(backend, sql)).await?;
        let row = row.ok_or(RecordsError::Corrupt("position"))?;
        Ok(Self {
            schema: row.try_get("", "schema")?,
            library: row.try_get("", "library")?,
            ledger_sequence: row.try_get::<Option<i64>>("", "ledger")?.unwrap_or_default(),
            audit_sequence: row.try_get::<Option<i64>>("", "audit")?.unwrap_or_default(),
            key_fingerprint: row.try_get("", "fingerprint")?,
            users: row.try_get("", "users")?,
            anonymised: row.try_get("", "anonymised")?,
        })
    }
}

/// Returns the path of the manifest of a backup.
pub fn manifest_beside(backup: &Path) -> PathBuf {
    let mut name = backup.as_os_str().to_owned();
    name.push(".manifest.json");
    name.into()
}

/// Returns the size and the SHA-256 of a file.
pub(super) fn digest(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok((bytes, base16ct::lower::encode_string(&hash.finalize())));
        }
        bytes += read as u64;
        hash.update(&piece[..read]);
    }
}
