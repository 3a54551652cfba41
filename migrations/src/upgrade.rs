//! Brings a database up to date: all pending steps in one transaction, whatever the database, or none of them.

use crate::Migrator;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{
    DatabaseBackend, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use thiserror::Error;

/// The table in which sea-orm-migration records the steps.
const RECORDS: &str = "seaql_migrations";
/// The lock that keeps two servers from changing the schema at once. SQLite has one writer anyway.
const LOCK: i64 = 0x1e7e_0016;
/// How PostgreSQL and SQLite say that something exists already.
const EXISTS: [&str; 3] = ["already exists", "duplicate column name", "already another table or index"];

/// Why a database is not up to date. Nothing of it was changed.
#[derive(Debug, Error)]
pub enum UpgradeError {
    /// Steps that this version does not have.
    #[error("a newer version of Lethe has changed its schema by {}", .0.join(", "))]
    Newer(Vec<String>),
    /// A step whose tables or columns exist, although it is not recorded.
    #[error("{step} is not recorded in {RECORDS}, but parts of it exist already")]
    Unrecorded {
        /// The step.
        step: String,
        /// What the database said.
        source: DbErr,
    },
    /// A step failed.
    #[error("{step} failed")]
    Step {
        /// The step.
        step: String,
        /// What the database said.
        source: DbErr,
    },
    /// The database could not be asked.
    #[error("the schema cannot be read")]
    Database(#[from] DbErr),
}

/// Applies all pending steps and records them, in one transaction. A process that is killed meanwhile leaves nothing,
/// and the next one begins again; two processes take turns.
#[allow(clippy::disallowed_methods, reason = "the schema has no audit yet")]
pub async fn upgrade(db: &DatabaseConnection) -> Result<(), UpgradeError> {
    let recorded = recorded(&SchemaManager::new(db)).await?;
    if pending(&recorded)?.is_empty() {
        return Ok(());
    }
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let tx = db.begin_with_options(options).await?;
    if tx.get_database_backend() == DatabaseBackend::Postgres {
        let lock = Statement::from_string(
            tx.get_database_backend(),
            format!("SELECT pg_advisory_xact_lock({LOCK})"),
        );
        tx.query_one_raw(lock).await?;
    }
    apply(&tx).await?;
    tx.commit().await?;
    Ok(())
}

async fn apply(tx: &DatabaseTransaction) -> Result<(), UpgradeError> {
    // Another process may have been quicker.
    let recorded = recorded(&SchemaManager::new(tx)).await?;
    for step in pending(&recorded)? {
        if let Err(source) = Migrator::up(tx, Some(1)).await {
            let exists = EXISTS.iter().any(|words| source.to_string().contains(words));
            return Err(if exists {
                UpgradeError::Unrecorded { step, source }
            } else {
                UpgradeError::Step { step, source }
            });
        }
    }
    Ok(())
}

/// The steps that were applied, as the database records them.
async fn recorded(manager: &SchemaManager<'_>) -> Result<Vec<String>, DbErr> {
    if !manager.has_table(RECORDS).await? {
        return Ok(Vec::new());
    }
    let db = manager.get_connection();
    let sql = Statement::from_string(
        db.get_database_backend(),
        format!("SELECT version FROM {RECORDS} ORDER BY version"),
    );
    db.query_all_raw(sql).await?.iter().map(|row| row.try_get("", "version")).collect()
}

/// The steps that are to be applied, in their order.
fn pending(recorded: &[String]) -> Result<Vec<String>, UpgradeError> {
    let steps: Vec<String> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    let newer: Vec<String> = recorded.iter().filter(|name| !steps.contains(name)).cloned().collect();
    if !newer.is_empty() {
        return Err(UpgradeError::Newer(newer));
    }
    Ok(steps.into_iter().filter(|step| !recorded.contains(step)).collect())
}
