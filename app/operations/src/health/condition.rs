//! The kinds of conditions, with their stable codes.

use chrono::{DateTime, Utc};
use db::Fault;
use policy::{RunId, SafetyLimit, TaskId};
use trail::task_name::TaskName;

/// A condition that staff or monitoring should look at.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The kind of condition.
    pub what: ConditionKind,
    /// The task, with its name.
    pub task: Option<(TaskId, TaskName)>,
    /// The run. For findings only if all are from one run.
    pub run: Option<RunId>,
    /// The beginning of the condition. For missed runs the due instant, for legal holds the first review date, for
    /// findings the oldest one.
    pub since: DateTime<Utc>,
}

/// The kind of a condition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ConditionKind {
    /// The task is due, but no run has been started.
    Overdue,
    /// The run is queued although no other run is active.
    NotStarted,
    /// The run is active but makes no progress.
    Stalled,
    /// The process that executed the run has ended. Another one will resume it.
    Interrupted,
    /// A safety limit stopped the newest run of the task.
    StoppedByLimit(Option<SafetyLimit>),
    /// The newest run of the task failed, for this many users.
    Failed {
        /// The number of users who failed. 0 if the run failed as a whole.
        people: i64,
    },
    /// The newest run of the task did not import all lines or files.
    ImportFailed {
        /// The number of rejected lines. 0 if a file was rejected as a whole.
        lines: i64,
    },
    /// The newest scheduled run of the task found no file to import.
    NoFile,
    /// The newest run of the task anonymised none of its users.
    AllSkipped {
        /// The number of users who were skipped.
        skipped: i64,
    },
    /// The task was due and did not run.
    Missed {
        /// The number of missed times.
        times: i64,
    },
    /// A location cannot be written, so changes fail.
    Fault(Fault),
    /// The clock of this computer differs from that of another server or of the database.
    ClockDiffers {
        /// The number of seconds by which it is ahead.
        seconds: i64,
    },
    /// The task has a schedule, but its owner is anonymised, may not see tasks or cannot sign in.
    OwnerGone,
    /// The key file is missing, unreadable or contains another key. The next start will fail.
    KeyFile,
    /// The key of the suppression list is missing, unreadable or another one. No user is anonymised or created.
    SuppressionKey,
    /// Legal holds are due for review. They stay in force.
    LegalHoldsDue {
        /// The number of legal holds.
        holds: i64,
    },
    /// The installation allows signing in with a password only, even with permission to anonymise.
    PasswordOnly,
    /// The installation never requires a second person.
    FourEyesOff,
    /// Sign-ins with the correct password ended after too many wrong codes, so a password is probably stolen.
    CodesGuessed {
        /// The number of staff accounts.
        accounts: i64,
    },
    /// A safety limit of manual changes or imports stopped this many members of staff within a day.
    LimitReached {
        /// The number of members of staff.
        actors: i64,
    },
    /// Fewer than two people can approve now, or the setting has changed: four eyes end soon.
    FourEyesEnding,
    /// Protecting settings were weakened. They take effect after a time.
    SettingsWeakened {
        /// The number of settings.
        settings: i64,
    },
    /// Lines of import files, or users of an identity system, have waited for a decision for several days.
    HeldLinesWaiting {
        /// The number of held lines.
        lines: i64,
    },
    /// Access requests are due within a week, or overdue.
    AccessRequestsDue {
        /// The number of access requests.
        requests: i64,
    },
    /// Notifications could not be delivered.
    NotificationsFailed {
        /// The number of deliveries.
        deliveries: i64,
    },
    /// Values of anonymised users were found, and the findings await a decision.
    FindingsOpen {
        /// The number of findings.
        findings: i64,
    },
}

impl ConditionKind {
    /// Returns the stable code for `/healthz` and `/metrics`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::NotStarted => "not_started",
            Self::Stalled => "stalled",
            Self::Interrupted => "interrupted",
            Self::StoppedByLimit(_) => "stopped_by_limit",
            Self::Failed { .. } => "failed",
            Self::ImportFailed { .. } => "import_failed",
            Self::NoFile => "no_file",
            Self::AllSkipped { .. } => "all_skipped",
            Self::Missed { .. } => "missed",
            Self::Fault(fault) => fault.code(),
            Self::ClockDiffers { .. } => "clock_differs",
            Self::KeyFile => "key_file",
            Self::SuppressionKey => "suppression_key",
            Self::OwnerGone => "owner_gone",
            Self::LegalHoldsDue { .. } => "legal_holds_due",
            Self::PasswordOnly => "password_only",
            Self::FourEyesOff => "four_eyes_off",
            Self::CodesGuessed { .. } => "codes_guessed",
            Self::LimitReached { .. } => "limit_reached",
            Self::FourEyesEnding => "four_eyes_ending",
            Self::SettingsWeakened { .. } => "settings_weakened",
            Self::HeldLinesWaiting { .. } => "held_lines_waiting",
            Self::AccessRequestsDue { .. } => "access_requests_due",
            Self::NotificationsFailed { .. } => "notifications_failed",
            Self::FindingsOpen { .. } => "findings_open",
        }
    }

    /// The codes of all conditions.
    pub const CODES: [&'static str; 31] = [
        "overdue",
        "not_started",
        "stalled",
        "interrupted",
        "stopped_by_limit",
        "failed",
        "import_failed",
        "no_file",
        "all_skipped",
        "missed",
        "owner_gone",
        "legal_holds_due",
        "password_only",
        "four_eyes_off",
        "busy",
        "disk_full",
        "not_writable",
        "file_missing",
        "key_replaced",
        "key_file",
        "suppression_key",
        "database_unreachable",
        "clock_differs",
        "codes_guessed",
        "limit_reached",
        "four_eyes_ending",
        "settings_weakened",
        "held_lines_waiting",
        "access_requests_due",
        "notifications_failed",
        "findings_open",
    ];
}
