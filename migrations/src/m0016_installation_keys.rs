//! Fingerprints of the installation's keys, so that a server with another key file can't start.

use crate::step;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{text, timestamp_with_time_zone, timestamp_with_time_zone_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![
            text("fingerprint"),
            timestamp_with_time_zone("recorded_at"),
            timestamp_with_time_zone_null("replaced_at"),
        ];
        step::create(manager, "installation_keys", columns, &["fingerprint"], &[]).await?;
        // One key is current.
        let current = "UNIQUE INDEX installation_keys_current ON installation_keys ((replaced_at IS NULL)) \
                       WHERE replaced_at IS NULL";
        step::indexes(manager, &[current]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        step::drop(manager, &["installation_keys"]).await
    }
}
