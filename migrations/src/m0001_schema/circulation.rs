//! Loans, requests, charges and messages. Their rows remain after their user is anonymised.

use crate::step::Table;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, date, date_null, integer, text, text_null,
    timestamp_with_time_zone,
};

pub(super) fn tables() -> Vec<Table> {
    vec![loans(), renewals(), requests(), charges(), messages()]
}

/// The loans, with the category and department of the borrower on that day.
fn loans() -> Table {
    Table {
        name: "loans",
        columns: vec![
            big_pk_auto("id"),
            big_integer("user_number"),
            big_integer_null("item_id"),
            text("branch"),
            text_null("category"),
            text_null("department"),
            date("issued_on"),
            date("due_on"),
            date_null("returned_on"),
            integer("renewals").default(0).take(),
            text_null("note"),
            text_null("return_note"),
        ],
        foreign_keys: &[("user_number", "users", "number"), ("item_id", "items", "id")],
        indexes: &[
            "INDEX loans_user ON loans (user_number, id)",
            "INDEX loans_open ON loans (user_number) WHERE returned_on IS NULL",
            "INDEX loans_item_open ON loans (item_id) WHERE returned_on IS NULL",
            "INDEX loans_issued ON loans (issued_on)",
        ],
        ..Table::default()
    }
}

/// The renewals of loans.
fn renewals() -> Table {
    Table {
        name: "renewals",
        columns: vec![
            big_pk_auto("id"),
            big_integer("loan_id"),
            date("renewed_on"),
            date("due_on"),
            text_null("note"),
        ],
        foreign_keys: &[("loan_id", "loans", "id")],
        indexes: &["INDEX renewals_loan ON renewals (loan_id)"],
        ..Table::default()
    }
}

/// The requests, with the category and department of the requester on that day.
fn requests() -> Table {
    Table {
        name: "requests",
        columns: vec![
            big_pk_auto("id"),
            big_integer("user_number"),
            big_integer_null("record_id"),
            text("branch"),
            text_null("category"),
            text_null("department"),
            date("placed_on"),
            text("status"),
            date_null("closed_on"),
            text_null("note"),
            text_null("cancel_reason"),
        ],
        foreign_keys: &[("user_number", "users", "number"), ("record_id", "catalogue_records", "id")],
        indexes: &[
            "INDEX requests_user ON requests (user_number, id)",
            "INDEX requests_open ON requests (user_number) WHERE closed_on IS NULL",
        ],
        ..Table::default()
    }
}

/// The charges and, with negative amounts, the credits.
fn charges() -> Table {
    Table {
        name: "charges",
        columns: vec![
            big_pk_auto("id"),
            big_integer("user_number"),
            big_integer_null("loan_id"),
            text("kind"),
            big_integer_null("cents"),
            text_null("category"),
            text_null("department"),
            date("charged_on"),
            date_null("settled_on"),
            text_null("note"),
        ],
        foreign_keys: &[("user_number", "users", "number"), ("loan_id", "loans", "id")],
        indexes: &[
            "INDEX charges_user ON charges (user_number, id)",
            "INDEX charges_unsettled ON charges (user_number) WHERE settled_on IS NULL AND COALESCE(cents, 1) <> 0",
        ],
        ..Table::default()
    }
}

/// The messages that the library sent to users.
fn messages() -> Table {
    Table {
        name: "messages",
        columns: vec![
            big_pk_auto("id"),
            big_integer("user_number"),
            text("kind"),
            text("channel"),
            timestamp_with_time_zone("sent_at"),
            text_null("recipient"),
            text_null("subject"),
            text_null("body"),
        ],
        foreign_keys: &[("user_number", "users", "number")],
        indexes: &["INDEX messages_user ON messages (user_number, id)"],
        ..Table::default()
    }
}
