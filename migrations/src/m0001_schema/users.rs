//! Users and the data that belongs to a single user.

use crate::step::Table;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, blob, boolean, date_null, integer, integer_null, text,
    text_null,
};

pub(super) fn tables() -> Vec<Table> {
    vec![terms(), users(), user_words(), photos(), custom_fields(), custom_values(), key_periods()]
}

/// The categories, departments and branches of the library.
fn terms() -> Table {
    Table {
        name: "terms",
        columns: vec![text("kind"), text("code"), text("name")],
        primary_key: &["kind", "code"],
        ..Table::default()
    }
}

/// The users, anonymised or not; a row is never deleted.
fn users() -> Table {
    Table {
        name: "users",
        columns: vec![
            big_pk_auto("number"),
            text("uuid"),
            text_null("scim_id"),
            text_null("user_id"),
            text_null("title"),
            text_null("first_name"),
            text_null("middle_name"),
            text_null("last_name"),
            text_null("name_order"),
            text_null("preferred_name"),
            text_null("email"),
            text_null("phone"),
            text_null("mobile"),
            text_null("street"),
            text_null("postcode"),
            text_null("city"),
            text_null("country"),
            date_null("birth_date"),
            text_null("birth_period"),
            text_null("gender"),
            text_null("language"),
            text_null("barcode"),
            text_null("external_id"),
            text_null("user_id_key"),
            text_null("barcode_key"),
            text_null("external_id_key"),
            text_null("category"),
            text_null("department"),
            text_null("branch"),
            text_null("notes"),
            boolean("fictitious").default(false).take(),
            boolean("imported").default(false).take(),
            date_null("created_on"),
            date_null("leaving_on"),
            date_null("last_activity_on"),
            date_null("marked_on"),
            date_null("announced_on"),
            date_null("kept_on"),
            boolean("dates_by_month").default(false).take(),
            big_integer_null("guarantor_number"),
            text_null("replacement"),
            date_null("anonymised_on"),
            integer_null("rules_version"),
            integer("version").default(1).take(),
        ],
        foreign_keys: &[("guarantor_number", "users", "number")],
        compared_by_bytes: &["name_order"],
        indexes: &[
            "UNIQUE INDEX users_uuid ON users (uuid)",
            "UNIQUE INDEX users_scim_id ON users (scim_id)",
            "UNIQUE INDEX users_user_id ON users (user_id_key)",
            "UNIQUE INDEX users_barcode ON users (barcode_key)",
            "UNIQUE INDEX users_external_id ON users (external_id_key)",
            "UNIQUE INDEX users_replacement ON users (replacement)",
            "INDEX users_name ON users (name_order, number)",
            "INDEX users_leaving ON users (leaving_on, number)",
            "INDEX users_activity ON users (last_activity_on, number)",
            "INDEX users_category ON users (category, number)",
            "INDEX users_department ON users (department, number)",
            "INDEX users_branch ON users (branch, number)",
            "INDEX users_marked ON users (number) WHERE marked_on IS NOT NULL",
            "INDEX users_anonymised ON users (number) WHERE anonymised_on IS NOT NULL",
            "INDEX users_guarantor ON users (guarantor_number) WHERE guarantor_number IS NOT NULL",
        ],
        ..Table::default()
    }
}

/// The search index: words by which a search finds a user.
fn user_words() -> Table {
    Table {
        name: "user_words",
        columns: vec![text("word"), big_integer("user_number")],
        primary_key: &["word", "user_number"],
        foreign_keys: &[("user_number", "users", "number")],
        compared_by_bytes: &["word"],
        indexes: &["INDEX user_words_user ON user_words (user_number)"],
        ..Table::default()
    }
}

/// The photos of users, at most one for each.
fn photos() -> Table {
    Table {
        name: "photos",
        columns: vec![big_integer("user_number"), text("media_type"), blob("bytes")],
        primary_key: &["user_number"],
        foreign_keys: &[("user_number", "users", "number")],
        ..Table::default()
    }
}

/// The fields that the library has added to its user records.
fn custom_fields() -> Table {
    Table {
        name: "custom_fields",
        columns: vec![text("key"), text("label"), text("class").default("free_text").take()],
        primary_key: &["key"],
        ..Table::default()
    }
}

/// The values of users in custom fields.
fn custom_values() -> Table {
    Table {
        name: "custom_values",
        columns: vec![big_integer("user_number"), text("field_key"), text("value")],
        primary_key: &["user_number", "field_key"],
        foreign_keys: &[("user_number", "users", "number"), ("field_key", "custom_fields", "key")],
        ..Table::default()
    }
}

/// The former keys of users, and the days from which keys have new owners. A loan belongs to the user who owned the key
/// on its day.
fn key_periods() -> Table {
    Table {
        name: "key_periods",
        columns: vec![
            big_pk_auto("id"),
            big_integer("user_number"),
            text("kind"),
            text("key_form"),
            date_null("owned_from"),
            date_null("owned_until"),
        ],
        foreign_keys: &[("user_number", "users", "number")],
        indexes: &[
            "INDEX key_periods_key ON key_periods (key_form, kind)",
            "INDEX key_periods_user ON key_periods (user_number)",
        ],
        ..Table::default()
    }
}
