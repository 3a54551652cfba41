//! Residue of anonymised users.

use crate::step::Table;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null,
};

pub(super) fn tables() -> Vec<Table> {
    vec![findings()]
}

/// The locations where a value of an anonymised user was found, never the value, with the decision of staff.
fn findings() -> Table {
    Table {
        name: "findings",
        columns: vec![
            big_pk_auto("id"),
            big_integer_null("run_id"),
            big_integer("user_number"),
            text("table_name"),
            text("column_name"),
            text("row_key"),
            text("what"),
            timestamp_with_time_zone("found_at"),
            text_null("decision"),
            timestamp_with_time_zone_null("decided_at"),
            big_integer_null("decided_by"),
        ],
        foreign_keys: &[("run_id", "runs", "id"), ("user_number", "users", "number")],
        indexes: &[
            "INDEX findings_run ON findings (run_id, id)",
            "INDEX findings_open ON findings (id) WHERE decision IS NULL",
            "INDEX findings_undecided ON findings (run_id, found_at) WHERE decision IS NULL",
        ],
        ..Table::default()
    }
}
