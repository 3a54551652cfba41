//! The schema, as steps that run on SQLite and PostgreSQL alike.
//!
//! Every column that is added here needs its entry in the register of personal data (`policy::register`):
//! a test compares the two.

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
mod step;

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

/// All steps in their order.
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
        ]
    }
}
