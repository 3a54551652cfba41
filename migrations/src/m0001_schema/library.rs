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
            text_null("logo_digest"),
            // The last column: SQLite reads the columns before a large value without it.
            blob_null("logo"),
        ],
        primary_key: &["id"],
        ..Table::default()
    }
}
