//! Tables of imports. They hold numbers of lines, codes and names of columns, never a value of a file.

use super::DataClass::{Link, NotPersonal};
use super::ErasureAction::{DeleteRow, Keep};
use super::{RowOwner, Table, entry};

pub(super) const IMPORTS: Table = Table {
    name: "imports",
    label: "Imports",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("kind", NotPersonal, Keep, "Kind of file"),
        entry("origin", NotPersonal, Keep, "Page, command line or task"),
        entry("started_by", Link, Keep, "Member of staff who started the import"),
        entry("state", NotPersonal, Keep, "State"),
        entry("profile", NotPersonal, Keep, "Import profile: what the lines are"),
        entry("options", NotPersonal, Keep, "Import options: what wrong lines, empty cells and absence do"),
        entry("run_id", Link, Keep, "Run of a task"),
        entry("file_name", NotPersonal, Keep, "Name of the watched file"),
        entry("file_changed_at", NotPersonal, Keep, "Last change of the watched file"),
        entry("upload", NotPersonal, Keep, "Random name of the uploaded file, until it is deleted"),
        entry("bytes", NotPersonal, Keep, "Size of the file"),
        entry("sha256", NotPersonal, Keep, "Digest of the file"),
        entry("counts", NotPersonal, Keep, "Numbers of lines and users"),
        entry("reason", NotPersonal, Keep, "Why nothing was imported: a code"),
        entry("created_at", NotPersonal, Keep, "Started"),
        entry("heartbeat_at", NotPersonal, Keep, "Last heartbeat of the process"),
        entry("ended_at", NotPersonal, Keep, "Ended"),
    ],
};

pub(super) const IMPORT_LINES: Table = Table {
    name: "import_lines",
    label: "Lines of imports that were rejected, held or skipped",
    owner: RowOwner::NoUser,
    columns: &[
        entry("import_id", NotPersonal, Keep, "Import"),
        entry("position", NotPersonal, Keep, "Position in the report"),
        entry("line", NotPersonal, Keep, "Number of the line"),
        entry("outcome", NotPersonal, Keep, "Rejected, held, skipped or note"),
        entry("column_name", NotPersonal, Keep, "Column of the problem"),
        entry("message", NotPersonal, Keep, "The problem, without the value"),
    ],
};

pub(super) const IMPORT_PROFILES: Table = Table {
    name: "import_profiles",
    label: "Import profiles that staff made",
    owner: RowOwner::NoUser,
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("kind", NotPersonal, Keep, "Kind of file"),
        entry("code", NotPersonal, Keep, "Code"),
        entry("name", NotPersonal, Keep, "Name"),
        entry("settings", NotPersonal, Keep, "Import profile: names of columns, their fields, date formats"),
        entry("version", NotPersonal, Keep, "Version"),
        entry("updated_at", NotPersonal, Keep, "Last change"),
    ],
};

pub(super) const USER_SOURCES: Table = Table {
    name: "user_sources",
    label: "Tasks whose files contain a user",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("task_id", NotPersonal, DeleteRow, "Task that imports the files"),
        entry("user_number", Link, DeleteRow, "User"),
    ],
};
