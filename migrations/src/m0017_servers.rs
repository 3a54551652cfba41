//! The active servers of one database, with their heartbeats and clocks.

use crate::step;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_pk_auto, timestamp_with_time_zone};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![
            big_pk_auto("id"),
            big_integer("beats").default(0).take(),
            timestamp_with_time_zone("seen_at"),
        ];
        step::create(manager, "servers", columns, &[], &[]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        step::drop(manager, &["servers"]).await
    }
}
