//! Legal holds.

use crate::step::Table;
use sea_orm_migration::schema::{big_integer_null, big_pk_auto, date, date_null, text, text_null};

pub(super) fn tables() -> Vec<Table> {
    vec![legal_holds()]
}

/// The reasons not to anonymise a user or the users of a category.
fn legal_holds() -> Table {
    Table {
        name: "legal_holds",
        columns: vec![
            big_pk_auto("id"),
            big_integer_null("user_number"),
            text_null("category"),
            text("reason"),
            big_integer_null("owner_number"),
            big_integer_null("placed_by"),
            date("placed_on"),
            date("review_on"),
            date_null("released_on"),
            big_integer_null("released_by"),
        ],
        foreign_keys: &[
            ("user_number", "users", "number"),
            ("owner_number", "users", "number"),
            ("placed_by", "users", "number"),
            ("released_by", "users", "number"),
        ],
        // A legal hold applies to one user or one category.
        check: Some(("legal_holds_one_of_two", "(user_number IS NULL) <> (category IS NULL)")),
        indexes: &[
            "INDEX legal_holds_user_in_force ON legal_holds (user_number) \
             WHERE released_on IS NULL AND user_number IS NOT NULL",
            "INDEX legal_holds_category_in_force ON legal_holds (category) \
             WHERE released_on IS NULL AND category IS NOT NULL",
            "INDEX legal_holds_user ON legal_holds (user_number)",
            "INDEX legal_holds_review ON legal_holds (review_on) WHERE released_on IS NULL",
        ],
        ..Table::default()
    }
}
