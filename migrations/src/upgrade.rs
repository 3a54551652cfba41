//! Migrates a database: applies all pending migrations in one transaction, or none.

use crate::Migrator;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{
    DatabaseBackend, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait,
};
use thiserror::Error;

/// The table in which sea-orm-migration records the migrations.
const RECORDS: &str = "seaql_migrations";
/// Advisory lock that prevents two servers from migrating at once. SQLite has a single writer anyway.
const LOCK: i64 = 0x1e7e_0016;
/// Parts of the messages with which PostgreSQL and SQLite report that an object exists.
const EXISTS: [&str; 3] = ["already exists", "duplicate column name", "already another table or index"];

/// Why a migration failed. The database is unchanged.
#[derive(Debug, Error)]
pub enum UpgradeError {
    /// The database has migrations that this version doesn't know.
    #[error("a newer version of Lethe has changed its schema by {}", .0.join(", "))]
    Newer(Vec<String>),
    /// A migration isn't recorded, but its tables or columns exist.
    #[error("{step} is not recorded in {RECORDS}, but parts of it exist already")]
    Unrecorded {
        /// Name of the migration.
        step: String,
        /// The database error.
        source: DbErr,
    },
    /// A migration failed.
    #[error("{step} failed")]
    Step {
        /// Name of the migration.
        step: String,
        /// The database error.
        source: DbErr,
    },
    /// The database could not be read.
    #[error("the schema cannot be read")]
    Database(#[from] DbErr),
}

/// Applies and records all pending migrations in one transaction.
///
/// If the process is killed, nothing remains and the next process starts again. Two processes run one after the
/// other.
pub async fn upgrade(db: &DatabaseConnection) -> Result<(), UpgradeError> {
    upgrade_with::<Migrator>(db).await
}

/// Does the same with the migrations of `M`. Tests pass later migrations.
#[allow(clippy::disallowed_methods, reason = "the schema has no audit yet")]
pub async fn upgrade_with<M: MigratorTrait>(db: &DatabaseConnection) -> Result<(), UpgradeError> {
    let recorded = recorded(&SchemaManager::new(db)).await?;
    if pending::<M>(&recorded)?.is_empty() {
        return Ok(());
    }
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..Default::default()
    };
    let tx = db.begin_with_options(options).await?;
    if tx.get_database_backend() == DatabaseBackend::Postgres {
        // An advisory lock is a function of PostgreSQL, without a table that sea-query could select from.
        let lock = Statement::from_string(
            tx.get_database_backend(),
            format!("SELECT pg_advisory_xact_lock({LOCK})"),
        );
        tx.query_one_raw(lock).await?;
    }
    apply::<M>(&tx).await?;
    tx.commit().await?;
    Ok(())
}

async fn apply<M: MigratorTrait>(tx: &DatabaseTransaction) -> Result<(), UpgradeError> {
    // Another process may have migrated the database in the meantime.
    let recorded = recorded(&SchemaManager::new(tx)).await?;
    for step in pending::<M>(&recorded)? {
        if let Err(source) = M::up(tx, Some(1)).await {
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

/// Returns the recorded migrations.
async fn recorded(manager: &SchemaManager<'_>) -> Result<Vec<String>, DbErr> {
    if !manager.has_table(RECORDS).await? {
        return Ok(Vec::new());
    }
    let db = manager.get_connection();
    // The table belongs to the migrations and has no entity.
    let sql = Statement::from_string(
        db.get_database_backend(),
        format!("SELECT version FROM {RECORDS} ORDER BY version"),
    );
    db.query_all_raw(sql).await?.iter().map(|row| row.try_get("", "version")).collect()
}

/// Returns the pending migrations in order.
fn pending<M: MigratorTrait>(recorded: &[String]) -> Result<Vec<String>, UpgradeError> {
    let steps: Vec<String> = M::migrations().iter().map(|step| step.name().to_owned()).collect();
    let newer: Vec<String> = recorded.iter().filter(|name| !steps.contains(name)).cloned().collect();
    if !newer.is_empty() {
        return Err(UpgradeError::Newer(newer));
    }
    Ok(steps.into_iter().filter(|step| !recorded.contains(step)).collect())
}
