//! Opening the database at the start of a process. Errors name the cause and the remedy.

use crate::dialect;
use crate::error::{self, RecordsError};
use migrations::UpgradeError;
use sea_orm::{ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, DbErr, Statement};
use std::time::Duration;

/// The number of attempts while another process sets up the database, and the time between them.
const MAX_ATTEMPTS: u32 = 40;
const RETRY_INTERVAL: Duration = Duration::from_millis(250);

/// Connects to the database at a URL.
pub async fn connect(url: &str) -> Result<DatabaseConnection, RecordsError> {
    patiently(async || {
        let db = Database::connect(dialect::connect_options(url)).await?;
        dialect::answers(&db).await?;
        Ok(db)
    })
    .await
    .map_err(|error| not_opened(&error))
}

/// Connects to the database and upgrades its schema.
pub async fn open_database(url: &str) -> Result<DatabaseConnection, RecordsError> {
    let db = connect(url).await?;
    bring_up_to_date(&db).await?;
    Ok(db)
}

/// Connects to a database for reading only, with a single connection.
pub async fn look_at(url: &str) -> Result<DatabaseConnection, RecordsError> {
    let mut options = sea_orm::ConnectOptions::new(url);
    options.sqlx_logging(false).max_connections(1);
    options.map_sqlx_postgres_opts(|options| options.extra_float_digits(None));
    Database::connect(options).await.map_err(|error| not_opened(&error))
}

/// Checks every page of an SQLite file of at most `up_to` bytes. Rejects a damaged file. PostgreSQL checks its
/// pages itself.
pub async fn check_integrity(db: &DatabaseConnection, up_to: u64) -> Result<(), RecordsError> {
    if db.get_database_backend() == DatabaseBackend::Postgres {
        return Ok(());
    }
    if up_to == 0 {
        return Ok(());
    }
    if dialect::file_size(db).await?.is_some_and(|size| size > up_to) {
        tracing::info!("not checking the large database file for damage now. Run: lethe check");
        return Ok(());
    }
    // A PRAGMA is not a query that sea-query can write.
    let sql = Statement::from_string(DatabaseBackend::Sqlite, "PRAGMA quick_check(1)");
    let found = match db.query_one_raw(sql).await {
        Ok(row) => row.map_or(Ok(String::new()), |row| row.try_get_by_index(0))?,
        Err(error) => error::cause(&error),
    };
    if found == "ok" {
        return Ok(());
    }
    Err(damaged(&found))
}

/// Returns the error about a damaged database file.
fn damaged(found: &str) -> RecordsError {
    RecordsError::NotReady(format!(
        "The database file is damaged ({}). Stop Lethe, keep a copy of the file, and restore the last backup. Lethe then \
         replays the ledger automatically",
        found.lines().next().unwrap_or_default()
    ))
}

/// Upgrades the schema to this version of Lethe.
pub async fn bring_up_to_date(db: &DatabaseConnection) -> Result<(), RecordsError> {
    let upgraded = patiently(async || match migrations::upgrade(db).await {
        Err(UpgradeError::Database(error)) => Err(error),
        Err(UpgradeError::Step { source, .. }) if dialect::is_busy_error(&source) => Err(source),
        upgraded => Ok(upgraded),
    });
    let error = match upgraded.await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error,
        Err(error) => return Err(not_opened(&error)),
    };
    if let UpgradeError::Unrecorded { source, .. } | UpgradeError::Step { source, .. } = &error
        && error::is_damage(source)
    {
        return Err(damaged(&error::cause(source)));
    }
    let remedy = match &error {
        UpgradeError::Newer(_) => {
            "Start the last version of Lethe that used it, or a later one, or restore a backup from before the upgrade"
        }
        UpgradeError::Unrecorded { .. } => {
            "An earlier upgrade was interrupted, or its record was removed. Restore the last backup. A database \
             without data can be deleted instead"
        }
        _ => "Nothing was changed. Correct the cause and start again",
    };
    Err(RecordsError::NotReady(match &error {
        UpgradeError::Unrecorded { source, .. } | UpgradeError::Step { source, .. } => {
            format!("The database cannot be upgraded: {error} ({}). {remedy}", error::cause(source))
        }
        _ => format!("The database cannot be upgraded: {error}. {remedy}"),
    }))
}

/// Retries while another process locks the database.
async fn patiently<T>(work: impl AsyncFn() -> Result<T, DbErr>) -> Result<T, DbErr> {
    let mut tries = 1;
    loop {
        match work().await {
            Err(error) if tries < MAX_ATTEMPTS && dialect::is_busy_error(&error) => {
                tries += 1;
                tokio::time::sleep(RETRY_INTERVAL).await;
            }
            done => return done,
        }
    }
}

fn not_opened(error: &DbErr) -> RecordsError {
    // Reading can meet a damaged page before all pages are checked.
    if error::is_damage(error) {
        return damaged(&error::cause(error));
    }
    RecordsError::NotReady(format!(
        "The database cannot be opened: {}. {}",
        error::cause(error),
        error::remedy(error)
    ))
}
