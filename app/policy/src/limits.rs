//! Safety limits of manual changes: how many users one member of staff, or one import, may change without a second
//! person.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The limits on manual changes. A setting of the installation.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Number of users that one member of staff may anonymise in an hour. Removing identifying fields counts too.
    pub anonymise_per_hour: i64,
    /// The same in a day.
    pub anonymise_per_day: i64,
    /// Number of users that one member of staff may mark for deletion, or give an earlier leaving date, in an
    /// hour.
    ///
    /// Users with replaced identifying values are counted separately, against the same limit.
    pub mark_per_hour: i64,
    /// The same in a day.
    pub mark_per_day: i64,
    /// Number of users of a run whose dates were changed manually since the last confirmed run.
    pub manual_per_run: i64,
    /// Number of users that one import may remove values from, or make eligible earlier.
    pub import_users: i64,
    /// The same in per cent of all users.
    pub import_percent: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            anonymise_per_hour: 20,
            anonymise_per_day: 60,
            mark_per_hour: 100,
            mark_per_day: 300,
            manual_per_run: 100,
            import_users: 1_000,
            import_percent: 10,
        }
    }
}

/// Number of users up to which percentages don't apply, so that imports of small libraries aren't stopped.
const MAX_USERS_WITHOUT_PERCENT: i64 = 20;

/// The changes that are counted for each member of staff.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Users who were anonymised or lost identifying fields.
    Anonymised,
    /// Users who were marked for deletion or got an earlier leaving date.
    Marked,
    /// Users with one or two replaced identifying values, too few to count as anonymising.
    Replaced,
}

/// The period of a count.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// The last 60 minutes.
    Hour,
    /// The last 24 hours.
    Day,
}

impl Counted {
    /// All counts.
    pub const ALL: [Self; 3] = [Self::Anonymised, Self::Marked, Self::Replaced];

    /// Returns the stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Anonymised => "anonymised",
            Self::Marked => "marked",
            Self::Replaced => "replaced",
        }
    }

    /// Returns what was done to the users, to follow “users”.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Anonymised => "anonymised, or cleared of identifying fields,",
            Self::Marked => "marked for deletion, or given an earlier leaving date,",
            Self::Replaced => "given another name, UserID, e-mail or other identifying value,",
        }
    }
}

impl Window {
    /// Both windows.
    pub const ALL: [Self; 2] = [Self::Hour, Self::Day];

    /// Returns the stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// Returns its length in hours.
    pub const fn hours(self) -> i64 {
        match self {
            Self::Hour => 1,
            Self::Day => 24,
        }
    }

    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Hour => "an hour",
            Self::Day => "a day",
        }
    }
}

impl Limits {
    /// Returns the number of users that one member of staff may change in a period without a second person.
    pub const fn max_users(self, counted: Counted, window: Window) -> i64 {
        match (counted, window) {
            (Counted::Anonymised, Window::Hour) => self.anonymise_per_hour,
            (Counted::Anonymised, Window::Day) => self.anonymise_per_day,
            (Counted::Marked | Counted::Replaced, Window::Hour) => self.mark_per_hour,
            (Counted::Marked | Counted::Replaced, Window::Day) => self.mark_per_day,
        }
    }

    /// Returns whether an import that changes this many of all users needs a confirmation.
    pub const fn stops_import(self, touched: i64, users: i64) -> bool {
        touched > self.import_users
            || touched > MAX_USERS_WITHOUT_PERCENT && touched * 100 > users * self.import_percent
    }

    /// Returns the limits with their configuration names. A higher value is weaker.
    pub const fn named(self) -> [(&'static str, i64); 7] {
        [
            ("limit_anonymise_per_hour", self.anonymise_per_hour),
            ("limit_anonymise_per_day", self.anonymise_per_day),
            ("limit_mark_per_hour", self.mark_per_hour),
            ("limit_mark_per_day", self.mark_per_day),
            ("limit_manual_per_run", self.manual_per_run),
            ("limit_import_users", self.import_users),
            ("limit_import_percent", self.import_percent),
        ]
    }

    /// Sets the limit with this name. Ignores unknown names.
    pub fn set(&mut self, name: &str, value: i64) {
        let place = match name {
            "limit_anonymise_per_hour" => &mut self.anonymise_per_hour,
            "limit_anonymise_per_day" => &mut self.anonymise_per_day,
            "limit_mark_per_hour" => &mut self.mark_per_hour,
            "limit_mark_per_day" => &mut self.mark_per_day,
            "limit_manual_per_run" => &mut self.manual_per_run,
            "limit_import_users" => &mut self.import_users,
            "limit_import_percent" => &mut self.import_percent,
            _ => return,
        };
        *place = value;
    }
}

/// A limit that an actor has reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reached {
    /// The kind of changes counted.
    pub counted: Counted,
    /// The period.
    pub window: Window,
    /// The number of users that the limit allows.
    pub limit: i64,
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Safety limit reached: at most {} users may be {} by one member of staff in {}. Nothing was changed. \
             Ask a second person to approve more changes (page Approvals, or lethe approvals request --more-changes), \
             or wait",
            crate::numbers::grouped(self.limit),
            self.counted.label().trim_end_matches(','),
            self.window.label()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_is_stopped_just_above_its_limits() {
        let limits = Limits { import_users: 500, import_percent: 10, ..Limits::default() };
        for (touched, users, stops) in [
            (500, 100_000, false),
            (501, 100_000, true),
            (20, 20, false),
            (21, 20, true),
            (30, 300, false),
            (31, 300, true),
        ] {
            assert_eq!(limits.stops_import(touched, users), stops, "{touched} of {users}");
        }
    }

    #[test]
    fn every_limit_is_set_by_its_name() {
        let mut limits = Limits::default();
        for (at, (name, _)) in (1..).zip(limits.named()) {
            limits.set(name, at);
        }
        assert_eq!(limits.named().map(|(_, value)| value), [1, 2, 3, 4, 5, 6, 7]);
    }
}
