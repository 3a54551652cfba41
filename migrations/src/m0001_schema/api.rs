//! The API: its keys, and the leaving dates that identity systems set.

use crate::step::Table;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, boolean, date, date_null, text, timestamp_with_time_zone,
    timestamp_with_time_zone_null,
};

pub(super) fn tables() -> Vec<Table> {
    vec![api_keys(), scim_departures()]
}

/// The API keys, by their hashes. A revoked key keeps its row.
fn api_keys() -> Table {
    Table {
        name: "api_keys",
        columns: vec![
            big_pk_auto("id"),
            text("name"),
            text("key_hash"),
            text("scopes"),
            big_integer_null("created_by"),
            timestamp_with_time_zone("created_at"),
            timestamp_with_time_zone("expires_at"),
            date_null("last_used_on"),
            timestamp_with_time_zone_null("revoked_at"),
        ],
        foreign_keys: &[("created_by", "users", "number")],
        indexes: &["UNIQUE INDEX api_keys_hash ON api_keys (key_hash)"],
        ..Table::default()
    }
}

/// The leaving dates that an identity system set. A row applies only while the user has this leaving date.
fn scim_departures() -> Table {
    Table {
        name: "scim_departures",
        columns: vec![
            big_integer("user_number"),
            date("leaving_on"),
            date_null("earlier_on"),
            boolean("deleted").default(false).take(),
        ],
        primary_key: &["user_number"],
        foreign_keys: &[("user_number", "users", "number")],
        ..Table::default()
    }
}
