//! Searches the raw files of the database for canaries.

use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, Statement};

/// Returns the raw bytes of the files of an SQLite database, or nothing for PostgreSQL, which guarantees less (see
/// the register of personal data).
pub async fn files(db: &DatabaseConnection) -> Vec<u8> {
    if db.get_database_backend() != DatabaseBackend::Sqlite {
        return Vec::new();
    }
    let list = Statement::from_string(db.get_database_backend(), "PRAGMA database_list");
    let path: String = db.query_one_raw(list).await.unwrap().unwrap().try_get("", "file").unwrap();
    let mut bytes = Vec::new();
    for suffix in ["", "-wal", "-shm", "-journal"] {
        bytes.extend(std::fs::read(format!("{path}{suffix}")).unwrap_or_default());
    }
    assert!(!bytes.is_empty(), "the database has no files");
    bytes
}

/// Returns the values that occur in the bytes. (Bytes are read as text, because canaries are ASCII.)
pub fn found<'a>(canaries: &'a [String], bytes: &[u8]) -> Vec<&'a str> {
    let text = String::from_utf8_lossy(bytes);
    canaries.iter().map(String::as_str).filter(|canary| text.contains(canary)).collect()
}
