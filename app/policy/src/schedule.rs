//! When a task runs by itself (rule 13).

use crate::dates;
use chrono::{NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};

/// A day of the week, Monday first.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Weekday {
    /// All days of the week.
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    /// The stable code that forms and files carry.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }

    /// The day in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Mon => "Monday",
            Self::Tue => "Tuesday",
            Self::Wed => "Wednesday",
            Self::Thu => "Thursday",
            Self::Fri => "Friday",
            Self::Sat => "Saturday",
            Self::Sun => "Sunday",
        }
    }
}

/// A day of the month.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MonthDay {
    /// This day, 1 to 31. In a month that is too short the task does not run.
    Day(u8),
    /// The last day of the month.
    Last,
}

/// When a task runs by itself. Times are wall time of the library's time zone.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Schedule {
    /// Never by itself.
    #[default]
    ManualOnly,
    /// Once, at this time.
    Once {
        /// The wall time.
        at: NaiveDateTime,
    },
    /// Every day.
    Daily {
        /// The wall time.
        time: NaiveTime,
    },
    /// Every week on these days.
    Weekly {
        /// The days, at least one.
        days: Vec<Weekday>,
        /// The wall time.
        time: NaiveTime,
    },
    /// Every month on this day.
    Monthly {
        /// The day.
        day: MonthDay,
        /// The wall time.
        time: NaiveTime,
    },
    /// By a cron line of five fields.
    Cron {
        /// The line.
        line: String,
    },
}

/// A run that starts this many minutes late counts as missed: the service was not there.
pub const GRACE_MINUTES: i64 = 10;

/// What becomes of a run that was due while the service was not there.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// The task runs once when the service is back, however many times it was due.
    #[default]
    Once,
    /// The task waits for its next time; the missed one is kept in the list of runs.
    Skip,
}

impl Missed {
    /// Both rules.
    pub const ALL: [Self; 2] = [Self::Once, Self::Skip];

    /// The stable code that forms and files carry.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Skip => "skip",
        }
    }

    /// The rule in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Once => "Run once as soon as Lethe is running again",
            Self::Skip => "Skip it and wait for the next scheduled time",
        }
    }

    /// The rule with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.code() == code)
    }
}

/// Why a time at which a task was due passed without a run of its own.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyMissed {
    /// No process was there to start it.
    Absent,
    /// The run before it was still waiting for its turn.
    Waiting,
}

impl WhyMissed {
    /// All reasons.
    pub const ALL: [Self; 2] = [Self::Absent, Self::Waiting];

    /// The stable code under which the times are counted.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Absent => "times",
            Self::Waiting => "waiting",
        }
    }

    /// The reason in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Absent => "Lethe was not running",
            Self::Waiting => "the previous run was still waiting",
        }
    }
}

impl Schedule {
    /// Whether the task never starts by itself.
    pub const fn is_manual_only(&self) -> bool {
        matches!(self, Self::ManualOnly)
    }

    /// The schedule in words: `Weekly on Monday and Friday at 02:30`.
    pub fn words(&self) -> String {
        match self {
            Self::ManualOnly => "Manual only".to_owned(),
            Self::Once { at } => format!("Once on {} at {}", dates::shown(at.date()), at.format("%H:%M")),
            Self::Daily { time } => format!("Daily at {}", time.format("%H:%M")),
            Self::Weekly { days, time } => {
                let names: Vec<&str> = days.iter().map(|day| day.words()).collect();
                format!("Weekly on {} at {}", dates::joined(&names, "and"), time.format("%H:%M"))
            }
            Self::Monthly { day: MonthDay::Day(day), time } => {
                format!("Monthly on day {day} at {}", time.format("%H:%M"))
            }
            Self::Monthly { day: MonthDay::Last, time } => {
                format!("Monthly on the last day at {}", time.format("%H:%M"))
            }
            Self::Cron { line } => format!("Custom (cron): {line}"),
        }
    }
}
