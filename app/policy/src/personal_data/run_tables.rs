//! Tables of tasks and their runs.

use super::DataClass::{FreeText, Link, NotPersonal};
use super::ErasureAction::Keep;
use super::{RowOwner, Table, entry};

pub(super) const TASKS: Table = Table {
    name: "tasks",
    label: "Tasks",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("description", FreeText, Keep, "Description, written by staff about the task"),
        entry("active", NotPersonal, Keep, "Runs by its schedule"),
        entry("task_type", NotPersonal, Keep, "Task type"),
        entry("visibility", NotPersonal, Keep, "Private or shared"),
        entry("owner_number", Link, Keep, "Owner: a member of staff"),
        entry("settings", NotPersonal, Keep, "Settings"),
        entry("schedule", NotPersonal, Keep, "Schedule"),
        entry("single_default", NotPersonal, Keep, "Default for single users"),
        entry("created_at", NotPersonal, Keep, "Created"),
        entry("changed_at", NotPersonal, Keep, "Changed"),
        entry("version", NotPersonal, Keep, "Number of changes"),
        entry("deleted_at", NotPersonal, Keep, "Deleted"),
        entry("missed", NotPersonal, Keep, "Rule for missed runs"),
        entry("next_due_at", NotPersonal, Keep, "Next due"),
        entry("confirmed_settings", NotPersonal, Keep, "Confirmed settings"),
        entry("letter", FreeText, Keep, "Text of letters before erasure"),
    ],
};

pub(super) const RUNS: Table = Table {
    name: "runs",
    label: "Runs and previews",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("task_id", Link, Keep, "Task"),
        entry("kind", NotPersonal, Keep, "Kind"),
        entry("state", NotPersonal, Keep, "State"),
        entry("today", NotPersonal, Keep, "Day of the assessment"),
        entry("settings", NotPersonal, Keep, "Settings at the time"),
        entry("task_version", NotPersonal, Keep, "Version of the task"),
        entry("rules_version", NotPersonal, Keep, "Version of the rules"),
        entry("preview_id", Link, Keep, "Preview that it executes"),
        entry("actor_number", Link, Keep, "Member of staff who started it"),
        entry("approval_id", Link, Keep, "Approval that was used to start it"),
        entry("channel", NotPersonal, Keep, "Page, command line or schedule"),
        entry("created_at", NotPersonal, Keep, "Created"),
        entry("finished_at", NotPersonal, Keep, "Finished"),
        entry("heartbeat_at", NotPersonal, Keep, "Last update"),
        entry("users", NotPersonal, Keep, "Users assessed"),
        entry("previewed", NotPersonal, Keep, "Eligible users"),
        entry("done", NotPersonal, Keep, "Anonymised"),
        entry("skipped", NotPersonal, Keep, "Skipped"),
        entry("failed", NotPersonal, Keep, "Failed"),
        entry("due_at", NotPersonal, Keep, "When it was due"),
        entry("started_at", NotPersonal, Keep, "Started"),
        entry("holder", NotPersonal, Keep, "Process that executes it (random name)"),
        entry("progress_at", NotPersonal, Keep, "Last progress"),
        entry("interruptions", NotPersonal, Keep, "Number of interruptions"),
        entry("phase", NotPersonal, Keep, "Phase"),
        entry(
            "fingerprint",
            NotPersonal,
            Keep,
            "Preview fingerprint: digest of policy, rules, day and users",
        ),
        entry("safety_limit", NotPersonal, Keep, "Safety limit that stopped it"),
        entry("maintenance", NotPersonal, Keep, "Maintenance of the database files"),
        entry("erasure_reason", NotPersonal, Keep, "Reason for anonymising a single user, as a code"),
        entry(
            "case_reference",
            FreeText,
            Keep,
            "Reference of a case in the library’s files. Names, e-mail addresses and identifiers of the user are rejected",
        ),
        entry("merged_into", Link, Keep, "Record into which the anonymised one was merged"),
        entry("listed", NotPersonal, Keep, "Number of listed users, if the preview is for listed users"),
        entry("excluded", NotPersonal, Keep, "Eligible users that staff excluded"),
    ],
};

pub(super) const RUN_MEMBERS: Table = Table {
    name: "run_members",
    label: "Users of a run or preview",
    owner: RowOwner::NoUser,
    columns: &[
        entry("run_id", Link, Keep, "Run"),
        entry("user_number", Link, Keep, "User"),
        entry("reason", NotPersonal, Keep, "Verdict of the preview"),
        entry("blockers", NotPersonal, Keep, "All blockers"),
        entry("outcome", NotPersonal, Keep, "Outcome"),
        entry("outcome_reason", NotPersonal, Keep, "Reason for skipping"),
        entry("failure", NotPersonal, Keep, "Code of the failure"),
        entry("residue", NotPersonal, Keep, "Result of the residue search"),
        entry("exclusion", NotPersonal, Keep, "Reason why staff excluded the user"),
        entry("excluded_by", Link, Keep, "Member of staff who excluded the user"),
    ],
};

pub(super) const RUN_COUNTS: Table = Table {
    name: "run_counts",
    label: "Counts of a run",
    owner: RowOwner::NoUser,
    columns: &[
        entry("run_id", Link, Keep, "Run"),
        entry("kind", NotPersonal, Keep, "What is counted"),
        entry("code", NotPersonal, Keep, "Verdict, outcome or table"),
        entry("count", NotPersonal, Keep, "Number"),
    ],
};
