//! Access requests.

use crate::step::Table;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, date, date_null, text, text_null,
};

pub(super) fn tables() -> Vec<Table> {
    vec![access_requests()]
}

/// The requests of users for a copy of their data, with the answers.
fn access_requests() -> Table {
    Table {
        name: "access_requests",
        columns: vec![
            big_pk_auto("id"),
            big_integer("user_number"),
            text("state"),
            date("received_on"),
            date("due_on"),
            big_integer_null("recorded_by"),
            date_null("closed_on"),
            big_integer_null("closed_by"),
            text_null("decline_reason"),
            text_null("answer"),
        ],
        foreign_keys: &[
            ("user_number", "users", "number"),
            ("recorded_by", "users", "number"),
            ("closed_by", "users", "number"),
        ],
        indexes: &[
            "INDEX access_requests_user ON access_requests (user_number)",
            "INDEX access_requests_due ON access_requests (due_on, id) WHERE state = 'open'",
        ],
        ..Table::default()
    }
}
