//! Making removed values vanish from the files.

use super::statement;
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr, Statement, TransactionTrait};
use std::path::PathBuf;

/// How long the statistics of a table wait for others who look after the same table.
const LOCK_TIMEOUT: &str = "'3s'";

/// Writes tables anew, so that no old row is left in their files.
pub(crate) async fn rewrite(db: &DatabaseConnection, tables: &[&str]) -> Result<(), DbErr> {
    if db.get_database_backend() == DatabaseBackend::Postgres {
        for table in tables {
            db.execute_unprepared(&format!("VACUUM (FULL, ANALYZE) {table}")).await?;
            forget_statistics_of_empty(db, table).await?;
        }
        // The samples of old values are rows, too.
        db.execute_unprepared("VACUUM (FULL) pg_catalog.pg_statistic").await?;
        return Ok(());
    }
    db.execute_unprepared("VACUUM").await?;
    Ok(())
}

/// What makes removed values vanish from the database files after a run.
pub(crate) async fn sweep(db: &DatabaseConnection, tables: &[&str]) -> Result<(), DbErr> {
    if db.get_database_backend() == DatabaseBackend::Postgres {
        for table in tables {
            db.execute_unprepared(&format!("VACUUM (ANALYZE) {table}")).await?;
            forget_statistics_of_empty(db, table).await?;
        }
        return Ok(());
    }
    // Whoever analysed the library has left samples of its values in a table of SQLite's own.
    let sampled = "SELECT 1 FROM sqlite_master WHERE name LIKE 'sqlite_stat%'";
    if db.query_one_raw(Statement::from_string(DatabaseBackend::Sqlite, sampled)).await?.is_some() {
        db.execute_unprepared("ANALYZE").await?;
    }
    // Somebody who reads meanwhile does not make it fail: it answers that it was busy.
    let sql = Statement::from_string(DatabaseBackend::Sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
    let row = db.query_one_raw(sql).await?;
    if row.is_none_or(|row| row.try_get_by_index::<i32>(0) != Ok(0)) {
        return Err(DbErr::Custom("the write-ahead log could not be truncated".to_owned()));
    }
    Ok(())
}

/// PostgreSQL analyses no table that is empty, and keeps the samples of its old values. So the table is analysed with one
/// row of nothing in it, which is gone when the transaction ends: no other one ever sees it, and none waits for a lock
/// that keeps readers or writers out.
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
    #[allow(clippy::disallowed_methods, reason = "there is nothing to note")]
    tx.commit().await
}

/// The columns that must have a value, and values that say nothing: of another table, whatever stands there.
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

/// The file of an embedded database; None where there is none.
pub(crate) async fn file(db: &DatabaseConnection) -> Result<Option<PathBuf>, DbErr> {
    if !super::is_embedded(db) {
        return Ok(None);
    }
    let sql = "SELECT file FROM pragma_database_list WHERE name = 'main'";
    let row = db.query_one_raw(Statement::from_string(DatabaseBackend::Sqlite, sql)).await?;
    let file: Option<String> = row.map(|row| row.try_get("", "file")).transpose()?;
    Ok(file.filter(|file| !file.is_empty()).map(PathBuf::from))
}

/// How large the database's file is, in bytes; None where it is not one file.
pub(crate) async fn file_size(db: &DatabaseConnection) -> Result<Option<u64>, DbErr> {
    if db.get_database_backend() == DatabaseBackend::Postgres {
        return Ok(None);
    }
    let sql = "SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size";
    let row = db.query_one_raw(Statement::from_string(DatabaseBackend::Sqlite, sql)).await?;
    let bytes: Option<i64> = row.map(|row| row.try_get("", "bytes")).transpose()?;
    Ok(bytes.and_then(|bytes| u64::try_from(bytes).ok()))
}

/// A moment, by the transactions that there were: PostgreSQL keeps an old row while somebody reads who began before it
/// was changed.
pub(crate) struct Horizon(Option<String>);

/// Now. None on SQLite, whose pages are overwritten whoever reads.
pub(crate) async fn horizon(db: &DatabaseConnection) -> Result<Horizon, DbErr> {
    if db.get_database_backend() != DatabaseBackend::Postgres {
        return Ok(Horizon(None));
    }
    let sql = "SELECT CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS now";
    let row = db.query_one_raw(Statement::from_string(DatabaseBackend::Postgres, sql)).await?;
    Ok(Horizon(row.map(|row| row.try_get("", "now")).transpose()?))
}

/// Whether something still keeps rows that were old at that moment: who reads in this database, a transaction that is
/// prepared, a replica. (Of sessions of other roles only a monitor learns that.)
pub(crate) async fn is_held_back(db: &DatabaseConnection, then: &Horizon) -> Result<bool, DbErr> {
    let Horizon(Some(then)) = then else { return Ok(false) };
    let sql = "WITH keepers AS (\
               SELECT backend_xmin AS kept FROM pg_stat_activity \
               WHERE pid <> pg_backend_pid() AND datname = current_database() \
               UNION ALL SELECT transaction FROM pg_prepared_xacts WHERE database = current_database() \
               UNION ALL SELECT xmin FROM pg_replication_slots) \
               SELECT 1 AS held FROM keepers WHERE kept IS NOT NULL \
               AND age(kept) > age(CAST(CAST(? AS XID8) AS XID)) LIMIT 1";
    let statement = statement(DatabaseBackend::Postgres, sql, vec![then.as_str().into()]);
    Ok(db.query_one_raw(statement).await?.is_some())
}
