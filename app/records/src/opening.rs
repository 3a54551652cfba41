//! Reaching the database when a process starts: what is wrong is said with its cause and what to do.

use crate::dialect;
use crate::error::RecordsError;
use migrations::UpgradeError;
use sea_orm::{ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, DbErr, Statement};
use std::time::Duration;

/// How often a database that another process is just setting up is tried again, and how long between two tries.
const TRIES: u32 = 40;
const REST: Duration = Duration::from_millis(250);

/// Connects to the database of a URL.
pub(crate) async fn connect(url: &str) -> Result<DatabaseConnection, RecordsError> {
    patiently(async || {
        let db = Database::connect(dialect::connect_options(url)).await?;
        dialect::answers(&db).await?;
        Ok(db)
    })
    .await
    .map_err(|error| not_opened(&error))
}

/// Connects to a database that is only looked at.
pub(crate) async fn look_at(url: &str) -> Result<DatabaseConnection, RecordsError> {
    let mut options = sea_orm::ConnectOptions::new(url);
    options.sqlx_logging(false).max_connections(1);
    options.map_sqlx_postgres_opts(|options| options.extra_float_digits(None));
    Database::connect(options).await.map_err(|error| not_opened(&error))
}

/// Reads every page of an SQLite file, up to a size in bytes, and refuses one that is damaged. PostgreSQL checks its
/// pages itself.
pub(crate) async fn check_integrity(db: &DatabaseConnection, up_to: u64) -> Result<(), RecordsError> {
    if db.get_database_backend() == DatabaseBackend::Postgres {
        return Ok(());
    }
    if up_to == 0 {
        return Ok(());
    }
    if dialect::file_size(db).await?.is_some_and(|size| size > up_to) {
        tracing::info!("the database file is large: it is not checked for damage now. Run: lethe check");
        return Ok(());
    }
    let sql = Statement::from_string(DatabaseBackend::Sqlite, "PRAGMA quick_check(1)");
    let found = match db.query_one_raw(sql).await {
        Ok(row) => row.map_or(Ok(String::new()), |row| row.try_get_by_index(0))?,
        Err(error) => dialect::cause(&error),
    };
    if found == "ok" {
        return Ok(());
    }
    Err(damaged(&found))
}

/// The refusal of a database file with damaged pages.
fn damaged(found: &str) -> RecordsError {
    RecordsError::NotReady(format!(
        "The database file is damaged ({}). Stop Lethe, keep a copy of the file, and restore the last backup: the ledger \
         is replayed by itself",
        found.lines().next().unwrap_or_default()
    ))
}

/// Brings the schema up to date.
pub(crate) async fn bring_up_to_date(db: &DatabaseConnection) -> Result<(), RecordsError> {
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
        && dialect::is_damage(source)
    {
        return Err(damaged(&dialect::cause(source)));
    }
    let remedy = match &error {
        UpgradeError::Newer(_) => {
            "Start the version of Lethe that was here last, or a later one; or restore a backup of before the upgrade"
        }
        UpgradeError::Unrecorded { .. } => {
            "An earlier upgrade was cut off, or the record of it was removed. Restore the last backup. A database \
             that holds nothing yet can be deleted instead"
        }
        _ => "Nothing was changed. Put the cause right and start again",
    };
    Err(RecordsError::NotReady(match &error {
        UpgradeError::Unrecorded { source, .. } | UpgradeError::Step { source, .. } => {
            format!(
                "The database cannot be brought up to date: {error} ({}). {remedy}",
                dialect::cause(source)
            )
        }
        _ => format!("The database cannot be brought up to date: {error}. {remedy}"),
    }))
}

/// Tries again as long as another process holds the database.
async fn patiently<T>(work: impl AsyncFn() -> Result<T, DbErr>) -> Result<T, DbErr> {
    let mut tries = 1;
    loop {
        match work().await {
            Err(error) if tries < TRIES && dialect::is_busy_error(&error) => {
                tries += 1;
                tokio::time::sleep(REST).await;
            }
            done => return done,
        }
    }
}

fn not_opened(error: &DbErr) -> RecordsError {
    // A damaged page can be met before the check of all pages, whichever of them the start reads first.
    if dialect::is_damage(error) {
        return damaged(&dialect::cause(error));
    }
    RecordsError::NotReady(format!(
        "The database cannot be opened: {}. {}",
        dialect::cause(error),
        dialect::remedy(error)
    ))
}
