//! The list layouts and saved searches of staff.

use crate::step::Table;
use sea_orm_migration::schema::{
    big_integer, big_pk_auto, boolean, integer, text, text_null, timestamp_with_time_zone,
};

pub(super) fn tables() -> Vec<Table> {
    vec![user_list_layouts(), saved_searches()]
}

/// The columns and the page length that a member of staff has chosen for lists of users.
fn user_list_layouts() -> Table {
    Table {
        name: "user_list_layouts",
        columns: vec![big_integer("user_number"), text("columns"), integer("page_rows")],
        primary_key: &["user_number"],
        foreign_keys: &[("user_number", "users", "number")],
        ..Table::default()
    }
}

/// The searches for users that staff have saved, each with its text and its filters.
fn saved_searches() -> Table {
    Table {
        name: "saved_searches",
        columns: vec![
            big_pk_auto("id"),
            big_integer("owner_number"),
            text("name"),
            boolean("shared").default(false).take(),
            text_null("search_text"),
            text("filters"),
            timestamp_with_time_zone("changed_at"),
        ],
        foreign_keys: &[("owner_number", "users", "number")],
        indexes: &[
            "INDEX saved_searches_owner ON saved_searches (owner_number)",
            "INDEX saved_searches_shared ON saved_searches (id) WHERE shared",
        ],
        ..Table::default()
    }
}
