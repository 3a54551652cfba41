//! What a run is and how it ended.

use crate::numbers::counted;
use serde::{Deserialize, Serialize};

/// What kind of run it is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// Says who would be anonymised and changes nobody.
    Preview,
    /// Started by a member of staff.
    Manual,
    /// Started by the schedule of its task.
    Scheduled,
    /// One person, from the record or the command line.
    Single,
    /// Brings people who were anonymised under older rules up to the present ones.
    Reapply,
    /// After a backup was restored: anonymises again whom the ledger names.
    Replay,
}

impl RunKind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Preview, Self::Manual, Self::Scheduled, Self::Single, Self::Reapply, Self::Replay];

    /// The stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Preview => "preview",
            Self::Manual => "manual",
            Self::Scheduled => "scheduled",
            Self::Single => "single",
            Self::Reapply => "reapply",
            Self::Replay => "replay",
        }
    }

    /// The kind in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Preview => "Preview",
            Self::Manual => "Manual run",
            Self::Scheduled => "Scheduled run",
            Self::Single => "Single user",
            Self::Reapply => "Rules update",
            Self::Replay => "Ledger replay",
        }
    }

    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// How far a run is, or how it ended. It follows from counted people and from nothing else.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Waits until a process takes it up and no other run is under way.
    Queued,
    /// At work.
    Running,
    /// Somebody cancelled it; it stops before the next people.
    Cancelling,
    /// Stopped because somebody cancelled it. Who was done stays done.
    Cancelled,
    /// The process that carried it out is gone; another one takes it up.
    Interrupted,
    /// Everybody of the preview is done or was skipped for a reason.
    Succeeded,
    /// Some people failed; the others are done.
    CompletedWithFailures,
    /// Nobody could be done.
    Failed,
    /// It was due while no process was there to start it, and its task says to skip such runs.
    Missed,
    /// It would have touched more people than the brakes allow without a confirmation.
    StoppedByBrake,
}

impl RunState {
    /// All states.
    pub const ALL: [Self; 10] = [
        Self::Queued,
        Self::Running,
        Self::Cancelling,
        Self::Cancelled,
        Self::Interrupted,
        Self::Succeeded,
        Self::CompletedWithFailures,
        Self::Failed,
        Self::Missed,
        Self::StoppedByBrake,
    ];

    /// The states of a run that has begun and not ended. One run at most is in one of them.
    pub const UNDER_WAY: [Self; 3] = [Self::Running, Self::Cancelling, Self::Interrupted];

    /// The stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
            Self::Succeeded => "succeeded",
            Self::CompletedWithFailures => "completed_with_failures",
            Self::Failed => "failed",
            Self::Missed => "missed",
            Self::StoppedByBrake => "stopped_by_brake",
        }
    }

    /// The state in words.
    pub const fn words(self) -> &'static str {
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
            Self::StoppedByBrake => "Stopped for confirmation",
        }
    }

    /// The state in words, with the findings of its residue search that are still to be decided: a run that left
    /// some open is never shown as plain success.
    pub fn words_with(self, open_findings: i64) -> String {
        if open_findings > 0 {
            format!("{}, {} to decide", self.words(), counted(open_findings, "finding", "findings"))
        } else {
            self.words().to_owned()
        }
    }

    /// The state with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Whether a run that ended like this, and anonymised this many users, confirms the settings that it carried out.
    /// A run that was cancelled or failed confirms nothing, and neither does one that changed no user.
    pub const fn confirms(self, done: i64) -> bool {
        matches!(self, Self::Succeeded | Self::CompletedWithFailures) && done > 0
    }

    /// Whether the run has begun and not ended.
    pub const fn is_under_way(self) -> bool {
        matches!(self, Self::Running | Self::Cancelling | Self::Interrupted)
    }

    /// Whether nothing more will happen.
    pub const fn is_final(self) -> bool {
        !self.is_under_way() && !matches!(self, Self::Queued)
    }

    /// The state that counted people prove: none while somebody of the preview is not accounted for.
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

    /// The state of a run that was cancelled: whoever is not accounted for was not reached. A run that had
    /// come to its end before it could stop is not cancelled.
    pub const fn of_cancelled(previewed: i64, done: i64, skipped: i64, failed: i64) -> Option<Self> {
        let counted = done + skipped + failed;
        if counted < previewed {
            return Some(Self::Cancelled);
        }
        Self::of_counts(previewed, done, skipped, failed)
    }
}

/// What a run that is under way is doing.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Finds out who is eligible and seals the list.
    Sealing,
    /// Anonymises, batch by batch.
    Anonymising,
    /// Searches the database for what should be gone.
    Scanning,
    /// Makes removed values vanish from the database files.
    Maintaining,
}

impl Phase {
    /// All phases, in their order.
    pub const ALL: [Self; 4] = [Self::Sealing, Self::Anonymising, Self::Scanning, Self::Maintaining];

    /// The stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Sealing => "sealing",
            Self::Anonymising => "anonymising",
            Self::Scanning => "scanning",
            Self::Maintaining => "maintaining",
        }
    }

    /// The phase in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Sealing => "Assessing users",
            Self::Anonymising => "Anonymising",
            Self::Scanning => "Searching for residue",
            Self::Maintaining => "Cleaning the database files",
        }
    }

    /// The phase with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.code() == code)
    }
}

/// What the residue scan found of one person.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Residue {
    /// None of the old values stands anywhere.
    Clean,
    /// A value stands somewhere.
    Hits,
    /// The old values were gone before they could be searched for.
    Undeterminable,
}

impl Residue {
    /// All results.
    pub const ALL: [Self; 3] = [Self::Clean, Self::Hits, Self::Undeterminable];

    /// The stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Hits => "hits",
            Self::Undeterminable => "undeterminable",
        }
    }

    /// The result in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Clean => "Clean",
            Self::Hits => "With findings",
            Self::Undeterminable => "Cannot be determined",
        }
    }

    /// The result with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|residue| residue.code() == code)
    }
}

/// What a run did with one person.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Anonymised.
    Done,
    /// Left alone, for a reason that arose after the preview.
    Skipped,
    /// Something failed; the person is unchanged.
    Failed,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 3] = [Self::Done, Self::Skipped, Self::Failed];

    /// The stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }

    /// The outcome in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Done => "Anonymised",
            Self::Skipped => "Skipped",
            Self::Failed => "Failed",
        }
    }

    /// The outcome with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_needs_everybody_accounted_for() {
        assert_eq!(RunState::of_counts(3, 2, 0, 0), None);
        assert_eq!(RunState::of_counts(3, 2, 1, 0), Some(RunState::Succeeded));
        assert_eq!(RunState::of_counts(3, 2, 0, 1), Some(RunState::CompletedWithFailures));
        assert_eq!(RunState::of_counts(1, 0, 0, 1), Some(RunState::Failed));
        assert_eq!(RunState::of_counts(0, 0, 0, 0), Some(RunState::Succeeded));
    }

    #[test]
    fn open_findings_are_part_of_how_a_run_ended() {
        assert_eq!(RunState::Succeeded.words_with(0), "Succeeded");
        assert_eq!(RunState::Succeeded.words_with(1), "Succeeded, 1 finding to decide");
        assert_eq!(RunState::Cancelled.words_with(1200), "Cancelled, 1,200 findings to decide");
    }

    #[test]
    fn only_a_run_that_came_to_its_end_confirms() {
        for state in RunState::ALL {
            let ended = matches!(state, RunState::Succeeded | RunState::CompletedWithFailures);
            assert_eq!(state.confirms(1), ended, "{state:?}");
            assert!(!state.confirms(0), "{state:?}");
        }
    }

    #[test]
    fn cancelled_is_only_what_did_not_come_to_its_end() {
        assert_eq!(RunState::of_cancelled(3, 1, 1, 0), Some(RunState::Cancelled));
        assert_eq!(RunState::of_cancelled(3, 2, 1, 0), Some(RunState::Succeeded));
        assert_eq!(RunState::of_cancelled(3, 2, 2, 0), None);
    }
}
