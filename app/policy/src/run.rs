//! The kinds, states and results of runs.

use crate::numbers::counted;
use crate::stored::coded_enum;
use crate::task_type::TaskType;
use serde::{Deserialize, Serialize};

coded_enum! {
    /// The kind of a run.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum RunKind: "kind of the run" {
        /// Assesses all users and changes none.
        Preview = "preview",
        /// Started by a member of staff.
        Manual = "manual",
        /// Started by the schedule of its task.
        Scheduled = "scheduled",
        /// Anonymises a single user from the record or the command line.
        Single = "single",
        /// Reapplies newer rules to users anonymised under older ones.
        Reapply = "reapply",
        /// After a restore, again anonymises the users that the ledger names.
        Replay = "replay",
    }
}

impl RunKind {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Preview => "Preview",
            Self::Manual => "Manual run",
            Self::Scheduled => "Scheduled run",
            Self::Single => "Single-user run",
            Self::Reapply => "Rules update",
            Self::Replay => "Ledger replay",
        }
    }
}

coded_enum! {
    /// The progress or result of a run. It is derived only from the numbers of users.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum RunState: "state of the run" {
        /// Waiting for a process to take it up. No other run may be active.
        Queued = "queued",
        /// A process is executing it.
        Running = "running",
        /// Cancelled; it stops before its next batch.
        Cancelling = "cancelling",
        /// Stopped by cancelling. Users already anonymised stay anonymised.
        Cancelled = "cancelled",
        /// The process that executed it died; another one takes it up.
        Interrupted = "interrupted",
        /// All users of the preview were anonymised or skipped for a reason.
        Succeeded = "succeeded",
        /// Some users failed; the others were processed.
        CompletedWithFailures = "completed_with_failures",
        /// No user could be processed.
        Failed = "failed",
        /// It was due while no process was running, and its task says to skip such runs.
        Missed = "missed",
        /// It exceeds a safety limit and needs a confirmation.
        StoppedByLimit = "stopped_by_limit",
        /// There was no file to import.
        NothingToImport = "nothing_to_import",
    }
}

impl RunState {
    /// The states of an active run. At most one run has one of them.
    pub const UNDER_WAY: [Self; 3] = [Self::Running, Self::Cancelling, Self::Interrupted];

    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Running => "Running",
            Self::Cancelling => "Cancelling",
            Self::Cancelled => "Cancelled",
            Self::Interrupted => "Interrupted",
            Self::Succeeded => "Succeeded",
            Self::CompletedWithFailures => "Completed with failures",
            Self::Failed => "Failed",
            Self::Missed => "Missed",
            Self::StoppedByLimit => "Stopped for confirmation",
            Self::NothingToImport => "Nothing to import",
        }
    }

    /// Returns the label, with the number of open findings: a run with open findings is never shown as a plain
    /// success.
    pub fn label_with_findings(self, open_findings: i64) -> String {
        if open_findings > 0 {
            format!("{}, {} to decide", self.label(), counted(open_findings, "finding", "findings"))
        } else {
            self.label().to_owned()
        }
    }

    /// Returns whether a run with this state and number of anonymised users confirms its settings.
    ///
    /// A run that was cancelled, failed or changed no users confirms nothing.
    pub const fn confirms(self, done: i64) -> bool {
        matches!(self, Self::Succeeded | Self::CompletedWithFailures) && done > 0
    }

    /// Returns whether the run has started and not ended.
    pub const fn is_under_way(self) -> bool {
        matches!(self, Self::Running | Self::Cancelling | Self::Interrupted)
    }

    /// Returns whether the run has ended.
    pub const fn is_final(self) -> bool {
        !self.is_under_way() && !matches!(self, Self::Queued)
    }

    /// Returns the state derived from the numbers of users, or `None` if they don't add up to the preview.
    pub const fn of_counts(previewed: i64, done: i64, skipped: i64, failed: i64) -> Option<Self> {
        if done + skipped + failed != previewed {
            return None;
        }
        Some(match (failed, done + skipped) {
            (0, _) => Self::Succeeded,
            (_, 0) => Self::Failed,
            _ => Self::CompletedWithFailures,
        })
    }

    /// Returns the state of a run that was cancelled, or `None` if the numbers exceed the preview.
    ///
    /// Users without an outcome were not reached. A run that completed before it could stop isn't *cancelled*.
    pub const fn of_cancelled(previewed: i64, done: i64, skipped: i64, failed: i64) -> Option<Self> {
        let counted = done + skipped + failed;
        if counted < previewed {
            return Some(Self::Cancelled);
        }
        Self::of_counts(previewed, done, skipped, failed)
    }
}

coded_enum! {
    /// The step of an active run.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Phase: "phase of the run" {
        /// Determines the eligible users and the preview fingerprint.
        Previewing = "previewing",
        /// Anonymises users in batches.
        Anonymising = "anonymising",
        /// Searches the database for residue.
        Scanning = "scanning",
        /// Removes old values from the database files.
        Maintaining = "maintaining",
        /// Imports the files of a folder.
        Importing = "importing",
        /// Sends e-mails to users.
        Announcing = "announcing",
    }
}

impl Phase {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Previewing => "Assessing users",
            Self::Anonymising => "Anonymising",
            Self::Scanning => "Searching for residue",
            Self::Maintaining => "Cleaning the database files",
            Self::Importing => "Importing",
            Self::Announcing => "Announcing",
        }
    }
}

coded_enum! {
    /// The result of the residue search for one user.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Residue: "result of the residue search" {
        /// None of the old values was found.
        Clean = "clean",
        /// At least one old value was found.
        WithFindings = "with_findings",
        /// The old values were lost before the search.
        Undeterminable = "undeterminable",
    }
}

impl Residue {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Clean => "Clean",
            Self::WithFindings => "With findings",
            Self::Undeterminable => "Cannot be determined",
        }
    }
}

coded_enum! {
    /// The result of a run for one user.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Outcome: "outcome" {
        /// Anonymised.
        Done = "done",
        /// Not changed, for a reason that arose after the preview.
        Skipped = "skipped",
        /// An error occurred; the user is unchanged.
        Failed = "failed",
    }
}

impl Outcome {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Done => "Anonymised",
            Self::Skipped => "Skipped",
            Self::Failed => "Failed",
        }
    }

    /// Returns the label for a run of a task of this type.
    pub const fn label_of(self, task_type: TaskType) -> &'static str {
        match (self, task_type) {
            (Self::Done, TaskType::AnnounceAnonymising) => "Announced",
            _ => self.label(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_requires_an_outcome_for_every_user() {
        assert_eq!(RunState::of_counts(3, 2, 0, 0), None);
        assert_eq!(RunState::of_counts(3, 2, 1, 0), Some(RunState::Succeeded));
        assert_eq!(RunState::of_counts(3, 2, 0, 1), Some(RunState::CompletedWithFailures));
        assert_eq!(RunState::of_counts(1, 0, 0, 1), Some(RunState::Failed));
        assert_eq!(RunState::of_counts(0, 0, 0, 0), Some(RunState::Succeeded));
    }

    #[test]
    fn the_label_of_a_run_includes_open_findings() {
        assert_eq!(RunState::Succeeded.label_with_findings(0), "Succeeded");
        assert_eq!(RunState::Succeeded.label_with_findings(1), "Succeeded, 1 finding to decide");
        assert_eq!(RunState::Cancelled.label_with_findings(1200), "Cancelled, 1,200 findings to decide");
    }

    #[test]
    fn only_a_completed_run_confirms() {
        for state in RunState::ALL {
            let ended = matches!(state, RunState::Succeeded | RunState::CompletedWithFailures);
            assert_eq!(state.confirms(1), ended, "{state:?}");
            assert!(!state.confirms(0), "{state:?}");
        }
    }

    #[test]
    fn a_completed_run_is_not_cancelled() {
        assert_eq!(RunState::of_cancelled(3, 1, 1, 0), Some(RunState::Cancelled));
        assert_eq!(RunState::of_cancelled(3, 2, 1, 0), Some(RunState::Succeeded));
        assert_eq!(RunState::of_cancelled(3, 2, 2, 0), None);
    }
}
