//! The audit and its chain: each chained event has a position and an authentication code over itself and the event
//! before. The database rejects changing or deleting chained events.

use crate::step::Table;
use sea_orm_migration::prelude::{DbErr, SchemaManager};
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, small_integer, text, text_null, timestamp_with_time_zone,
};
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseBackend};

/// The rejected operations: trigger name, event, table and condition.
const REFUSED: [(&str, &str, &str, &str); 6] = [
    // A bulk insert writes events with their positions. Position and code belong together.
    ("audit_events_added", "INSERT", "audit_events", "(NEW.sequence IS NULL) <> (NEW.mac IS NULL){again}"),
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

pub(super) fn tables() -> Vec<Table> {
    vec![audit_events(), audit_head()]
}

/// The recorded actions: codes and numbers, never personal values.
fn audit_events() -> Table {
    Table {
        name: "audit_events",
        columns: vec![
            big_pk_auto("id"),
            timestamp_with_time_zone("at"),
            big_integer_null("actor_number"),
            text("channel"),
            text("action"),
            text("subject_kind"),
            big_integer_null("subject_id"),
            big_integer_null("run_id"),
            text("detail"),
            big_integer_null("sequence"),
            text_null("mac"),
        ],
        indexes: &[
            "UNIQUE INDEX audit_events_sequence ON audit_events (sequence)",
            "INDEX audit_events_unchained ON audit_events (id) WHERE sequence IS NULL",
            "INDEX audit_events_subject ON audit_events (subject_kind, subject_id, id)",
            "INDEX audit_events_actor ON audit_events (actor_number, id) WHERE actor_number IS NOT NULL",
            "INDEX audit_events_run ON audit_events (run_id, id) WHERE run_id IS NOT NULL",
            // Most events record anonymised users, and no query lists all of those.
            "INDEX audit_events_action ON audit_events (action, id) WHERE action <> 'user_anonymised'",
        ],
        ..Table::default()
    }
}

/// The end of the audit chain, in one row.
fn audit_head() -> Table {
    Table {
        name: "audit_head",
        columns: vec![small_integer("id"), big_integer("sequence"), text("mac")],
        primary_key: &["id"],
        ..Table::default()
    }
}

/// Creates the triggers that reject changes of chained events.
pub(super) async fn create_triggers(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let db = manager.get_connection();
    let postgres = manager.get_database_backend() == DatabaseBackend::Postgres;
    let (differs, again) = if postgres {
        ("IS DISTINCT FROM", "")
    } else {
        // In SQLite, inserting an existing key deletes the old row without firing the delete trigger.
        ("IS NOT", " OR EXISTS (SELECT 1 FROM audit_events WHERE id = NEW.id)")
    };
    let changed = FIXED.map(|column| format!("NEW.{column} {differs} OLD.{column}")).join(" OR ");
    // Neither SeaORM nor sea-query can create functions and triggers.
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
