//! The database schema, as migrations for SQLite and PostgreSQL.
//!
//! Until the first release, a change of the schema changes `m0001_schema`. From then on it is a new migration
//! (`m0002_…`), because databases with the older schema exist.
//!
//! Every new column needs an entry in the register of personal data (`policy::personal_data`). A test compares the two.

mod m0001_schema;
mod step;
mod upgrade;

pub use sea_orm_migration;
use sea_orm_migration::prelude::*;
pub use upgrade::{UpgradeError, upgrade, upgrade_with};

/// All migrations in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_schema::Migration)]
    }
}
