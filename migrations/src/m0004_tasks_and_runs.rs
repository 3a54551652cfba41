//! Tasks, runs, previews and the audit.

use crate::step;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, boolean, date, integer, integer_null, small_integer,
    small_integer_null, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        tasks(manager).await?;
        runs(manager).await?;
        let audit_events = vec![
            big_pk_auto("id"),
            timestamp_with_time_zone("at"),
            big_integer_null("actor_number"),
            text("channel"),
            text("action"),
            text("subject_kind"),
            big_integer_null("subject_id"),
            big_integer_null("run_id"),
            text("detail"),
        ];
        step::create(manager, "audit_events", audit_events, &[], &[]).await?;
        step::indexes(
            manager,
            &[
                "UNIQUE INDEX tasks_single_default ON tasks (single_default) WHERE single_default AND deleted_at IS NULL",
                "INDEX runs_task ON runs (task_id, id)",
                // Prevents two active runs, whichever processes start them.
                "UNIQUE INDEX runs_one_at_a_time ON runs (state) WHERE state = 'running'",
                "INDEX run_members_reason ON run_members (run_id, reason, user_number)",
                "INDEX run_members_outcome ON run_members (run_id, outcome, user_number)",
                "INDEX audit_events_subject ON audit_events (subject_kind, subject_id, id)",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        step::drop(manager, &["tasks", "runs", "run_members", "run_counts", "audit_events"]).await
    }
}

async fn tasks(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = vec![
        big_pk_auto("id"),
        text("description"),
        boolean("active"),
        text("task_type"),
        text("visibility"),
        big_integer_null("owner_number"),
        text("policy"),
        text("schedule"),
        boolean("single_default").default(false).take(),
        timestamp_with_time_zone("created_at"),
        timestamp_with_time_zone("changed_at"),
        integer("version").default(1).take(),
        timestamp_with_time_zone_null("deleted_at"),
    ];
    step::create(manager, "tasks", columns, &[], &[("owner_number", "users", "number")]).await
}

async fn runs(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let runs = vec![
        big_pk_auto("id"),
        big_integer_null("task_id"),
        text("kind"),
        text("state"),
        date("today"),
        text("policy"),
        integer_null("task_version"),
        integer("rules_version"),
        big_integer_null("preview_id"),
        big_integer_null("actor_number"),
        text("channel"),
        timestamp_with_time_zone("created_at"),
        timestamp_with_time_zone_null("finished_at"),
        timestamp_with_time_zone_null("heartbeat_at"),
        big_integer("users").default(0).take(),
        big_integer("previewed").default(0).take(),
        big_integer("done").default(0).take(),
        big_integer("skipped").default(0).take(),
        big_integer("failed").default(0).take(),
    ];
    let keys = [("task_id", "tasks", "id"), ("preview_id", "runs", "id")];
    step::create(manager, "runs", runs, &[], &keys).await?;
    let members = vec![
        big_integer("run_id"),
        big_integer("user_number"),
        small_integer("reason"),
        small_integer("blockers"),
        text_null("outcome"),
        small_integer_null("outcome_reason"),
        text_null("failure"),
    ];
    let keys = [("run_id", "runs", "id"), ("user_number", "users", "number")];
    step::create(manager, "run_members", members, &["run_id", "user_number"], &keys).await?;
    let counts = vec![big_integer("run_id"), text("kind"), text("code"), big_integer("count")];
    let key = ["run_id", "kind", "code"];
    step::create(manager, "run_counts", counts, &key, &[("run_id", "runs", "id")]).await
}
