//! Making removed values vanish from the files.

use super::statement;
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr, Statement, TransactionTrait};

/// How long a change that locks a table waits for the others.
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

/// PostgreSQL analyses no table that is empty, and keeps the samples of its old values. They go when the type of
/// their column is set, also to the one that it has.
async fn forget_statistics_of_empty(db: &DatabaseConnection, table: &str) -> Result<(), DbErr> {
    let backend = DatabaseBackend::Postgres;
    let filled = format!("SELECT 1 FROM {table} LIMIT 1");
    if db.query_one_raw(Statement::from_string(backend, filled)).await?.is_some() {
        return Ok(());
    }
    let query = format!(
        "SELECT quote_ident(a.attname) || ' TYPE ' || format_type(a.atttypid, a.atttypmod) \
         || COALESCE(' COLLATE ' || quote_ident(c.collname), '') AS change \
         FROM pg_attribute a JOIN pg_stats s ON s.attname = a.attname AND s.tablename = '{table}' \
         AND s.schemaname = current_schema() \
         LEFT JOIN pg_collation c ON c.oid = a.attcollation AND c.collname <> 'default' \
         WHERE a.attrelid = '{table}'::regclass AND a.attnum > 0"
    );
    let sampled = db.query_all_raw(Statement::from_string(backend, query)).await?;
    if sampled.is_empty() {
        return Ok(());
    }
    let tx = db.begin().await?;
    // Whoever waits for this lock lets everybody wait who comes after.
    tx.execute_unprepared(&format!("SET LOCAL lock_timeout = {LOCK_TIMEOUT}")).await?;
    for row in sampled {
        let change: String = row.try_get("", "change")?;
        tx.execute_unprepared(&format!("ALTER TABLE {table} ALTER COLUMN {change}")).await?;
    }
    #[allow(clippy::disallowed_methods, reason = "there is nothing to note")]
    tx.commit().await
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
