//! When a task starts automatically (rule 13).

use crate::dates;
use crate::stored::{Stored, coded_enum};
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

    /// Returns the stable code used in forms and files.
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

    /// Returns the label.
    pub const fn label(self) -> &'static str {
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
    /// This day, 1 to 31. Months that are too short are skipped.
    Day(u8),
    /// The last day of the month.
    Last,
}

/// When a task starts automatically, in local time of the library's time zone.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
#[cfg_attr(
    feature = "db",
    derive(sea_orm::DeriveValueType),
    sea_orm(value_type = "String", from_str = "crate::stored::from_json", to_str = "crate::stored::to_json")
)]
pub enum Schedule {
    /// Never.
    #[default]
    ManualOnly,
    /// Once, at this time.
    Once {
        /// Local date and time.
        at: NaiveDateTime,
    },
    /// Every day.
    Daily {
        /// Local time.
        time: NaiveTime,
    },
    /// Every week on these days.
    Weekly {
        /// The days, at least one.
        days: Vec<Weekday>,
        /// Local time.
        time: NaiveTime,
    },
    /// Every month on this day.
    Monthly {
        /// The day.
        day: MonthDay,
        /// Local time.
        time: NaiveTime,
    },
    /// By a cron expression of five fields.
    Cron {
        /// The expression.
        line: String,
    },
}

/// Number of minutes after which a run that hasn't started counts as missed.
pub const GRACE_MINUTES: i64 = 10;

coded_enum! {
    /// The treatment of missed runs.
    #[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum MisfirePolicy: "rule for missed runs" {
        /// Runs once as soon as a process is running again, regardless of the number of missed times.
        #[default]
        Once = "once",
        /// Waits for the next due time. The missed run is listed.
        Skip = "skip",
    }
}

impl MisfirePolicy {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Once => "Run once as soon as Lethe is running again",
            Self::Skip => "Skip it and wait for the next scheduled time",
        }
    }
}

/// Why a due time has no run.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MisfireReason {
    /// No process was running.
    Absent,
    /// The previous run was still queued.
    Waiting,
}

impl MisfireReason {
    /// All reasons.
    pub const ALL: [Self; 2] = [Self::Absent, Self::Waiting];

    /// Returns the stable code under which the times are counted.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Absent => "times",
            Self::Waiting => "waiting",
        }
    }

    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Absent => "Lethe was not running",
            Self::Waiting => "the previous run was still waiting",
        }
    }
}

impl Stored for Schedule {
    const NAME: &'static str = "schedule";
}

impl Schedule {
    /// Returns whether the task never starts automatically.
    pub const fn is_manual_only(&self) -> bool {
        matches!(self, Self::ManualOnly)
    }

    /// Returns the schedule as text: `Weekly on Monday and Friday at 02:30`.
    pub fn label(&self) -> String {
        match self {
            Self::ManualOnly => "Manual only".to_owned(),
            Self::Once { at } => format!("Once on {} at {}", dates::shown(at.date()), at.format("%H:%M")),
            Self::Daily { time } => format!("Daily at {}", time.format("%H:%M")),
            Self::Weekly { days, time } => {
                let names: Vec<&str> = days.iter().map(|day| day.label()).collect();
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
