//! The states of an import and of its lines.

use crate::stored::coded_enum;
use serde::{Deserialize, Serialize};

coded_enum! {
    /// The entry point of an import.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ImportOrigin: "origin of the import" {
        /// The page *Import*.
        Page = "page",
        /// `lethe import`.
        CommandLine = "command_line",
        /// A run of a task.
        Task = "task",
    }
}

impl ImportOrigin {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Page => "Page",
            Self::CommandLine => "Command line",
            Self::Task => "Task",
        }
    }
}

coded_enum! {
    /// The progress or result of an import.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ImportState: "state of the import" {
        /// The file is there; it has not been checked.
        Uploaded = "uploaded",
        /// A dry run is under way.
        Checking = "checking",
        /// The dry run has counted what the import would do.
        Checked = "checked",
        /// The lines are being written. All of them are committed together.
        Importing = "importing",
        /// Committed.
        Imported = "imported",
        /// Rejected: the file has problems or exceeds a limit. Nothing was changed.
        Rejected = "rejected",
        /// Has the same content as the file that its task imported before. Nothing was changed.
        Unchanged = "unchanged",
        /// Stopped by a safety limit. Nothing was changed; a person can confirm the file.
        Stopped = "stopped",
        /// Ended by an error of the database or the file system. Nothing was changed.
        Failed = "failed",
        /// Cancelled by a member of staff. Nothing was changed.
        Cancelled = "cancelled",
        /// Its process stopped. Nothing was changed.
        Interrupted = "interrupted",
    }
}

impl ImportState {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Uploaded => "Uploaded",
            Self::Checking => "Checking",
            Self::Checked => "Checked",
            Self::Importing => "Importing",
            Self::Imported => "Imported",
            Self::Rejected => "Rejected",
            Self::Unchanged => "Same file as before",
            Self::Stopped => "Stopped for confirmation",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
            Self::Interrupted => "Interrupted",
        }
    }

    /// The states of a file that waits for its check or import. How it is read can be changed.
    pub const WAITING: [Self; 3] = [Self::Uploaded, Self::Checked, Self::Rejected];

    /// Returns whether the file waits for its check or import.
    pub const fn is_waiting(self) -> bool {
        matches!(self, Self::Uploaded | Self::Checked | Self::Rejected)
    }

    /// Returns whether a process is working on the import.
    pub const fn is_under_way(self) -> bool {
        matches!(self, Self::Checking | Self::Importing)
    }

    /// Returns whether the import is over. Its file is deleted then.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Imported
                | Self::Unchanged
                | Self::Stopped
                | Self::Failed
                | Self::Cancelled
                | Self::Interrupted
        )
    }
}

coded_enum! {
    /// The outcome of a line that was not simply imported.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum LineOutcome: "outcome of the line" {
        /// The line has a problem.
        Rejected = "rejected",
        /// The line waits for a decision, because its identifier belonged to an anonymised user.
        Held = "held",
        /// A rule leaves out the line: it is about an anonymised user or a member of staff, or a legal hold protects a
        /// value.
        Skipped = "skipped",
        /// The line was imported with a note.
        Note = "note",
        /// The line creates a record. Only the first of these lines are kept.
        New = "new",
        /// The line changes a record. Only the first of these lines are kept.
        Changed = "changed",
    }
}

impl LineOutcome {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Rejected => "Rejected",
            Self::Held => "Held",
            Self::Skipped => "Skipped",
            Self::Note => "Imported with a note",
            Self::New => "New",
            Self::Changed => "Changed",
        }
    }
}
