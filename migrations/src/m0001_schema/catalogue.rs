//! Catalogue records and items.

use crate::step::Table;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, date, date_null, integer_null, text, text_null,
};

pub(super) fn tables() -> Vec<Table> {
    vec![catalogue_records(), catalogue_words(), items()]
}

/// The works in the catalogue, with the staff who created and changed their records.
fn catalogue_records() -> Table {
    Table {
        name: "catalogue_records",
        columns: vec![
            big_pk_auto("id"),
            text("title"),
            text_null("author"),
            integer_null("year"),
            big_integer_null("created_by"),
            date("created_on"),
            big_integer_null("changed_by"),
            date_null("changed_on"),
        ],
        foreign_keys: &[("created_by", "users", "number"), ("changed_by", "users", "number")],
        compared_by_bytes: &["title"],
        indexes: &[
            "INDEX catalogue_records_title ON catalogue_records (LOWER(title), id)",
            "INDEX catalogue_records_created_by ON catalogue_records (created_by) WHERE created_by IS NOT NULL",
            "INDEX catalogue_records_changed_by ON catalogue_records (changed_by) WHERE changed_by IS NOT NULL",
        ],
        ..Table::default()
    }
}

/// The search index of the catalogue: words by which a search finds a record.
fn catalogue_words() -> Table {
    Table {
        name: "catalogue_words",
        columns: vec![text("word"), big_integer("record_id")],
        primary_key: &["word", "record_id"],
        foreign_keys: &[("record_id", "catalogue_records", "id")],
        compared_by_bytes: &["word"],
        indexes: &["INDEX catalogue_words_record ON catalogue_words (record_id)"],
        ..Table::default()
    }
}

/// The copies of a catalogue record that can be lent.
fn items() -> Table {
    Table {
        name: "items",
        columns: vec![
            big_pk_auto("id"),
            big_integer("record_id"),
            text("barcode"),
            text("branch"),
            text_null("shelf_mark"),
        ],
        foreign_keys: &[("record_id", "catalogue_records", "id")],
        indexes: &[
            "UNIQUE INDEX items_barcode ON items (barcode)",
            "INDEX items_record ON items (record_id)",
        ],
        ..Table::default()
    }
}
