//! Credentials and sessions of staff.

use crate::step;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer_null, text, timestamp_with_time_zone_null};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let credentials = [timestamp_with_time_zone_null("expires_at"), big_integer_null("used_step")];
        step::add_columns(manager, "credentials", credentials).await?;
        let sessions =
            [text("stage").default("password").take(), timestamp_with_time_zone_null("signed_in_at")];
        step::add_columns(manager, "sessions", sessions).await?;
        step::indexes(manager, &["INDEX user_roles_role ON user_roles (role, user_number)"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        step::drop_index(manager, "user_roles_role").await
    }
}
