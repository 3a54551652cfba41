//! Scheduled runs and evidence: due times, leases, fingerprints, residue, certificates and the ledger watermark.

use crate::step;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, boolean, date, integer, small_integer, text, text_null,
    timestamp_with_time_zone, timestamp_with_time_zone_null,
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tasks = [
            text("missed").default("once").take(),
            timestamp_with_time_zone_null("next_due_at"),
            text_null("confirmed_policy"),
        ];
        step::add_columns(manager, "tasks", tasks).await?;
        let runs = [
            timestamp_with_time_zone_null("due_at"),
            timestamp_with_time_zone_null("started_at"),
            text_null("holder"),
            timestamp_with_time_zone_null("progress_at"),
            integer("interruptions").default(0).take(),
            text_null("phase"),
            text_null("fingerprint"),
            text_null("safety_limit"),
            text_null("maintenance"),
        ];
        step::add_columns(manager, "runs", runs).await?;
        step::add_columns(manager, "run_members", [text_null("residue")]).await?;
        residue(manager).await?;
        ledger(manager).await?;
        step::drop_index(manager, "runs_one_at_a_time").await?;
        step::indexes(
            manager,
            &[
                // Prevents two active runs, whichever processes start them.
                "UNIQUE INDEX runs_one_under_way ON runs ((1)) WHERE state IN ('running', 'cancelling', 'interrupted')",
                // A due time starts one run, whichever process sees it first.
                "UNIQUE INDEX runs_due ON runs (task_id, due_at) WHERE due_at IS NOT NULL",
                "INDEX runs_state ON runs (state, id)",
                "INDEX tasks_due ON tasks (next_due_at) WHERE next_due_at IS NOT NULL",
                "INDEX residue_hits_run ON residue_hits (run_id, id)",
                "INDEX residue_hits_open ON residue_hits (id) WHERE decision IS NULL",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        step::drop(manager, &["residue_hits", "certificates", "ledger_mark", "replays"]).await
    }
}

/// Where a value of an anonymised user was found: the location, never the value.
async fn residue(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let columns = vec![
        big_pk_auto("id"),
        big_integer_null("run_id"),
        big_integer("user_number"),
        text("table_name"),
        text("column_name"),
        text("row_key"),
        text("what"),
        timestamp_with_time_zone("found_at"),
        text_null("decision"),
        timestamp_with_time_zone_null("decided_at"),
        big_integer_null("decided_by"),
    ];
    let keys = [("run_id", "runs", "id"), ("user_number", "users", "number")];
    step::create(manager, "residue_hits", columns, &[], &keys).await
}

async fn ledger(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let certificates = vec![
        big_integer("run_id"),
        timestamp_with_time_zone("made_at"),
        text("content"),
        text("signature"),
        text("public_key"),
    ];
    step::create(manager, "certificates", certificates, &["run_id"], &[("run_id", "runs", "id")]).await?;
    let mark = vec![small_integer("id"), text("library"), big_integer("sequence"), text("chain")];
    step::create(manager, "ledger_mark", mark, &["id"], &[]).await?;
    let replays = vec![
        big_pk_auto("id"),
        timestamp_with_time_zone("at"),
        date("today"),
        big_integer("from_sequence"),
        big_integer("to_sequence"),
        text("chain"),
        big_integer("people"),
        big_integer("anonymised"),
        big_integer("already"),
        big_integer("absent"),
        boolean("verified"),
    ];
    step::create(manager, "replays", replays, &[], &[]).await
}
