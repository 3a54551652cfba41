//! Everything in which SQLite and PostgreSQL differ stands here and nowhere else.

mod blocks;
mod causes;
mod connect;
mod fault;
mod files;
mod tables;

pub(crate) use blocks::{Block, Blocks, FIELD, RECORD, Source, different, position, position_is, snapshot};
pub(crate) use causes::{answers, cause, is_damage, remedy};
pub(crate) use connect::{connect_options, probe_options};
pub(crate) use fault::fault_of;
pub(crate) use files::{file, file_size, horizon, is_held_back, rewrite, sweep};
pub use tables::schema;
pub(crate) use tables::{ColumnFacts, ColumnKind, TableFacts, quoted, tables};

use crate::error::RecordsError;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Value;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr,
    IsolationLevel, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};

/// Lets a change wait for the rows of another one for 10 seconds, as `busy_timeout` does on SQLite.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '10s'";
/// Lets the probe wait for a commit for 1 second.
const PROBE_LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '1s'";

/// Begins a transaction that will write: on SQLite it takes the write lock at once, so that it can wait for it.
pub(crate) async fn begin(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let tx = db.begin_with_options(options).await?;
    if tx.get_database_backend() == DatabaseBackend::Postgres {
        tx.execute_unprepared(LOCK_TIMEOUT).await?;
    }
    Ok(tx)
}

/// Waits until a writer could commit now. Fails as busy after the time that requests wait too.
pub(crate) async fn wait_for_writers(db: &DatabaseConnection) -> Result<(), DbErr> {
    // On SQLite a write of its own has waited for them.
    if is_embedded(db) {
        return Ok(());
    }
    let tx = db.begin().await?;
    tx.execute_unprepared(PROBE_LOCK_TIMEOUT).await?;
    // Every change locks this row before its commit.
    tx.execute_unprepared("SELECT id FROM audit_head FOR UPDATE").await?;
    tx.rollback().await
}

/// Begins a transaction that only reads, and sees everything as it was at one moment.
pub(crate) async fn begin_reading(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    if db.get_database_backend() == DatabaseBackend::Postgres {
        return db.begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)).await;
    }
    db.begin().await
}

/// Whether the database is a file of this computer.
pub(crate) fn is_embedded(db: &DatabaseConnection) -> bool {
    db.get_database_backend() != DatabaseBackend::Postgres
}

/// The clock of the database; None where it has none of its own.
pub(crate) async fn clock(db: &DatabaseConnection) -> Result<Option<DateTime<Utc>>, DbErr> {
    if is_embedded(db) {
        return Ok(None);
    }
    let sql = Statement::from_string(DatabaseBackend::Postgres, "SELECT clock_timestamp() AS now");
    db.query_one_raw(sql).await?.map(|row| row.try_get("", "now")).transpose()
}

/// The condition that a row was written by the present transaction. On SQLite, which has one writer at a time, nobody
/// else's row can come in between; what was there before, the caller knows.
pub(crate) const fn is_of_this_transaction(backend: DatabaseBackend) -> &'static str {
    match backend {
        DatabaseBackend::Postgres => "xmin = CAST(pg_current_xact_id_if_assigned() AS XID)",
        _ => "TRUE",
    }
}

/// An instant as text: in microseconds, where the database has a type for instants, and as it is where it has not.
pub(crate) fn instant_text(backend: DatabaseBackend, column: &str) -> String {
    match backend {
        DatabaseBackend::Postgres => format!(
            "CASE WHEN isfinite({column}) THEN \
             CAST(CAST(EXTRACT(EPOCH FROM {column}) * 1000000 AS BIGINT) AS TEXT) END"
        ),
        _ => format!("CAST({column} AS TEXT)"),
    }
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

/// Numbers as the value of one place holder, for [`among`] and [`each_of`]: however many they are, the statement
/// stays the same, and the database need not read it again.
pub(crate) fn list(backend: DatabaseBackend, numbers: impl IntoIterator<Item = i64>) -> Value {
    let numbers: Vec<String> = numbers.into_iter().map(|number| number.to_string()).collect();
    let numbers = numbers.join(",");
    match backend {
        DatabaseBackend::Postgres => format!("{{{numbers}}}").into(),
        _ => format!("[{numbers}]").into(),
    }
}

/// The condition that a column is among the numbers of a [`list`].
pub(crate) fn among(backend: DatabaseBackend, column: &str) -> String {
    match backend {
        DatabaseBackend::Postgres => format!("{column} = ANY(CAST(? AS BIGINT[]))"),
        _ => format!("{column} IN (SELECT value FROM json_each(?))"),
    }
}

/// The objects of a JSON array, the value of one place holder, as rows `name` with these columns of text and with
/// the column `number`.
pub(crate) fn objects(backend: DatabaseBackend, name: &str, texts: &[&str]) -> String {
    if backend == DatabaseBackend::Postgres {
        let texts = texts.iter().map(|text| format!(", {text} TEXT")).collect::<Vec<_>>().concat();
        return format!("json_to_recordset(CAST(? AS JSON)) AS {name}(number BIGINT{texts})");
    }
    let texts =
        texts.iter().map(|text| format!(", value ->> '{text}' AS {text}")).collect::<Vec<_>>().concat();
    format!("(SELECT value ->> 'number' AS number{texts} FROM json_each(?)) AS {name}")
}

/// A place holder for a date, where the database cannot see by itself that it is one. (SQLite has dates as text.)
pub(crate) const fn date_place(backend: DatabaseBackend) -> &'static str {
    match backend {
        DatabaseBackend::Postgres => "CAST(? AS DATE)",
        _ => "?",
    }
}

/// The type of an instant. (SQLite has instants as text.)
pub(crate) const fn instant_type(backend: DatabaseBackend) -> &'static str {
    match backend {
        DatabaseBackend::Postgres => "TIMESTAMPTZ",
        _ => "TEXT",
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

/// The lock that keeps the anonymiser and new holds on categories apart. (SQLite has one writer anyway.)
const CATEGORY_HOLDS: i64 = 0x1e7e_401d;

/// Waits for whoever places a hold on a category, and keeps others from doing so until the transaction ends.
pub(crate) async fn pass_category_holds(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    advisory_lock(tx, "pg_advisory_xact_lock_shared", CATEGORY_HOLDS).await
}

/// Waits until nobody is being anonymised, and keeps everybody from it until the transaction ends.
pub(crate) async fn close_category_holds(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    advisory_lock(tx, "pg_advisory_xact_lock", CATEGORY_HOLDS).await
}

/// The first part of the locks under which the manual changes of one actor are counted.
const MANUAL_CHANGES: i32 = 0x01e7_e401;

/// Waits for other manual changes of this member of staff (0 for the command line), and keeps them waiting until the
/// transaction ends. (SQLite has one writer anyway.)
pub(crate) async fn lock_manual_changes(tx: &DatabaseTransaction, staff: i64) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    if backend == DatabaseBackend::Postgres {
        let sql = format!("SELECT pg_advisory_xact_lock({MANUAL_CHANGES}, {})", staff % i64::from(i32::MAX));
        tx.query_one_raw(Statement::from_string(backend, sql)).await?;
    }
    Ok(())
}

/// The lock under which it is decided which task is the default. (SQLite has one writer anyway.)
const TASK_DEFAULT: i64 = 0x1e7e_402d;

/// Waits for other transactions that choose the default task, and keeps them waiting until this one ends.
pub(crate) async fn lock_task_default(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    advisory_lock(tx, "pg_advisory_xact_lock", TASK_DEFAULT).await
}

async fn advisory_lock(tx: &DatabaseTransaction, function: &str, key: i64) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    if backend == DatabaseBackend::Postgres {
        let sql = format!("SELECT {function}({key})");
        tx.query_one_raw(Statement::from_string(backend, sql)).await?;
    }
    Ok(())
}

/// As [`for_update`], for rows that nobody else has locked: the others are left out instead of waited for.
pub(crate) const fn for_update_of_free_rows(backend: DatabaseBackend) -> &'static str {
    match backend {
        DatabaseBackend::Postgres => " FOR UPDATE SKIP LOCKED",
        _ => "",
    }
}

/// Finds rows by their indexes for the rest of the transaction. PostgreSQL believes that a [`list`] has ten numbers: it
/// would read a small table whole, and compare each row with all of a thousand.
pub(crate) async fn prefer_indexes(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    if tx.get_database_backend() == DatabaseBackend::Postgres {
        tx.execute_unprepared("SET LOCAL enable_seqscan = off").await?;
    }
    Ok(())
}

/// Keys for rows that are about to be written, in a transaction that writes; nobody else is given them.
pub(crate) async fn next_ids(tx: &DatabaseTransaction, table: &str, count: usize) -> Result<Vec<i64>, DbErr> {
    let backend = tx.get_database_backend();
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    if backend == DatabaseBackend::Postgres {
        let sql = format!(
            "SELECT nextval(pg_get_serial_sequence('{table}', 'id')) AS id FROM generate_series(1, ?)"
        );
        let rows = tx.query_all_raw(statement(backend, &sql, vec![count.into()])).await?;
        return rows.iter().map(|row| row.try_get("", "id")).collect();
    }
    // The transaction is the only one that writes.
    let sql = format!("SELECT COALESCE(MAX(id), 0) AS id FROM {table}");
    let row = tx.query_one_raw(statement(backend, &sql, Vec::new())).await?;
    let last: i64 = row.map_or(Ok(0), |row| row.try_get("", "id"))?;
    Ok((last + 1..=last.saturating_add(count)).collect())
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

/// After many rows came into a table at once: lets PostgreSQL count them, or it reads the table as if they were not
/// there. SQLite does not plan by counts.
pub(crate) async fn count_rows_anew(db: &impl ConnectionTrait, table: &str) -> Result<(), DbErr> {
    if db.get_database_backend() == DatabaseBackend::Postgres {
        db.execute_unprepared(&format!("ANALYZE {table}")).await?;
    }
    Ok(())
}

/// Whether a change failed for a reason that passes: another writer, a full disk, a lost connection. It can be tried again.
pub(crate) fn is_passing(error: &RecordsError) -> bool {
    error.fault().is_some()
}

/// Whether the database says that another one holds what is needed.
pub(crate) fn is_busy_error(error: &DbErr) -> bool {
    // SQLITE_BUSY, SQLITE_LOCKED and their kinds; serialization_failure, deadlock_detected, lock_not_available.
    let busy = ["5", "6", "261", "262", "517", "518", "773", "40001", "40P01", "55P03"];
    causes::code_of(error).is_some_and(|code| busy.contains(&&*code))
}

/// Whether a commit that failed is certain to have changed nothing. Where the connection was lost on the way,
/// nobody can tell.
pub(crate) fn is_rolled_back(error: &DbErr) -> bool {
    use sea_orm::{RuntimeErr, SqlxError};
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    let SqlxError::Database(error) = &**error else { return false };
    // SQLITE_BUSY and its kinds, SQLITE_CONSTRAINT_FOREIGNKEY and _TRIGGER; serialization_failure,
    // deadlock_detected, and what a deferred constraint refuses.
    let certain = ["5", "261", "517", "773", "787", "1811", "40001", "40P01"];
    error.code().is_some_and(|code| certain.contains(&&*code) || (code.len() == 5 && code.starts_with("23")))
}
