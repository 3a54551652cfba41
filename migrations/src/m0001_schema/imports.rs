//! The imports of files, with what became of their lines, and the import profiles of the library.

use crate::step::Table;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, integer, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null,
};

pub(super) fn tables() -> Vec<Table> {
    vec![imports(), import_lines(), import_profiles(), user_sources()]
}

/// The imported files: by which member of staff, in which state, with which counts. The file itself is not stored.
fn imports() -> Table {
    Table {
        name: "imports",
        columns: vec![
            big_pk_auto("id"),
            text("kind"),
            text("origin"),
            big_integer_null("started_by"),
            text("state"),
            text("profile"),
            text("options"),
            // The run of a task, with the watched file.
            big_integer_null("run_id"),
            text_null("file_name"),
            timestamp_with_time_zone_null("file_changed_at"),
            // The name of the private copy, until it is erased.
            text_null("upload"),
            big_integer("bytes").default(0).take(),
            text_null("sha256"),
            text_null("counts"),
            text_null("reason"),
            timestamp_with_time_zone("created_at"),
            timestamp_with_time_zone_null("heartbeat_at"),
            timestamp_with_time_zone_null("ended_at"),
        ],
        foreign_keys: &[("started_by", "users", "number"), ("run_id", "runs", "id")],
        indexes: &[
            "INDEX imports_upload ON imports (id) WHERE upload IS NOT NULL",
            "INDEX imports_run ON imports (run_id) WHERE run_id IS NOT NULL",
        ],
        ..Table::default()
    }
}

/// The lines of an import that were not simply imported: rejected, held, skipped, or with a note. Never a value.
fn import_lines() -> Table {
    Table {
        name: "import_lines",
        columns: vec![
            big_integer("import_id"),
            big_integer("position"),
            big_integer("line"),
            text("outcome"),
            text_null("column_name"),
            text("message"),
        ],
        primary_key: &["import_id", "position"],
        foreign_keys: &[("import_id", "imports", "id")],
        ..Table::default()
    }
}

/// The profiles that staff made. An import has its own copy of the profile; a task has its code.
fn import_profiles() -> Table {
    Table {
        name: "import_profiles",
        columns: vec![
            big_pk_auto("id"),
            text("kind"),
            text("code"),
            text("name"),
            text("settings"),
            integer("version").default(1).take(),
            timestamp_with_time_zone("updated_at"),
        ],
        indexes: &[
            "UNIQUE INDEX import_profiles_code ON import_profiles (kind, code)",
            "UNIQUE INDEX import_profiles_name ON import_profiles (kind, name)",
        ],
        ..Table::default()
    }
}

/// The users in the latest files of a task. Their absence from its next file counts.
fn user_sources() -> Table {
    Table {
        name: "user_sources",
        columns: vec![big_integer("task_id"), big_integer("user_number")],
        primary_key: &["task_id", "user_number"],
        foreign_keys: &[("task_id", "tasks", "id"), ("user_number", "users", "number")],
        indexes: &["INDEX user_sources_user ON user_sources (user_number)"],
        ..Table::default()
    }
}
