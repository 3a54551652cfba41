//! Manual changes by staff, counted towards safety limits; protections that were in force.

use crate::step;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer_null, big_pk_auto, integer, text, timestamp_with_time_zone};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![
            big_pk_auto("id"),
            timestamp_with_time_zone("at"),
            big_integer_null("actor_number"),
            text("channel"),
            text("kind"),
            big_integer_null("user_number"),
            integer("fields"),
            big_integer_null("confirmed_by"),
        ];
        // The actor is not a foreign key. Its check would wait for a change of the actor's own record, which waits
        // for the lock that counts the actor's changes.
        let keys = [("user_number", "users", "number"), ("confirmed_by", "runs", "id")];
        step::create(manager, "manual_changes", columns, &[], &keys).await?;
        let columns = vec![text("name"), text("value"), timestamp_with_time_zone("at")];
        step::create(manager, "protections", columns, &["name"], &[]).await?;
        step::add_columns(manager, "approvals", [big_integer_null("user_number")]).await?;
        step::indexes(
            manager,
            &[
                "INDEX manual_changes_actor ON manual_changes (actor_number, channel, kind, at)",
                "INDEX manual_changes_user ON manual_changes (user_number, at)",
                "INDEX manual_changes_open ON manual_changes (user_number) WHERE confirmed_by IS NULL",
                "INDEX manual_changes_kind ON manual_changes (kind, at)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        step::drop(manager, &["manual_changes", "protections"]).await
    }
}
