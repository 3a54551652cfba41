//! The library itself: its settings.

use crate::step::Table;
use sea_orm_migration::schema::{blob_null, small_integer, text, text_null};

pub(super) fn tables() -> Vec<Table> {
    vec![library_settings()]
}

/// Name, currency, address and logo of the library, in one row.
fn library_settings() -> Table {
    Table {
        name: "library_settings",
        columns: vec![
            small_integer("id"),
            text_null("name"),
            text("currency"),
            text_null("address"),
            text_null("contact"),
            text_null("logo_type"),
            blob_null("logo"),
            text_null("logo_digest"),
        ],
        primary_key: &["id"],
        ..Table::default()
    }
}
