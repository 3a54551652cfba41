//! Rate limits of the second factor, and notices to account owners.

use crate::step;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_pk_auto, text, timestamp_with_time_zone, timestamp_with_time_zone_null,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sessions =
            [big_integer("wrong_codes").default(0).take(), timestamp_with_time_zone_null("confirmed_at")];
        step::add_columns(manager, "sessions", sessions).await?;
        let budgets =
            vec![text("id_hash"), big_integer("user_number"), timestamp_with_time_zone("spent_until")];
        let users = [("user_number", "users", "number")];
        step::create(manager, "code_budgets", budgets, &["id_hash"], &users).await?;
        let notices = vec![
            big_pk_auto("id"),
            big_integer("user_number"),
            text("kind"),
            timestamp_with_time_zone("first_at"),
            timestamp_with_time_zone("last_at"),
            big_integer("times"),
            timestamp_with_time_zone_null("read_at"),
        ];
        step::create(manager, "account_notices", notices, &[], &users).await?;
        step::indexes(
            manager,
            &[
                "INDEX code_budgets_user ON code_budgets (user_number)",
                "INDEX code_budgets_spent ON code_budgets (spent_until)",
                "INDEX account_notices_user ON account_notices (user_number, last_at)",
                "INDEX account_notices_last ON account_notices (kind, last_at)",
                "INDEX sessions_last_seen ON sessions (last_seen_at)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        step::drop_index(manager, "sessions_last_seen").await?;
        step::drop(manager, &["code_budgets", "account_notices"]).await
    }
}
