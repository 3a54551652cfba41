//! Notifications: the outbox, the deliveries, and what staff and monitoring get.

use crate::step::Table;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, date, integer, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null,
};

pub(super) fn tables() -> Vec<Table> {
    vec![notifications(), notification_choices(), webhooks(), notification_deliveries(), announcements()]
}

/// The outbox: events, each written in the transaction in which it happens.
fn notifications() -> Table {
    Table {
        name: "notifications",
        columns: vec![
            big_pk_auto("id"),
            text("event"),
            big_integer_null("task_id"),
            big_integer_null("run_id"),
            big_integer_null("approval_id"),
            big_integer_null("legal_hold_id"),
            timestamp_with_time_zone("at"),
            text_null("once"),
            timestamp_with_time_zone_null("spread_at"),
        ],
        foreign_keys: &[
            ("task_id", "tasks", "id"),
            ("run_id", "runs", "id"),
            ("approval_id", "approvals", "id"),
            ("legal_hold_id", "legal_holds", "id"),
        ],
        indexes: &[
            "UNIQUE INDEX notifications_once ON notifications (once)",
            "INDEX notifications_new ON notifications (id) WHERE spread_at IS NULL",
        ],
        ..Table::default()
    }
}

/// The events that members of staff get by e-mail.
fn notification_choices() -> Table {
    Table {
        name: "notification_choices",
        columns: vec![big_integer("user_number"), text("event")],
        primary_key: &["user_number", "event"],
        foreign_keys: &[("user_number", "users", "number")],
        ..Table::default()
    }
}

/// The addresses of other systems that get events. A disabled one keeps its row.
fn webhooks() -> Table {
    Table {
        name: "webhooks",
        columns: vec![
            big_pk_auto("id"),
            text("name"),
            text("url"),
            text("secret"),
            text("events"),
            big_integer_null("created_by"),
            timestamp_with_time_zone("created_at"),
            timestamp_with_time_zone_null("disabled_at"),
        ],
        foreign_keys: &[("created_by", "users", "number")],
        ..Table::default()
    }
}

/// The deliveries of events, each to one member of staff or one webhook.
fn notification_deliveries() -> Table {
    Table {
        name: "notification_deliveries",
        columns: vec![
            big_pk_auto("id"),
            big_integer("notification_id"),
            big_integer_null("user_number"),
            big_integer_null("webhook_id"),
            text("message_id"),
            text("state"),
            text_null("problem"),
            integer("attempts").default(0).take(),
            timestamp_with_time_zone("next_at"),
            text_null("holder"),
            timestamp_with_time_zone_null("held_until"),
            timestamp_with_time_zone_null("ended_at"),
        ],
        foreign_keys: &[
            ("notification_id", "notifications", "id"),
            ("user_number", "users", "number"),
            ("webhook_id", "webhooks", "id"),
        ],
        check: Some(("one_recipient", "(user_number IS NULL) <> (webhook_id IS NULL)")),
        indexes: &[
            "INDEX notification_deliveries_due ON notification_deliveries (next_at) WHERE state = 'waiting'",
            "INDEX notification_deliveries_failed ON notification_deliveries (id) WHERE state = 'failed'",
            "INDEX notification_deliveries_notification ON notification_deliveries (notification_id)",
            "INDEX notification_deliveries_user ON notification_deliveries (user_number)",
        ],
        ..Table::default()
    }
}

/// The e-mails that announce anonymising to users. Address and text are not stored, and of the link only a digest.
fn announcements() -> Table {
    Table {
        name: "announcements",
        columns: vec![
            big_pk_auto("id"),
            big_integer("user_number"),
            big_integer("task_id"),
            big_integer("run_id"),
            date("due_on"),
            text("token_digest"),
            text("message_id"),
            text("state"),
            text_null("problem"),
            timestamp_with_time_zone_null("sent_at"),
        ],
        foreign_keys: &[
            ("user_number", "users", "number"),
            ("task_id", "tasks", "id"),
            ("run_id", "runs", "id"),
        ],
        indexes: &[
            "UNIQUE INDEX announcements_token ON announcements (token_digest)",
            "UNIQUE INDEX announcements_message ON announcements (message_id)",
            "UNIQUE INDEX announcements_run ON announcements (run_id, user_number)",
            "INDEX announcements_user ON announcements (user_number)",
        ],
        ..Table::default()
    }
}
