//! Keys of processed forms, so that a resubmitted form isn't processed twice.

use crate::step;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{text, text_null, timestamp_with_time_zone};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![text("id_hash"), timestamp_with_time_zone("created_at"), text_null("outcome")];
        step::create(manager, "form_keys", columns, &["id_hash"], &[]).await?;
        step::indexes(manager, &["INDEX form_keys_created ON form_keys (created_at)"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        step::drop(manager, &["form_keys"]).await
    }
}
