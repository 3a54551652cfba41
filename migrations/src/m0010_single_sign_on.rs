//! An account at an identity provider belongs to one user, and a user has at most one.

use crate::step;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        step::indexes(
            manager,
            &[
                "UNIQUE INDEX credentials_provider ON credentials (secret) WHERE kind = 'provider'",
                "UNIQUE INDEX credentials_provider_of ON credentials (user_number) WHERE kind = 'provider'",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in ["credentials_provider", "credentials_provider_of"] {
            step::drop_index(manager, name).await?;
        }
        Ok(())
    }
}
