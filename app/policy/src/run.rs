//! What a run is and how it ended.

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
}

impl RunKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Preview, Self::Manual, Self::Scheduled, Self::Single];

    /// The stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Preview => "preview",
            Self::Manual => "manual",
            Self::Scheduled => "scheduled",
            Self::Single => "single",
        }
    }

    /// The kind in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Preview => "Preview",
            Self::Manual => "Manual run",
            Self::Scheduled => "Scheduled run",
            Self::Single => "Single user",
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
    /// At work.
    Running,
    /// Everybody of the preview is done or was skipped for a reason.
    Succeeded,
    /// Some people failed; the others are done.
    CompletedWithFailures,
    /// Nobody could be done.
    Failed,
}

impl RunState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Running, Self::Succeeded, Self::CompletedWithFailures, Self::Failed];

    /// The stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::CompletedWithFailures => "completed_with_failures",
            Self::Failed => "failed",
        }
    }

    /// The state in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::CompletedWithFailures => "Completed with failures",
            Self::Failed => "Failed",
        }
    }

    /// The state with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
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
}

/// What a run did with one person.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
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
}
