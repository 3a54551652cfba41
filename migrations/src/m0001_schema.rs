//! The first schema: one file for each group of tables.

mod access_requests;
mod api;
mod approvals;
mod audit;
mod catalogue;
mod circulation;
mod evidence;
mod imports;
mod legal_holds;
mod library;
mod limits;
mod notifications;
mod residue;
mod runs;
mod searches;
mod servers;
mod sign_in;
mod suppression;
mod tasks;
mod users;

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A table comes after the tables that it references.
        let groups = [
            library::tables(),
            users::tables(),
            sign_in::tables(),
            searches::tables(),
            api::tables(),
            catalogue::tables(),
            circulation::tables(),
            legal_holds::tables(),
            access_requests::tables(),
            tasks::tables(),
            runs::tables(),
            residue::tables(),
            evidence::tables(),
            approvals::tables(),
            notifications::tables(),
            limits::tables(),
            audit::tables(),
            servers::tables(),
            imports::tables(),
            suppression::tables(),
        ];
        for table in groups.into_iter().flatten() {
            table.create(manager).await?;
        }
        audit::create_triggers(manager).await
    }
}
