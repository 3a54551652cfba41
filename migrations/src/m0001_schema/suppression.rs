//! The suppression list, the fingerprints of its keys, and the lines that imports hold because of it.

use crate::step::Table;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, date, date_null, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null,
};

pub(super) fn tables() -> Vec<Table> {
    vec![suppression_list_keys(), suppressed_keys(), held_lines()]
}

/// The fingerprints of the keys of the suppression list. One of them is not destroyed.
fn suppression_list_keys() -> Table {
    Table {
        name: "suppression_list_keys",
        columns: vec![
            text("fingerprint"),
            timestamp_with_time_zone("recorded_at"),
            timestamp_with_time_zone_null("destroyed_at"),
        ],
        primary_key: &["fingerprint"],
        ..Table::default()
    }
}

/// The keyed digests of the identifiers of anonymised users. The id is a part of the digest, so that neither an id
/// nor the order of the rows leads to a record.
fn suppressed_keys() -> Table {
    Table {
        name: "suppressed_keys",
        columns: vec![big_integer("id"), text("kind"), text("digest"), date("added_on"), date("expires_on")],
        primary_key: &["id"],
        ..Table::default()
    }
}

/// The lines of import files that wait for a decision, or about which one was made. They contain no value of a line.
fn held_lines() -> Table {
    Table {
        name: "held_lines",
        columns: vec![
            big_pk_auto("id"),
            text("digest"),
            text("kind"),
            text("source"),
            big_integer_null("import_id"),
            big_integer("line"),
            text("line_digest"),
            date("first_seen_on"),
            date("last_seen_on"),
            big_integer("times_seen"),
            text_null("decision"),
            big_integer_null("decided_by"),
            date_null("decided_on"),
        ],
        foreign_keys: &[("import_id", "imports", "id"), ("decided_by", "users", "number")],
        indexes: &[
            "UNIQUE INDEX held_lines_digest ON held_lines (digest, source, line_digest)",
            "INDEX held_lines_undecided ON held_lines (id) WHERE decision IS NULL",
        ],
        ..Table::default()
    }
}
