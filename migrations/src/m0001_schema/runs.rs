//! Runs and previews, with their users and counts.

use crate::step::Table;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, date, integer, integer_null, small_integer,
    small_integer_null, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
};

pub(super) fn tables() -> Vec<Table> {
    vec![runs(), run_members(), run_counts()]
}

/// The runs and previews, with their lease and progress.
fn runs() -> Table {
    Table {
        name: "runs",
        columns: vec![
            big_pk_auto("id"),
            big_integer_null("task_id"),
            integer_null("task_version"),
            text("kind"),
            text("state"),
            text_null("phase"),
            date("today"),
            text("settings"),
            integer("rules_version"),
            big_integer_null("preview_id"),
            text_null("fingerprint"),
            big_integer_null("actor_number"),
            big_integer_null("approval_id"),
            text("channel"),
            timestamp_with_time_zone("created_at"),
            timestamp_with_time_zone_null("due_at"),
            timestamp_with_time_zone_null("started_at"),
            timestamp_with_time_zone_null("finished_at"),
            text_null("holder"),
            timestamp_with_time_zone_null("heartbeat_at"),
            timestamp_with_time_zone_null("progress_at"),
            integer("interruptions").default(0).take(),
            big_integer("users").default(0).take(),
            big_integer("previewed").default(0).take(),
            big_integer("done").default(0).take(),
            big_integer("skipped").default(0).take(),
            big_integer("failed").default(0).take(),
            text_null("safety_limit"),
            text_null("maintenance"),
            text_null("erasure_reason"),
            text_null("case_reference"),
            big_integer_null("merged_into"),
            big_integer_null("listed"),
            big_integer("excluded").default(0).take(),
        ],
        foreign_keys: &[
            ("task_id", "tasks", "id"),
            ("preview_id", "runs", "id"),
            ("merged_into", "users", "number"),
        ],
        indexes: &[
            "INDEX runs_task ON runs (task_id, id)",
            "INDEX runs_state ON runs (state, id)",
            "INDEX runs_kind ON runs (kind, id)",
            "INDEX runs_today ON runs (today)",
            // Prevents two active runs, whichever processes start them.
            "UNIQUE INDEX runs_one_under_way ON runs ((1)) WHERE state IN ('running', 'cancelling', 'interrupted')",
            // A due time starts one run, whichever process sees it first.
            "UNIQUE INDEX runs_due ON runs (task_id, due_at) WHERE due_at IS NOT NULL",
        ],
        ..Table::default()
    }
}

/// The users of a run or preview, with verdict and outcome.
fn run_members() -> Table {
    Table {
        name: "run_members",
        columns: vec![
            big_integer("run_id"),
            big_integer("user_number"),
            small_integer("reason"),
            small_integer("blockers"),
            text_null("outcome"),
            small_integer_null("outcome_reason"),
            text_null("failure"),
            text_null("residue"),
            text_null("exclusion"),
            big_integer_null("excluded_by"),
        ],
        primary_key: &["run_id", "user_number"],
        foreign_keys: &[("run_id", "runs", "id"), ("user_number", "users", "number")],
        indexes: &[
            "INDEX run_members_reason ON run_members (run_id, reason, user_number)",
            "INDEX run_members_outcome ON run_members (run_id, outcome, user_number)",
        ],
        ..Table::default()
    }
}

/// The counts of a run: verdicts by reason, outcomes, rows by table.
fn run_counts() -> Table {
    Table {
        name: "run_counts",
        columns: vec![big_integer("run_id"), text("kind"), text("code"), big_integer("count")],
        primary_key: &["run_id", "kind", "code"],
        foreign_keys: &[("run_id", "runs", "id")],
        ..Table::default()
    }
}
