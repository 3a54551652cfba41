//! Approvals by a second person.

use crate::step::Table;
use sea_orm_migration::schema::{
    big_integer_null, big_pk_auto, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
};

pub(super) fn tables() -> Vec<Table> {
    vec![approvals()]
}

/// The requests for approval by a second person, with their decisions.
fn approvals() -> Table {
    Table {
        name: "approvals",
        columns: vec![
            big_pk_auto("id"),
            text("kind"),
            big_integer_null("preview_id"),
            big_integer_null("legal_hold_id"),
            big_integer_null("user_number"),
            big_integer_null("users"),
            text_null("counted_by"),
            text("fingerprint"),
            big_integer_null("asked_by"),
            timestamp_with_time_zone("asked_at"),
            timestamp_with_time_zone("expires_at"),
            big_integer_null("decided_by"),
            text_null("decision"),
            timestamp_with_time_zone_null("decided_at"),
            timestamp_with_time_zone_null("used_at"),
        ],
        foreign_keys: &[
            ("preview_id", "runs", "id"),
            ("legal_hold_id", "legal_holds", "id"),
            ("asked_by", "users", "number"),
            ("decided_by", "users", "number"),
        ],
        // Members of staff can't approve their own requests.
        check: Some((
            "approvals_check",
            "decision <> 'approved' OR asked_by IS NULL OR decided_by <> asked_by",
        )),
        indexes: &[
            "INDEX approvals_preview ON approvals (preview_id)",
            "INDEX approvals_hold ON approvals (legal_hold_id)",
            "INDEX approvals_open ON approvals (id) WHERE decision IS NULL",
        ],
        ..Table::default()
    }
}
