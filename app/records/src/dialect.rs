//! Everything in which SQLite and PostgreSQL differ stands here and nowhere else.

mod blocks;
mod tables;

pub(crate) use blocks::{Block, Blocks, FIELD, RECORD, Source, different, position, position_is, snapshot};
pub(crate) use tables::{ColumnFacts, ColumnKind, TableFacts, quoted, tables};
pub use tables::schema;

use crate::error::RecordsError;
use sea_orm::sea_query::Value;
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};

/// How long a writer waits for another one, in milliseconds.
const BUSY_TIMEOUT: &str = "10000";

/// Sets up a connection: SQLite overwrites what it deletes, keeps a write-ahead log and checks foreign keys.
pub(crate) fn connect_options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.sqlx_logging(false).max_connections(if url.contains(":memory:") { 1 } else { 8 });
    options.map_sqlx_sqlite_opts(|options| {
        options
            .pragma("journal_mode", "WAL")
            .pragma("synchronous", "NORMAL")
            .pragma("busy_timeout", BUSY_TIMEOUT)
            .pragma("foreign_keys", "ON")
            .pragma("secure_delete", "ON")
            .pragma("cache_size", "-65536")
    });
    options
}

/// Begins a transaction that will write: on SQLite it takes the write lock at once, so that it can wait for it.
pub(crate) async fn begin(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    db.begin_with_options(options).await
}

/// A statement with `?` as place holders, whatever the database. A literal `?` cannot be written.
pub(crate) fn statement(backend: DatabaseBackend, sql: &str, values: Vec<Value>) -> Statement {
    if backend != DatabaseBackend::Postgres {
        return Statement::from_sql_and_values(backend, sql, values);
    }
    let mut numbered = String::with_capacity(sql.len() + values.len() * 2);
    for (place, part) in sql.split('?').enumerate() {
        if place > 0 {
            numbered.push('$');
            numbered.push_str(&place.to_string());
        }
        numbered.push_str(part);
    }
    Statement::from_sql_and_values(backend, numbered, values)
}

/// Place holders for a list of this many values.
pub(crate) fn places(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// A place holder for a date, where the database cannot see by itself that it is one. (SQLite has dates as text.)
pub(crate) const fn date_place(backend: DatabaseBackend) -> &'static str {
    match backend {
        DatabaseBackend::Postgres => "CAST(? AS DATE)",
        _ => "?",
    }
}

/// The first day of the month of a date column.
pub(crate) fn first_of_month(backend: DatabaseBackend, column: &str) -> String {
    match backend {
        DatabaseBackend::Postgres => format!("CAST(date_trunc('month', {column}) AS DATE)"),
        _ => format!("date({column}, 'start of month')"),
    }
}

/// The month of a date column as text, `2018-01`.
pub(crate) fn month(backend: DatabaseBackend, column: &str) -> String {
    match backend {
        DatabaseBackend::Postgres => format!("to_char({column}, 'YYYY-MM')"),
        _ => format!("strftime('%Y-%m', {column})"),
    }
}

/// The year of a date column as text, `2018`.
pub(crate) fn year(backend: DatabaseBackend, column: &str) -> String {
    match backend {
        DatabaseBackend::Postgres => format!("to_char({column}, 'YYYY')"),
        _ => format!("strftime('%Y', {column})"),
    }
}

/// What locks the rows of a query against other writers; SQLite has locked the whole database by then.
pub(crate) const fn for_update(backend: DatabaseBackend) -> &'static str {
    match backend {
        DatabaseBackend::Postgres => " FOR UPDATE",
        _ => "",
    }
}

/// After rows were written with keys of their own: makes the next key follow the greatest. SQLite does so by itself.
pub(crate) async fn restart_keys(db: &impl ConnectionTrait, table: &str, key: &str) -> Result<(), DbErr> {
    if db.get_database_backend() == DatabaseBackend::Postgres {
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('{table}', '{key}'), COALESCE(MAX({key}), 0) + 1, FALSE) FROM {table}"
        );
        db.execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// Whether a change failed only because another writer was at work: it can be tried again.
pub(crate) fn is_busy(error: &RecordsError) -> bool {
    use sea_orm::{RuntimeErr, SqlxError};
    let RecordsError::Database(error) = error else { return false };
    match error {
        DbErr::ConnectionAcquire(_) => true,
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            let code = match &**error {
                SqlxError::Database(error) => error.code(),
                _ => None,
            };
            // SQLITE_BUSY, SQLITE_LOCKED and their kinds; serialization_failure, deadlock_detected, lock_not_available.
            let busy = ["5", "6", "261", "262", "517", "518", "773", "40001", "40P01", "55P03"];
            code.is_some_and(|code| busy.contains(&&*code))
        }
        _ => false,
    }
}

/// What makes removed values vanish from the database files after a run.
pub(crate) async fn sweep(db: &DatabaseConnection, tables: &[&str]) -> Result<(), DbErr> {
    if db.get_database_backend() == DatabaseBackend::Postgres {
        for table in tables {
            db.execute_unprepared(&format!("VACUUM (ANALYZE) {table}")).await?;
        }
        return Ok(());
    }
    // Somebody who reads meanwhile does not make it fail: it answers that it was busy.
    let sql = Statement::from_string(DatabaseBackend::Sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
    let row = db.query_one_raw(sql).await?;
    if row.is_none_or(|row| row.try_get_by_index::<i32>(0) != Ok(0)) {
        return Err(DbErr::Custom("the write-ahead log could not be truncated".to_owned()));
    }
    Ok(())
}
