//! Differences between clocks.

use chrono::{DateTime, TimeDelta, Utc};

/// Difference in seconds from which it is reported.
pub(crate) const REPORTED_SECONDS: i64 = 5;
/// Difference in seconds beyond which a server starts no tasks.
const MAX_SECONDS: i64 = 60;

/// The differences between clocks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Skew {
    /// Seconds by which this computer's clock is ahead of the reference: PostgreSQL, or the other servers of an
    /// embedded database.
    own: i64,
    /// The largest number of seconds by which another server's clock is ahead of this one.
    other: i64,
    /// Whether other servers may still be active whose clocks haven't been compared.
    pub is_open: bool,
}

impl Skew {
    /// Adds a measurement against the reference clock.
    pub fn add_own(&mut self, ahead: TimeDelta) {
        self.own = farther(self.own, ahead.num_seconds());
    }

    /// Adds a measurement of another server's clock.
    pub fn add_other(&mut self, ahead: TimeDelta) {
        self.other = farther(self.other, ahead.num_seconds());
    }

    /// Returns whether this server may start tasks by its clock.
    pub fn lets_schedule(self) -> bool {
        self.own.abs() <= MAX_SECONDS && !self.is_open
    }

    /// Returns the difference to report, in seconds, positive if this computer is ahead. `None` if it is too
    /// small.
    pub fn reported(self) -> Option<i64> {
        let seconds = farther(self.own, -self.other);
        (seconds.abs() > REPORTED_SECONDS).then_some(seconds)
    }
}

const fn farther(one: i64, other: i64) -> i64 {
    if other.abs() > one.abs() { other } else { one }
}

/// Returns how far `at` lies outside a period: positive after its end, negative before its start.
pub fn outside(at: DateTime<Utc>, from: DateTime<Utc>, to: DateTime<Utc>) -> TimeDelta {
    if at > to {
        at - to
    } else if at < from {
        at - from
    } else {
        TimeDelta::zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_apart_starts_nothing_and_seconds_are_reported() {
        for (seconds, reported, schedules) in [
            (0, None, true),
            (5, None, true),
            (-6, Some(-6), true),
            (60, Some(60), true),
            (61, Some(61), false),
        ] {
            let mut skew = Skew::default();
            skew.add_own(TimeDelta::seconds(seconds));
            assert_eq!((skew.reported(), skew.lets_schedule()), (reported, schedules), "{seconds}");
        }
        let mut skew = Skew::default();
        skew.add_other(TimeDelta::hours(1));
        assert_eq!((skew.reported(), skew.lets_schedule()), (Some(-3_600), true));
    }

    #[test]
    fn an_instant_within_the_span_is_not_outside() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).expect("an instant");
        assert_eq!(outside(at(5), at(0), at(9)), TimeDelta::zero());
        assert_eq!(outside(at(19), at(0), at(9)), TimeDelta::seconds(10));
        assert_eq!(outside(at(-7), at(0), at(9)), TimeDelta::seconds(-7));
    }
}
