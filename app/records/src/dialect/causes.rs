//! What the database says when it fails, in words that hold no value of a row and no password.

use sea_orm::{DatabaseBackend, DatabaseConnection, DbErr, RuntimeErr, SqlxError, TransactionTrait, sqlx};

/// PostgreSQL: a prepared statement exists already, or does not exist. A pooler hands one connection to several clients.
const POOLED: [&str; 2] = ["42P05", "26000"];
/// The classes of PostgreSQL's errors whose messages can hold values: data exceptions and broken constraints.
const WITH_VALUES: [&str; 2] = ["22", "23"];

/// Asks on two connections, one after the other. A pooler that gives both the same connection of the database cannot be
/// used unless it keeps prepared statements apart, and fails here instead of later.
pub(crate) async fn answers(db: &DatabaseConnection) -> Result<(), DbErr> {
    if db.get_database_backend() != DatabaseBackend::Postgres {
        return Ok(());
    }
    // Both are held, so that they are two; the statement of the first one has ended when the second one asks.
    let pool = db.get_postgres_connection_pool();
    let mut connections = [
        pool.acquire().await.map_err(|error| failed(error.into()))?,
        pool.acquire().await.map_err(|error| failed(error.into()))?,
    ];
    for connection in &mut connections {
        let asked = sqlx::query("SELECT CAST($1 AS BIGINT)").bind(1_i64);
        asked.execute(&mut **connection).await.map_err(|error| failed(error.into()))?;
    }
    drop(connections);
    // A pooler that knows single statements only refuses a transaction.
    db.begin().await?.rollback().await
}

const fn failed(error: std::sync::Arc<SqlxError>) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error))
}

/// What failed, in words.
pub(crate) fn cause(error: &DbErr) -> String {
    let sqlx = match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => error,
        DbErr::ConnectionAcquire(_) => return "no connection became free in time".to_owned(),
        DbErr::Conn(RuntimeErr::Internal(_)) => return "its address cannot be understood".to_owned(),
        DbErr::Custom(words) => return words.clone(),
        _ => return "it gave an answer that cannot be read".to_owned(),
    };
    match &**sqlx {
        SqlxError::Database(error) => {
            let code = error.code().unwrap_or_default().into_owned();
            if code.len() == 5 && WITH_VALUES.contains(&&code[..2]) {
                let place =
                    error.constraint().or(error.table()).map_or(String::new(), |name| format!(", {name}"));
                return format!("the data do not fit (code {code}{place})");
            }
            format!("{} (code {code})", error.message())
        }
        SqlxError::Io(error) => format!("the connection failed: {error}"),
        SqlxError::Tls(error) => format!("the connection has no TLS: {error}"),
        SqlxError::PoolTimedOut => "it did not answer in time".to_owned(),
        SqlxError::PoolClosed => "the connections were closed".to_owned(),
        SqlxError::Configuration(_) => "its address cannot be understood".to_owned(),
        SqlxError::Protocol(words) => format!("the connection was broken: {words}"),
        _ => "it gave an answer that cannot be read".to_owned(),
    }
}

/// The code of an error without its variant: the last byte of an SQLite code, a whole code of PostgreSQL.
fn kind_of(error: &DbErr) -> String {
    let code = code_of(error).unwrap_or_default();
    let kind = code.parse::<u32>().ok().filter(|_| code.len() < 5).map(|code| (code & 0xff).to_string());
    kind.unwrap_or(code)
}

/// Tells whether SQLite found damaged pages (`SQLITE_CORRUPT`).
pub(crate) fn is_damage(error: &DbErr) -> bool {
    kind_of(error) == "11"
}

/// What to do when the database cannot be opened.
pub(crate) fn remedy(error: &DbErr) -> &'static str {
    match &*kind_of(error) {
        code if POOLED.contains(&code) => {
            "A connection pooler in transaction mode stands before PostgreSQL, and Lethe's prepared statements get mixed \
             up. Set pool_mode = session for this database in pgbouncer.ini, use pgbouncer 1.21 or newer with \
             max_prepared_statements, or name PostgreSQL itself in LETHE_DATABASE_URL"
        }
        "08P01" | "0A000" => {
            "Where a connection pooler stands before PostgreSQL: set pool_mode = session for this database, or name \
             PostgreSQL itself in LETHE_DATABASE_URL"
        }
        "28000" | "28P01" => "Correct the user and the password in LETHE_DATABASE_URL",
        "3D000" => "Create the database, or correct its name in LETHE_DATABASE_URL",
        "42501" => {
            "Give the role in LETHE_DATABASE_URL the right to use its schema (GRANT CREATE, USAGE ON SCHEMA public)"
        }
        "53300" => "Raise max_connections of PostgreSQL, or end other programs that hold connections",
        "13" | "53100" => "Make room on the disk",
        "10" => "Make room on the disk, or look for faults of the disk (dmesg)",
        "8" => "Let the user that runs Lethe write the database file and its folder",
        "14" => {
            "Correct LETHE_DATABASE_URL, and let the user that runs Lethe read and write the file and its folder"
        }
        "26" => "Restore the last backup, or correct LETHE_DATABASE_URL",
        "5" | "6" => "End the other program that holds the database, or try again",
        _ => "Check LETHE_DATABASE_URL, and whether the database is running",
    }
}

/// The code of the database's own error.
pub(super) fn code_of(error: &DbErr) -> Option<String> {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    match &**error {
        SqlxError::Database(error) => error.code().map(std::borrow::Cow::into_owned),
        _ => None,
    }
}
