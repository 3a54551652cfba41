//! The audit chain: each event has a position and an authentication code over itself and the previous event.
//!
//! The database rejects changing or deleting chained events.

use crate::step;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, small_integer, text, text_null};
use sea_orm_migration::sea_orm::DatabaseBackend;

/// The rejected operations: trigger name, event, table and condition.
const REFUSED: [(&str, &str, &str, &str); 6] = [
    // In SQLite, inserting an existing key deletes the old row without firing the delete trigger below.
    (
        "audit_events_inserted",
        "INSERT",
        "audit_events",
        "NEW.sequence IS NOT NULL OR NEW.mac IS NOT NULL{again}",
    ),
    (
        "audit_events_changed",
        "UPDATE",
        "audit_events",
        "OLD.mac IS NOT NULL OR OLD.sequence IS NOT NULL OR NEW.mac IS NULL OR {changed}",
    ),
    ("audit_events_deleted", "DELETE", "audit_events", ""),
    ("audit_head_inserted", "INSERT", "audit_head", "NEW.id <> 1"),
    ("audit_head_changed", "UPDATE", "audit_head", "NEW.id <> OLD.id OR NEW.sequence <= OLD.sequence"),
    ("audit_head_deleted", "DELETE", "audit_head", ""),
];

/// The columns of an event that can't be changed.
const FIXED: [&str; 9] =
    ["id", "at", "actor_number", "channel", "action", "subject_kind", "subject_id", "run_id", "detail"];

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        step::add_columns(manager, "audit_events", [big_integer_null("sequence"), text_null("mac")]).await?;
        let head = vec![small_integer("id"), big_integer("sequence"), text("mac")];
        step::create(manager, "audit_head", head, &["id"], &[]).await?;
        step::indexes(
            manager,
            &[
                "UNIQUE INDEX audit_events_sequence ON audit_events (sequence)",
                "INDEX audit_events_unchained ON audit_events (id) WHERE sequence IS NULL",
                "INDEX audit_events_actor ON audit_events (actor_number, id) WHERE actor_number IS NOT NULL",
                "INDEX audit_events_run ON audit_events (run_id, id) WHERE run_id IS NOT NULL",
                // Most events record anonymised users, and no query lists all of those.
                "INDEX audit_events_action ON audit_events (action, id) WHERE action <> 'user_anonymised'",
            ],
        )
        .await?;
        triggers(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let postgres = manager.get_database_backend() == DatabaseBackend::Postgres;
        for (name, _, table, _) in REFUSED {
            step::drop_trigger(manager, name, table).await?;
        }
        if postgres {
            step::drop_trigger(manager, "audit_events_emptied", "audit_events").await?;
            db.execute_unprepared("DROP FUNCTION audit_refuse() CASCADE").await?;
        }
        for index in ["sequence", "unchained", "actor", "run", "action"] {
            step::drop_index(manager, &format!("audit_events_{index}")).await?;
        }
        for column in ["sequence", "mac"] {
            db.execute_unprepared(&format!("ALTER TABLE audit_events DROP COLUMN {column}")).await?;
        }
        step::drop(manager, &["audit_head"]).await
    }
}

async fn triggers(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let db = manager.get_connection();
    let postgres = manager.get_database_backend() == DatabaseBackend::Postgres;
    let (differs, again) = if postgres {
        ("IS DISTINCT FROM", "")
    } else {
        ("IS NOT", " OR EXISTS (SELECT 1 FROM audit_events WHERE id = NEW.id)")
    };
    let changed = FIXED.map(|column| format!("NEW.{column} {differs} OLD.{column}")).join(" OR ");
    if postgres {
        db.execute_unprepared(
            "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE 'the audit is only ever added to'; END $$",
        )
        .await?;
        db.execute_unprepared(
            "CREATE TRIGGER audit_events_emptied BEFORE TRUNCATE ON audit_events EXECUTE FUNCTION audit_refuse()",
        )
        .await?;
    }
    for (name, event, table, condition) in REFUSED {
        let condition = condition.replace("{changed}", &changed).replace("{again}", again);
        let when = if condition.is_empty() { condition } else { format!(" WHEN ({condition})") };
        let does = if postgres {
            "EXECUTE FUNCTION audit_refuse()"
        } else {
            "BEGIN SELECT RAISE(ABORT, 'the audit is only ever added to'); END"
        };
        let sql = format!("CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW{when} {does}");
        db.execute_unprepared(&sql).await?;
    }
    Ok(())
}
