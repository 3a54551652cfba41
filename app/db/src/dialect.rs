//! The differences between SQLite and PostgreSQL. No other module may depend on the database in use.

mod blocks;
mod connect;
mod files;
mod indexes;
mod tables;
mod values;

pub use blocks::{Block, Blocks, FIELD, RECORD, Source, different, position, position_is, snapshot};
pub use connect::{answers, connect_options, copy_options, enlarge_cache, probe_options};
pub use files::{checkpoint, copy_into, file, file_size, is_held_back, snapshot_xmax, vacuum_full};
pub use indexes::DroppedIndexes;
pub use tables::{ColumnFacts, ColumnKind, TableFacts, quoted, schema, tables};
pub(crate) use values::{rows_of_recurring_statement, rows_of_values};

use crate::error;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Value;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr,
    IsolationLevel, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};

/// The time that a writer waits for row locks. It equals `busy_timeout` on SQLite.
const LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '10s'";
/// The time that the probe waits for a commit.
const PROBE_LOCK_TIMEOUT: &str = "SET LOCAL lock_timeout = '1s'";

/// Begins a transaction that writes. On SQLite it takes the write lock at once, so that it waits for other
/// writers.
pub async fn begin(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
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

/// Waits until a writer could commit. Fails as busy after the time that the probe may wait.
pub async fn wait_for_writers(db: &DatabaseConnection) -> Result<(), DbErr> {
    // On SQLite the probe's own write has waited for them.
    if is_embedded(db) {
        return Ok(());
    }
    let tx = db.begin().await?;
    tx.execute_unprepared(PROBE_LOCK_TIMEOUT).await?;
    // Every transaction that changes something locks this row before its commit.
    tx.execute_unprepared("SELECT id FROM audit_head FOR UPDATE").await?;
    tx.rollback().await
}

/// Begins a read-only transaction that sees the database at a single moment.
pub async fn begin_reading(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    if db.get_database_backend() == DatabaseBackend::Postgres {
        return db.begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)).await;
    }
    db.begin().await
}

/// Returns whether the database is a file on this computer.
pub fn is_embedded(db: &DatabaseConnection) -> bool {
    db.get_database_backend() != DatabaseBackend::Postgres
}

/// Returns the time of the database server. None on SQLite.
pub async fn clock(db: &DatabaseConnection) -> Result<Option<DateTime<Utc>>, DbErr> {
    if is_embedded(db) {
        return Ok(None);
    }
    let sql = Statement::from_string(DatabaseBackend::Postgres, "SELECT clock_timestamp() AS now");
    db.query_one_raw(sql).await?.map(|row| row.try_get("", "now")).transpose()
}

/// Returns the condition that a row was written by the current transaction. Always true on SQLite: it has one
/// writer at a time, and the caller knows which rows existed before.
pub const fn is_of_this_transaction(backend: DatabaseBackend) -> &'static str {
    match backend {
        DatabaseBackend::Postgres => "xmin = CAST(pg_current_xact_id_if_assigned() AS XID)",
        _ => "TRUE",
    }
}

/// Returns an instant as text: in microseconds on PostgreSQL, as stored on SQLite, which has no type for instants.
pub fn instant_text(backend: DatabaseBackend, column: &str) -> String {
    match backend {
        DatabaseBackend::Postgres => format!(
            "CASE WHEN isfinite({column}) THEN \
             CAST(CAST(EXTRACT(EPOCH FROM {column}) * 1000000 AS BIGINT) AS TEXT) END"
        ),
        _ => format!("CAST({column} AS TEXT)"),
    }
}

/// Returns a statement whose placeholders are `?`, for either database. The SQL cannot contain a literal `?`.
pub fn bind(backend: DatabaseBackend, sql: &str, values: Vec<Value>) -> Statement {
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

/// Returns a list of this many placeholders.
pub fn placeholders(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// Returns numbers as the value of one placeholder, for [`in_list`]. The statement does not depend on their count,
/// so the database parses it once.
pub fn id_list(backend: DatabaseBackend, numbers: impl IntoIterator<Item = i64>) -> Value {
    let numbers: Vec<String> = numbers.into_iter().map(|number| number.to_string()).collect();
    let numbers = numbers.join(",");
    match backend {
        DatabaseBackend::Postgres => format!("{{{numbers}}}").into(),
        _ => format!("[{numbers}]").into(),
    }
}

/// Returns the condition that a column is in an [`id_list`].
pub fn in_list(backend: DatabaseBackend, column: &str) -> String {
    match backend {
        DatabaseBackend::Postgres => format!("{column} = ANY(CAST(? AS BIGINT[]))"),
        _ => format!("{column} IN (SELECT value FROM json_each(?))"),
    }
}

/// Returns texts as the value of one placeholder, for [`in_text_list`].
pub fn text_list<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Value, DbErr> {
    let texts: Vec<&str> = texts.into_iter().collect();
    serde_json::to_string(&texts).map(Value::from).map_err(|error| DbErr::Json(error.to_string()))
}

/// Returns the condition that a column is in a [`text_list`].
pub fn in_text_list(backend: DatabaseBackend, column: &str) -> String {
    match backend {
        DatabaseBackend::Postgres => {
            format!("{column} = ANY(ARRAY(SELECT json_array_elements_text(CAST(? AS JSON))))")
        }
        _ => format!("{column} IN (SELECT value FROM json_each(?))"),
    }
}

/// Returns the functions that make a JSON array of values, and one of the rows of a query.
pub(crate) const fn json_arrays(backend: DatabaseBackend) -> (&'static str, &'static str) {
    match backend {
        DatabaseBackend::Postgres => ("json_build_array", "json_agg"),
        _ => ("json_array", "json_group_array"),
    }
}

/// Returns a JSON array as rows `name`, with the column `number` and these text columns. The array is the value of
/// one placeholder.
pub fn json_rows(backend: DatabaseBackend, name: &str, texts: &[&str]) -> String {
    if backend == DatabaseBackend::Postgres {
        let texts = texts.iter().map(|text| format!(", {text} TEXT")).collect::<Vec<_>>().concat();
        return format!("json_to_recordset(CAST(? AS JSON)) AS {name}(number BIGINT{texts})");
    }
    let texts =
        texts.iter().map(|text| format!(", value ->> '{text}' AS {text}")).collect::<Vec<_>>().concat();
    format!("(SELECT value ->> 'number' AS number{texts} FROM json_each(?)) AS {name}")
}

/// Returns the SQL for a text as a date. SQLite stores dates as text.
pub fn date_of(backend: DatabaseBackend, text: &str) -> String {
    match backend {
        DatabaseBackend::Postgres => format!("CAST({text} AS DATE)"),
        _ => text.to_owned(),
    }
}

/// Returns the type of an instant. SQLite stores instants as text.
pub const fn instant_type(backend: DatabaseBackend) -> &'static str {
    match backend {
        DatabaseBackend::Postgres => "TIMESTAMPTZ",
        _ => "TEXT",
    }
}

/// Returns the first day of the month of a date column.
pub fn first_of_month(backend: DatabaseBackend, column: &str) -> String {
    match backend {
        DatabaseBackend::Postgres => format!("CAST(date_trunc('month', {column}) AS DATE)"),
        _ => format!("date({column}, 'start of month')"),
    }
}

/// Returns the month of a date column as text, `2018-01`.
pub fn month(backend: DatabaseBackend, column: &str) -> String {
    match backend {
        DatabaseBackend::Postgres => format!("to_char({column}, 'YYYY-MM')"),
        _ => format!("strftime('%Y-%m', {column})"),
    }
}

/// Returns the year of a date column as text, `2018`.
pub fn year(backend: DatabaseBackend, column: &str) -> String {
    match backend {
        DatabaseBackend::Postgres => format!("to_char({column}, 'YYYY')"),
        _ => format!("strftime('%Y', {column})"),
    }
}

/// Returns the day this many days after a date column, or NULL for NULL.
pub fn days_after(backend: DatabaseBackend, column: &str, days: i64) -> String {
    match backend {
        DatabaseBackend::Postgres => format!("({column} + {days})"),
        _ => format!("date({column}, '+{days} days')"),
    }
}

/// Returns the latest of these dates, or NULL if one of them is NULL.
pub fn latest(backend: DatabaseBackend, dates: &[String]) -> String {
    match (backend, dates) {
        (_, [date]) => date.clone(),
        (DatabaseBackend::Postgres, _) => {
            let known: Vec<String> = dates.iter().map(|date| format!("{date} IS NOT NULL")).collect();
            format!("CASE WHEN {} THEN GREATEST({}) END", known.join(" AND "), dates.join(", "))
        }
        _ => format!("MAX({})", dates.join(", ")),
    }
}

/// Returns the clause that locks the rows of a query. Empty on SQLite, where a writing transaction locks the whole
/// database.
pub const fn for_update(backend: DatabaseBackend) -> &'static str {
    match backend {
        DatabaseBackend::Postgres => " FOR UPDATE",
        _ => "",
    }
}

/// The advisory lock that separates anonymising from placing legal holds on categories. SQLite needs none, because
/// it has one writer at a time.
const CATEGORY_HOLDS: i64 = 0x1e7e_401d;

/// Waits for transactions that place a legal hold on a category, and keeps others waiting until this transaction
/// ends.
pub async fn lock_category_holds_shared(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    advisory_lock(tx, "pg_advisory_xact_lock_shared", CATEGORY_HOLDS).await
}

/// Waits until no user is being anonymised, and keeps anonymising waiting until this transaction ends.
pub async fn lock_category_holds_exclusive(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    advisory_lock(tx, "pg_advisory_xact_lock", CATEGORY_HOLDS).await
}

/// The first key of the advisory locks for counting manual changes. The second key is the member of staff.
const MANUAL_CHANGES: i32 = 0x01e7_e401;

/// Waits for other manual changes by this member of staff (0 for the command line), and keeps them waiting until
/// this transaction ends. SQLite has one writer anyway.
pub async fn lock_manual_changes(tx: &DatabaseTransaction, staff: i64) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    if backend == DatabaseBackend::Postgres {
        let sql = format!("SELECT pg_advisory_xact_lock({MANUAL_CHANGES}, {})", staff % i64::from(i32::MAX));
        tx.query_one_raw(Statement::from_string(backend, sql)).await?;
    }
    Ok(())
}

/// The advisory lock for importing files. SQLite has one writer anyway.
const IMPORTS: i64 = 0x1e7e_402e;

/// Waits for other transactions that import a file, and keeps them waiting until this one ends.
///
/// Two imports of the same file at once would create the same users, codes and loans.
pub async fn lock_imports(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    advisory_lock(tx, "pg_advisory_xact_lock", IMPORTS).await
}

/// The advisory lock for the definitions of the library: custom fields, import profiles and saved searches. SQLite has one
/// writer anyway.
const DEFINITIONS: i64 = 0x1e7e_402f;

/// Waits for other transactions that define a custom field, an import profile or a saved search, and keeps them waiting
/// until this one ends.
///
/// A check is therefore still true when the transaction writes. Examples are a check that a name is free, and one that
/// no other definition refers to this one.
pub async fn lock_definitions(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    advisory_lock(tx, "pg_advisory_xact_lock", DEFINITIONS).await
}

/// The advisory lock for choosing the default task. SQLite has one writer anyway.
const TASK_DEFAULT: i64 = 0x1e7e_402d;

/// Waits for other transactions that choose the default task, and keeps them waiting until this one ends.
pub async fn lock_task_default(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    advisory_lock(tx, "pg_advisory_xact_lock", TASK_DEFAULT).await
}

/// The advisory lock for starting runs. SQLite has one writer anyway.
const RUN_STARTS: i64 = 0x1e7e_4030;

/// Waits for other transactions that start a run, and keeps them waiting until this one ends.
///
/// Recent partial runs count together towards the safety limits, so each start must see those that were started at the
/// same time.
pub async fn lock_run_starts(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    advisory_lock(tx, "pg_advisory_xact_lock", RUN_STARTS).await
}

async fn advisory_lock(tx: &DatabaseTransaction, function: &str, key: i64) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    if backend == DatabaseBackend::Postgres {
        let sql = format!("SELECT {function}({key})");
        tx.query_one_raw(Statement::from_string(backend, sql)).await?;
    }
    Ok(())
}

/// Makes PostgreSQL use indexes for the rest of the transaction. Its planner assumes ten numbers in an
/// [`id_list`], so it would scan a small table and compare each row with up to a thousand numbers.
///
/// It also turns off compiling (JIT). A table that can only be scanned then seems so expensive that PostgreSQL would
/// compile each of its queries, for 50 ms.
pub async fn prefer_indexes(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    if tx.get_database_backend() == DatabaseBackend::Postgres {
        tx.execute_unprepared("SET LOCAL enable_seqscan = off; SET LOCAL jit = off").await?;
    }
    Ok(())
}

/// Reserves ids for rows that this transaction will insert.
pub async fn next_ids(tx: &DatabaseTransaction, table: &str, count: usize) -> Result<Vec<i64>, DbErr> {
    let backend = tx.get_database_backend();
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    if backend == DatabaseBackend::Postgres {
        let sql = format!(
            "SELECT nextval(pg_get_serial_sequence('{table}', 'id')) AS id FROM generate_series(1, ?)"
        );
        let rows = tx.query_all_raw(bind(backend, &sql, vec![count.into()])).await?;
        return rows.iter().map(|row| row.try_get("", "id")).collect();
    }
    // No other transaction writes at the same time.
    let sql = format!("SELECT COALESCE(MAX(id), 0) AS id FROM {table}");
    let row = tx.query_one_raw(bind(backend, &sql, Vec::new())).await?;
    let last: i64 = row.map_or(Ok(0), |row| row.try_get("", "id"))?;
    Ok((last + 1..=last.saturating_add(count)).collect())
}

/// Sets the sequence of a table after rows were inserted with explicit ids. SQLite does this automatically.
pub async fn restart_keys(db: &impl ConnectionTrait, table: &str, key: &str) -> Result<(), DbErr> {
    if db.get_database_backend() == DatabaseBackend::Postgres {
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('{table}', '{key}'), COALESCE(MAX({key}), 0) + 1, FALSE) FROM {table}"
        );
        db.execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// Updates the statistics of a table after a bulk insert. PostgreSQL would otherwise plan as if the table were
/// empty; SQLite does not use statistics here.
pub async fn analyze(db: &impl ConnectionTrait, table: &str) -> Result<(), DbErr> {
    if db.get_database_backend() == DatabaseBackend::Postgres {
        db.execute_unprepared(&format!("ANALYZE {table}")).await?;
    }
    Ok(())
}

/// Returns whether the database failed because of a lock held by another transaction.
pub(crate) fn is_busy_error(error: &DbErr) -> bool {
    // SQLITE_BUSY, SQLITE_LOCKED and their variants; serialization_failure, deadlock_detected, lock_not_available.
    let busy = ["5", "6", "261", "262", "517", "518", "773", "40001", "40P01", "55P03"];
    error::code_of(error).is_some_and(|code| busy.contains(&&*code))
}

/// Returns whether a failed commit certainly changed nothing. False if the connection was lost, because the
/// outcome is then unknown.
pub fn is_rolled_back(error: &DbErr) -> bool {
    use sea_orm::{RuntimeErr, SqlxError};
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    let SqlxError::Database(error) = &**error else { return false };
    // SQLITE_BUSY and its variants, SQLITE_CONSTRAINT_FOREIGNKEY and _TRIGGER; serialization_failure,
    // deadlock_detected, and violations of deferred constraints.
    let certain = ["5", "261", "517", "773", "787", "1811", "40001", "40P01"];
    error.code().is_some_and(|code| certain.contains(&&*code) || (code.len() == 5 && code.starts_with("23")))
}
