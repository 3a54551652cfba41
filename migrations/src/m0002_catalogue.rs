//! Catalogue records and items.

use crate::step;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, date, date_null, integer_null, text, text_null,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let records = vec![
            big_pk_auto("id"),
            text("title"),
            text_null("author"),
            integer_null("year"),
            big_integer_null("created_by"),
            date("created_on"),
            big_integer_null("changed_by"),
            date_null("changed_on"),
        ];
        let staff = [("created_by", "users", "number"), ("changed_by", "users", "number")];
        step::create(manager, "catalogue_records", records, &[], &staff).await?;
        let items = vec![
            big_pk_auto("id"),
            big_integer("record_id"),
            text("barcode"),
            text("branch"),
            text_null("shelf_mark"),
        ];
        step::create(manager, "items", items, &[], &[("record_id", "catalogue_records", "id")]).await?;
        step::by_bytes(manager, "catalogue_records", "title").await?;
        step::indexes(
            manager,
            &[
                "INDEX catalogue_records_title ON catalogue_records (LOWER(title), id)",
                "INDEX catalogue_records_created_by ON catalogue_records (created_by) WHERE created_by IS NOT NULL",
                "INDEX catalogue_records_changed_by ON catalogue_records (changed_by) WHERE changed_by IS NOT NULL",
                "UNIQUE INDEX items_barcode ON items (barcode)",
                "INDEX items_record ON items (record_id)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        step::drop(manager, &["catalogue_records", "items"]).await
    }
}
