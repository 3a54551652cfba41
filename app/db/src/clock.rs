//! The injected clock. Instants are in UTC; dates are days in the library's time zone.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// Returns the time in the library's zone. Tests and demonstrations use a fixed instant.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    zone: Tz,
    fixed: Option<DateTime<Utc>>,
    ahead: TimeDelta,
}

impl Clock {
    /// Returns a clock that follows the system clock.
    pub const fn new(zone: Tz) -> Self {
        Self { zone, fixed: None, ahead: TimeDelta::zero() }
    }

    /// Returns a clock that always shows noon of this day.
    pub fn fixed(zone: Tz, today: NaiveDate) -> Self {
        let noon = today.and_hms_opt(12, 0, 0).unwrap_or_default();
        Self::status(zone, policy::timezone::at_wall_time(zone, noon).at)
    }

    /// Returns a clock that always shows this instant.
    pub const fn status(zone: Tz, at: DateTime<Utc>) -> Self {
        Self { zone, fixed: Some(at), ahead: TimeDelta::zero() }
    }

    /// The library's time zone.
    pub const fn zone(&self) -> Tz {
        self.zone
    }

    /// Returns the current instant.
    pub fn now(&self) -> DateTime<Utc> {
        self.fixed.unwrap_or_else(|| self.of_computer())
    }

    /// Returns a clock that follows the system clock, `ahead` by this much. For tests.
    #[must_use]
    pub const fn ahead(self, ahead: TimeDelta) -> Self {
        Self { ahead, ..self }
    }

    /// Returns the system time of this computer, even if the clock is fixed. [`ahead`](Self::ahead) applies.
    pub fn of_computer(&self) -> DateTime<Utc> {
        Self::system_now() + self.ahead
    }

    /// Returns the system time, even if the clock is fixed. Leases and heartbeats use it, since they concern
    /// processes and not the library.
    pub fn system_now() -> DateTime<Utc> {
        Utc::now()
    }

    /// Returns the local time of the library.
    pub fn wall(&self) -> NaiveDateTime {
        self.now().with_timezone(&self.zone).naive_local()
    }

    /// Returns the current day in the library's time zone.
    pub fn today(&self) -> NaiveDate {
        self.wall().date()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_the_librarys_day() {
        let day = NaiveDate::from_ymd_opt(2026, 3, 29).expect("a date");
        for zone in [Tz::Europe__Berlin, Tz::Asia__Kathmandu, Tz::America__Santiago] {
            assert_eq!(Clock::fixed(zone, day).today(), day, "{zone}");
        }
    }
}
