//! The one clock. Instants are UTC, dates are days of the library's time zone.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// Tells the time, in the library's zone, or always the same day for demonstrations and tests.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    zone: Tz,
    fixed: Option<DateTime<Utc>>,
    ahead: TimeDelta,
}

impl Clock {
    /// The real time in this zone.
    pub const fn new(zone: Tz) -> Self {
        Self { zone, fixed: None, ahead: TimeDelta::zero() }
    }

    /// Noon of this day in this zone, for ever.
    pub fn fixed(zone: Tz, today: NaiveDate) -> Self {
        let noon = today.and_hms_opt(12, 0, 0).unwrap_or_default();
        Self::standing(zone, policy::zones::at_wall_time(zone, noon).at)
    }

    /// This instant in this zone, for ever.
    pub const fn standing(zone: Tz, at: DateTime<Utc>) -> Self {
        Self { zone, fixed: Some(at), ahead: TimeDelta::zero() }
    }

    /// The library's time zone.
    pub const fn zone(&self) -> Tz {
        self.zone
    }

    /// The instant.
    pub fn now(&self) -> DateTime<Utc> {
        self.fixed.unwrap_or_else(|| self.of_computer())
    }

    /// The real time of a computer whose clock is ahead by this much. For tests.
    #[must_use]
    pub const fn ahead(self, ahead: TimeDelta) -> Self {
        Self { ahead, ..self }
    }

    /// The instant by the clock of this computer, which is compared with those of the others.
    pub(crate) fn of_computer(&self) -> DateTime<Utc> {
        Self::real() + self.ahead
    }

    /// The instant by the clock of the computer, also where the day is fixed: for leases and signs of life, which
    /// are about processes and not about the library.
    pub fn real() -> DateTime<Utc> {
        Utc::now()
    }

    /// The wall time of the library.
    pub fn wall(&self) -> NaiveDateTime {
        self.now().with_timezone(&self.zone).naive_local()
    }

    /// The day of the library.
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
