//! Manual changes that count towards safety limits, and protections that were in force.

use crate::step::Table;
use sea_orm_migration::schema::{big_integer_null, big_pk_auto, integer, text, timestamp_with_time_zone};

pub(super) fn tables() -> Vec<Table> {
    vec![manual_changes(), protections()]
}

/// The changes by staff and imports that count towards the safety limits.
fn manual_changes() -> Table {
    Table {
        name: "manual_changes",
        columns: vec![
            big_pk_auto("id"),
            timestamp_with_time_zone("at"),
            big_integer_null("actor_number"),
            text("channel"),
            text("kind"),
            big_integer_null("user_number"),
            integer("fields"),
            big_integer_null("confirmed_by"),
        ],
        // The actor is not a foreign key. Its check would wait for a change of the actor's own record, which waits
        // for the lock that counts the actor's changes.
        foreign_keys: &[("user_number", "users", "number"), ("confirmed_by", "runs", "id")],
        indexes: &[
            "INDEX manual_changes_actor ON manual_changes (actor_number, channel, kind, at)",
            "INDEX manual_changes_user ON manual_changes (user_number, at)",
            "INDEX manual_changes_open ON manual_changes (user_number) WHERE confirmed_by IS NULL",
            "INDEX manual_changes_kind ON manual_changes (kind, at)",
        ],
        ..Table::default()
    }
}

/// The protections that are or were in force, and since when or until when.
fn protections() -> Table {
    Table {
        name: "protections",
        columns: vec![text("name"), text("value"), timestamp_with_time_zone("at")],
        primary_key: &["name"],
        ..Table::default()
    }
}
