//! The state that the servers of one database share.

use crate::step::Table;
use sea_orm_migration::schema::{
    big_integer, big_pk_auto, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
};

pub(super) fn tables() -> Vec<Table> {
    vec![servers(), installation_keys(), form_keys()]
}

/// The active servers, with their heartbeats and clocks.
fn servers() -> Table {
    Table {
        name: "servers",
        columns: vec![
            big_pk_auto("id"),
            big_integer("beats").default(0).take(),
            timestamp_with_time_zone("seen_at"),
        ],
        ..Table::default()
    }
}

/// The fingerprints of the installation's keys, so that a server with another key file can't start.
fn installation_keys() -> Table {
    Table {
        name: "installation_keys",
        columns: vec![
            text("fingerprint"),
            timestamp_with_time_zone("recorded_at"),
            timestamp_with_time_zone_null("replaced_at"),
        ],
        primary_key: &["fingerprint"],
        indexes: &[
            // One key is current.
            "UNIQUE INDEX installation_keys_current ON installation_keys ((replaced_at IS NULL)) \
             WHERE replaced_at IS NULL",
        ],
        ..Table::default()
    }
}

/// The keys of processed forms, so that a form that is sent again isn't processed twice.
fn form_keys() -> Table {
    Table {
        name: "form_keys",
        columns: vec![text("id_hash"), timestamp_with_time_zone("created_at"), text_null("outcome")],
        primary_key: &["id_hash"],
        indexes: &["INDEX form_keys_created ON form_keys (created_at)"],
        ..Table::default()
    }
}
