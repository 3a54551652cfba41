//! Cleaning the database files of removed values.

use super::bind;
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr, Statement, TransactionTrait};
use std::path::PathBuf;

/// The time that updating the statistics of a table waits for other maintenance of it.
const LOCK_TIMEOUT: &str = "'3s'";

/// Rewrites tables, so that their files contain no old rows.
pub async fn vacuum_full(db: &DatabaseConnection, tables: &[&str]) -> Result<(), DbErr> {
    if db.get_database_backend() == DatabaseBackend::Postgres {
        for table in tables {
            db.execute_unprepared(&format!("VACUUM (FULL, ANALYZE) {table}")).await?;
            forget_statistics_of_empty(db, table).await?;
        }
        // The statistics contain samples of old values.
        db.execute_unprepared("VACUUM (FULL) pg_catalog.pg_statistic").await?;
        return Ok(());
    }
    db.execute_unprepared("VACUUM").await?;
    Ok(())
}

/// Removes deleted values from the database files after a run.
pub async fn checkpoint(db: &DatabaseConnection, tables: &[&str]) -> Result<(), DbErr> {
    if db.get_database_backend() == DatabaseBackend::Postgres {
        for table in tables {
            db.execute_unprepared(&format!("VACUUM (ANALYZE) {table}")).await?;
            forget_statistics_of_empty(db, table).await?;
        }
        return Ok(());
    }
    // An earlier ANALYZE may have stored samples of values in tables of SQLite.
    let sampled = "SELECT 1 FROM sqlite_master WHERE name LIKE 'sqlite_stat%'";
    if db.query_one_raw(Statement::from_string(DatabaseBackend::Sqlite, sampled)).await?.is_some() {
        db.execute_unprepared("ANALYZE").await?;
    }
    // A concurrent reader does not cause an error. The result states that the log is busy.
    let sql = Statement::from_string(DatabaseBackend::Sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
    let row = db.query_one_raw(sql).await?;
    if row.is_none_or(|row| row.try_get_by_index::<i32>(0) != Ok(0)) {
        return Err(DbErr::Custom("the write-ahead log could not be truncated".to_owned()));
    }
    Ok(())
}

/// Removes the statistics of an empty table. PostgreSQL does not analyse empty tables and keeps samples of their
/// old values. The table is therefore analysed with a placeholder row, deleted in the same transaction. Other
/// transactions never see the row, and no lock excludes readers or writers.
async fn forget_statistics_of_empty(db: &DatabaseConnection, table: &str) -> Result<(), DbErr> {
    let backend = DatabaseBackend::Postgres;
    let sampled = format!(
        "SELECT 1 FROM pg_stats WHERE schemaname = current_schema() AND tablename = '{table}' \
         AND NOT EXISTS (SELECT 1 FROM {table}) LIMIT 1"
    );
    if db.query_one_raw(Statement::from_string(backend, sampled)).await?.is_none() {
        return Ok(());
    }
    let (columns, values) = row_of_nothing(db, table).await?;
    let tx = db.begin().await?;
    tx.execute_unprepared(&format!("SET LOCAL lock_timeout = {LOCK_TIMEOUT}")).await?;
    let insert = format!("INSERT INTO {table} ({columns}) VALUES ({values}) RETURNING ctid::text AS place");
    let row = tx.query_one_raw(Statement::from_string(backend, insert)).await?;
    let place: String = row.ok_or(DbErr::RecordNotInserted)?.try_get("", "place")?;
    tx.execute_unprepared(&format!("ANALYZE {table}")).await?;
    tx.execute_unprepared(&format!("DELETE FROM {table} WHERE ctid = '{place}'")).await?;
    #[allow(clippy::disallowed_methods, reason = "there is nothing to record")]
    tx.commit().await
}

/// Returns the columns that need a value, and neutral values. For a foreign key this is any existing key.
async fn row_of_nothing(db: &DatabaseConnection, table: &str) -> Result<(String, String), DbErr> {
    let sql = format!(
        "SELECT quote_ident(a.attname) AS name, \
         CASE WHEN f.confrelid IS NOT NULL THEN \
           '(SELECT MIN(' || quote_ident(r.attname) || ') FROM ' || f.confrelid::regclass || ')' \
         ELSE CASE t.typcategory WHEN 'N' THEN '0' WHEN 'B' THEN 'FALSE' WHEN 'D' THEN '''1970-01-01''' \
           ELSE '''''' END END AS value \
         FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
         LEFT JOIN pg_constraint f ON f.conrelid = a.attrelid AND f.contype = 'f' AND f.conkey = ARRAY[a.attnum] \
         LEFT JOIN pg_attribute r ON r.attrelid = f.confrelid AND r.attnum = f.confkey[1] \
         WHERE a.attrelid = '{table}'::regclass AND a.attnum > 0 AND NOT a.attisdropped \
         AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' ORDER BY a.attnum"
    );
    let rows = db.query_all_raw(Statement::from_string(DatabaseBackend::Postgres, sql)).await?;
    let texts = |column: &str| -> Result<String, DbErr> {
        let texts: Result<Vec<String>, DbErr> = rows.iter().map(|row| row.try_get("", column)).collect();
        Ok(texts?.join(", "))
    };
    Ok((texts("name")?, texts("value")?))
}

/// Returns the file of an embedded database. None if there is none.
pub async fn file(db: &DatabaseConnection) -> Result<Option<PathBuf>, DbErr> {
    if !super::is_embedded(db) {
        return Ok(None);
    }
    let sql = "SELECT file FROM pragma_database_list WHERE name = 'main'";
    let row = db.query_one_raw(Statement::from_string(DatabaseBackend::Sqlite, sql)).await?;
    let file: Option<String> = row.map(|row| row.try_get("", "file")).transpose()?;
    Ok(file.filter(|file| !file.is_empty()).map(PathBuf::from))
}

/// Copies an SQLite database into an empty file.
pub async fn copy_into(db: &DatabaseConnection, file: &str) -> Result<(), DbErr> {
    // Raw SQL: VACUUM INTO is a command of SQLite.
    let into = super::bind(DatabaseBackend::Sqlite, "VACUUM INTO ?", vec![file.into()]);
    db.execute_raw(into).await?;
    Ok(())
}

/// Returns the size of the database file, in bytes. None on PostgreSQL.
pub async fn file_size(db: &DatabaseConnection) -> Result<Option<u64>, DbErr> {
    if db.get_database_backend() == DatabaseBackend::Postgres {
        return Ok(None);
    }
    let sql = "SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size";
    let row = db.query_one_raw(Statement::from_string(DatabaseBackend::Sqlite, sql)).await?;
    let bytes: Option<i64> = row.map(|row| row.try_get("", "bytes")).transpose()?;
    Ok(bytes.and_then(|bytes| u64::try_from(bytes).ok()))
}

/// A moment in the order of transactions. PostgreSQL keeps an old row while a reader exists that began before the
/// row was changed.
pub struct SnapshotXmax(Option<String>);

/// Returns the current moment. None on SQLite, which overwrites pages regardless of readers.
pub async fn snapshot_xmax(db: &DatabaseConnection) -> Result<SnapshotXmax, DbErr> {
    if db.get_database_backend() != DatabaseBackend::Postgres {
        return Ok(SnapshotXmax(None));
    }
    let sql = "SELECT CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS now";
    let row = db.query_one_raw(Statement::from_string(DatabaseBackend::Postgres, sql)).await?;
    Ok(SnapshotXmax(row.map(|row| row.try_get("", "now")).transpose()?))
}

/// Returns whether rows that were old at that moment are still kept: by a reader of this database, a prepared
/// transaction or a replica. Sessions of other roles are visible only to members of `pg_monitor`.
pub async fn is_held_back(db: &DatabaseConnection, then: &SnapshotXmax) -> Result<bool, DbErr> {
    let SnapshotXmax(Some(then)) = then else { return Ok(false) };
    let sql = "WITH keepers AS (\
               SELECT backend_xmin AS kept FROM pg_stat_activity \
               WHERE pid <> pg_backend_pid() AND datname = current_database() \
               UNION ALL SELECT transaction FROM pg_prepared_xacts WHERE database = current_database() \
               UNION ALL SELECT xmin FROM pg_replication_slots) \
               SELECT 1 AS held FROM keepers WHERE kept IS NOT NULL \
               AND age(kept) > age(CAST(CAST(? AS XID8) AS XID)) LIMIT 1";
    let statement = bind(DatabaseBackend::Postgres, sql, vec![then.as_str().into()]);
    Ok(db.query_one_raw(statement).await?.is_some())
}
