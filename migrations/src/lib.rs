//! The database schema, as migrations for SQLite and PostgreSQL.
//!
//! Every new column needs an entry in the register of personal data (`policy::register`). A test compares the two.

mod m0001_users;
mod m0002_catalogue;
mod m0003_circulation;
mod m0004_tasks_and_runs;
mod m0005_proof;
mod m0006_staff;
mod m0007_audit_chain;
mod m0008_legal_holds_and_approvals;
mod m0009_events_with_places;
mod m0010_single_sign_on;
mod m0012_certificate_versions;
mod m0013_form_keys;
mod m0014_limits_of_manual_changes;
mod m0015_sign_in_limits;
mod m0016_installation_keys;
mod m0017_servers;
mod m0018_approvals_of_imports;
mod step;
mod upgrade;

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;
pub use upgrade::{UpgradeError, upgrade};

/// All migrations in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_users::Migration),
            Box::new(m0002_catalogue::Migration),
            Box::new(m0003_circulation::Migration),
            Box::new(m0004_tasks_and_runs::Migration),
            Box::new(m0005_proof::Migration),
            Box::new(m0006_staff::Migration),
            Box::new(m0007_audit_chain::Migration),
            Box::new(m0008_legal_holds_and_approvals::Migration),
            Box::new(m0009_events_with_places::Migration),
            Box::new(m0010_single_sign_on::Migration),
            Box::new(m0012_certificate_versions::Migration),
            Box::new(m0013_form_keys::Migration),
            Box::new(m0014_limits_of_manual_changes::Migration),
            Box::new(m0015_sign_in_limits::Migration),
            Box::new(m0016_installation_keys::Migration),
            Box::new(m0017_servers::Migration),
            Box::new(m0018_approvals_of_imports::Migration),
        ]
    }
}
