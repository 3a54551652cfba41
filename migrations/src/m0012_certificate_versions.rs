//! Superseded versions of certificates, and the approval with which a run was started.

use crate::step;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, integer, text, timestamp_with_time_zone};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        step::add_columns(manager, "certificates", [integer("version").default(1).take()]).await?;
        let superseded = vec![
            big_integer("run_id"),
            integer("version"),
            timestamp_with_time_zone("made_at"),
            text("content"),
            text("signature"),
            text("public_key"),
        ];
        let key = ["run_id", "version"];
        let of_run = [("run_id", "runs", "id")];
        step::create(manager, "superseded_certificates", superseded, &key, &of_run).await?;
        step::add_columns(manager, "runs", [big_integer_null("approval_id")]).await?;
        step::indexes(
            manager,
            &["INDEX residue_hits_undecided ON residue_hits (run_id, found_at) WHERE decision IS NULL"],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        step::drop(manager, &["superseded_certificates"]).await
    }
}
