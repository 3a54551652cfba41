//! Database errors as text without row values or passwords.

use sea_orm::{DbErr, RuntimeErr, SqlxError};

/// PostgreSQL: a prepared statement already exists, or does not exist. The cause is a pooler that shares one
/// connection among clients.
const POOLED: [&str; 2] = ["42P05", "26000"];
/// The classes of PostgreSQL errors whose messages can contain values: data exceptions and constraint violations.
const WITH_VALUES: [&str; 2] = ["22", "23"];

/// Returns the cause of an error as a clause.
pub fn cause(error: &DbErr) -> String {
    let sqlx = match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => error,
        DbErr::ConnectionAcquire(_) => return "no connection became free in time".to_owned(),
        DbErr::Conn(RuntimeErr::Internal(_)) => return "its URL is not valid".to_owned(),
        DbErr::Custom(words) => return words.clone(),
        _ => return "its response was not understood".to_owned(),
    };
    match &**sqlx {
        SqlxError::Database(error) => {
            let code = error.code().unwrap_or_default().into_owned();
            if code.len() == 5 && WITH_VALUES.contains(&&code[..2]) {
                let constraint =
                    error.constraint().or(error.table()).map_or(String::new(), |name| format!(", {name}"));
                return format!("the data violates a constraint (code {code}{constraint})");
            }
            format!("{} (code {code})", error.message())
        }
        SqlxError::Io(error) => format!("the connection failed: {error}"),
        SqlxError::Tls(error) => format!("the TLS connection failed: {error}"),
        SqlxError::PoolTimedOut => "it did not respond in time".to_owned(),
        SqlxError::PoolClosed => "the connection pool was closed".to_owned(),
        SqlxError::Configuration(_) => "its URL is not valid".to_owned(),
        SqlxError::Protocol(words) => format!("the connection was lost: {words}"),
        _ => "its response was not understood".to_owned(),
    }
}

/// Returns the primary code of an error: the last byte of an SQLite code, or the whole PostgreSQL code.
fn kind_of(error: &DbErr) -> String {
    let code = code_of(error).unwrap_or_default();
    let kind = code.parse::<u32>().ok().filter(|_| code.len() < 5).map(|code| (code & 0xff).to_string());
    kind.unwrap_or(code)
}

/// Returns whether SQLite found damaged pages (`SQLITE_CORRUPT`).
pub fn is_damage(error: &DbErr) -> bool {
    kind_of(error) == "11"
}

/// Returns what the administrator should do if the database cannot be opened.
pub fn remedy(error: &DbErr) -> &'static str {
    match &*kind_of(error) {
        code if POOLED.contains(&code) => {
            "A connection pooler in transaction mode is in front of PostgreSQL and mixes up Lethe's prepared \
             statements. Set pool_mode = session for this database in pgbouncer.ini, use pgbouncer 1.21 or newer with \
             max_prepared_statements, or connect to PostgreSQL directly in LETHE_DATABASE_URL"
        }
        "08P01" | "0A000" => {
            "If a connection pooler is in front of PostgreSQL, set pool_mode = session for this database, or \
             connect to PostgreSQL directly in LETHE_DATABASE_URL"
        }
        "28000" | "28P01" => "Correct the user and the password in LETHE_DATABASE_URL",
        "3D000" => "Create the database, or correct its name in LETHE_DATABASE_URL",
        "42501" => {
            "Grant the role in LETHE_DATABASE_URL access to its schema (GRANT CREATE, USAGE ON SCHEMA public)"
        }
        "53300" => "Raise max_connections of PostgreSQL, or stop other programs that hold connections",
        "13" | "53100" => "Make room on the disk",
        "10" => "Make room on the disk, or check the disk for errors (dmesg)",
        "8" => "Allow the user that runs Lethe to write the database file and its folder",
        "14" => {
            "Correct LETHE_DATABASE_URL, and allow the user that runs Lethe to read and write the file and its folder"
        }
        "26" => "Restore the last backup, or correct LETHE_DATABASE_URL",
        "5" | "6" => "Stop the other program that locks the database, or try again",
        _ => "Check LETHE_DATABASE_URL, and whether the database is running",
    }
}

/// Returns the code of a database error. None if it is another kind of error.
pub fn code_of(error: &DbErr) -> Option<String> {
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
