//! Tasks.

use crate::step::Table;
use sea_orm_migration::schema::{
    big_integer_null, big_pk_auto, boolean, integer, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null,
};

pub(super) fn tables() -> Vec<Table> {
    vec![tasks()]
}

/// The saved jobs of the task centre, with settings and schedule.
fn tasks() -> Table {
    Table {
        name: "tasks",
        columns: vec![
            big_pk_auto("id"),
            text("description"),
            boolean("active"),
            text("task_type"),
            text("visibility"),
            big_integer_null("owner_number"),
            text("settings"),
            text_null("confirmed_settings"),
            text_null("letter"),
            text("schedule"),
            text("missed").default("once").take(),
            timestamp_with_time_zone_null("next_due_at"),
            boolean("single_default").default(false).take(),
            timestamp_with_time_zone("created_at"),
            timestamp_with_time_zone("changed_at"),
            timestamp_with_time_zone_null("deleted_at"),
            integer("version").default(1).take(),
        ],
        foreign_keys: &[("owner_number", "users", "number")],
        indexes: &[
            "UNIQUE INDEX tasks_single_default ON tasks (single_default) WHERE single_default AND deleted_at IS NULL",
            "INDEX tasks_due ON tasks (next_due_at) WHERE next_due_at IS NOT NULL",
        ],
        ..Table::default()
    }
}
