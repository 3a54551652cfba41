//! The way to the database.

use crate::clock::Clock;
use crate::dialect;
use crate::error::RecordsError;
use migrations::{Migrator, MigratorTrait};
use sea_orm::{Database, DatabaseConnection, DatabaseTransaction};

/// The database and the clock: what every read and write of this crate needs.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) db: DatabaseConnection,
    pub(crate) clock: Clock,
}

impl Store {
    /// Connects to the database of this URL (`sqlite://…` or `postgres://…`) and brings its schema up to date.
    pub async fn open(url: &str, clock: Clock) -> Result<Self, RecordsError> {
        let db = Database::connect(dialect::connect_options(url)).await?;
        Migrator::up(&db, None).await?;
        Ok(Self { db, clock })
    }

    /// The clock.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The connection, for tests and tools that look at the database itself.
    pub const fn database(&self) -> &DatabaseConnection {
        &self.db
    }

    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, RecordsError> {
        Ok(dialect::begin(&self.db).await?)
    }
}
