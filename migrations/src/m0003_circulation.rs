//! Loans, requests, charges, messages and legal holds. They outlast the user's personal data, so no foreign key
//! cascades.

use crate::step;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, date, date_null, integer, text, text_null,
    timestamp_with_time_zone,
};

const USER: (&str, &str, &str) = ("user_number", "users", "number");

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        loans(manager).await?;
        requests_and_charges(manager).await?;
        messages_and_legal_holds(manager).await?;
        step::indexes(
            manager,
            &[
                "INDEX loans_user ON loans (user_number, id)",
                "INDEX loans_open ON loans (user_number) WHERE returned_on IS NULL",
                "INDEX loans_item_open ON loans (item_id) WHERE returned_on IS NULL",
                "INDEX loans_issued ON loans (issued_on)",
                "INDEX renewals_loan ON renewals (loan_id)",
                "INDEX requests_user ON requests (user_number, id)",
                "INDEX requests_open ON requests (user_number) WHERE closed_on IS NULL",
                "INDEX charges_user ON charges (user_number, id)",
                "INDEX charges_unsettled ON charges (user_number) WHERE settled_on IS NULL AND cents <> 0",
                "INDEX messages_user ON messages (user_number, id)",
                "INDEX legal_holds_in_force ON legal_holds (user_number) WHERE released_on IS NULL",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        step::drop(manager, &["loans", "renewals", "requests", "charges", "messages", "legal_holds"]).await
    }
}

async fn loans(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let loans = vec![
        big_pk_auto("id"),
        big_integer("user_number"),
        big_integer_null("item_id"),
        text("branch"),
        text_null("category"),
        text_null("department"),
        date("issued_on"),
        date("due_on"),
        date_null("returned_on"),
        integer("renewals").default(0).take(),
        text_null("note"),
        text_null("return_note"),
    ];
    step::create(manager, "loans", loans, &[], &[USER, ("item_id", "items", "id")]).await?;
    let renewals = vec![
        big_pk_auto("id"),
        big_integer("loan_id"),
        date("renewed_on"),
        date("due_on"),
        text_null("note"),
    ];
    step::create(manager, "renewals", renewals, &[], &[("loan_id", "loans", "id")]).await
}

async fn requests_and_charges(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let requests = vec![
        big_pk_auto("id"),
        big_integer("user_number"),
        big_integer_null("record_id"),
        text("branch"),
        text_null("category"),
        text_null("department"),
        date("placed_on"),
        text("status"),
        date_null("closed_on"),
        text_null("note"),
        text_null("cancel_reason"),
    ];
    let record = ("record_id", "catalogue_records", "id");
    step::create(manager, "requests", requests, &[], &[USER, record]).await?;
    let charges = vec![
        big_pk_auto("id"),
        big_integer("user_number"),
        big_integer_null("loan_id"),
        text("kind"),
        big_integer("cents"),
        text_null("category"),
        text_null("department"),
        date("charged_on"),
        date_null("settled_on"),
        text_null("note"),
    ];
    step::create(manager, "charges", charges, &[], &[USER, ("loan_id", "loans", "id")]).await
}

async fn messages_and_legal_holds(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let messages = vec![
        big_pk_auto("id"),
        big_integer("user_number"),
        text("kind"),
        text("channel"),
        timestamp_with_time_zone("sent_at"),
        text_null("recipient"),
        text_null("subject"),
        text_null("body"),
    ];
    step::create(manager, "messages", messages, &[], &[USER]).await?;
    let legal_holds = vec![
        big_pk_auto("id"),
        big_integer("user_number"),
        text("reason"),
        big_integer_null("placed_by"),
        date("placed_on"),
        date_null("review_on"),
        date_null("released_on"),
    ];
    let keys = [USER, ("placed_by", "users", "number")];
    step::create(manager, "legal_holds", legal_holds, &[], &keys).await
}
