//! Session lifetimes: after inactivity, and in total.

use super::Session;
use chrono::{DateTime, TimeDelta, Utc};
use db::Clock;
use db::entity::sessions;
use policy::account::StoredStage;
use std::time::Duration;
use trail::Store;

/// Minimum interval between updates of the last request. Shorter if sessions are short.
const TOUCH_INTERVAL: TimeDelta = TimeDelta::seconds(60);
/// Time before the end of a session at which its owner is warned. Shorter if sessions are short.
const WARNING_BEFORE_END: TimeDelta = TimeDelta::minutes(2);
/// Time limit for the second factor.
const SECOND_FACTOR_TIMEOUT: TimeDelta = TimeDelta::minutes(10);

/// The remaining lifetime of a session without further requests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Remaining {
    /// Time until it ends.
    pub left: TimeDelta,
    /// The owner is warned when less time than this is left.
    pub warning: TimeDelta,
    /// Whether a request extends it.
    pub can_stay: bool,
}

/// Returns the remaining lifetime of this session.
pub fn remaining(store: &Store, session: &Session) -> Remaining {
    Remaining {
        left: (session.ends_at - Clock::system_now()).max(TimeDelta::zero()),
        warning: WARNING_BEFORE_END.min(idle(store) / 2),
        can_stay: session.ends_at < session.ends_in_any_case_at,
    }
}

/// Returns whether the time of the last request must be updated.
pub(super) fn is_to_be_touched(store: &Store, row: &sessions::Model, now: DateTime<Utc>) -> bool {
    now - row.last_seen_at > TOUCH_INTERVAL.min(idle(store) / 20)
}

/// Returns when a session ends at the latest.
pub(super) fn ends_in_any_case_at(store: &Store, row: &sessions::Model) -> DateTime<Utc> {
    let longest = if is_complete(row) { time(store.settings.sign_in.longest) } else { SECOND_FACTOR_TIMEOUT };
    row.created_at + longest
}

/// Returns when a session ends whose last request was at `seen`.
pub(super) fn ends_at(store: &Store, row: &sessions::Model, seen: DateTime<Utc>) -> DateTime<Utc> {
    let in_any_case = ends_in_any_case_at(store, row);
    if is_complete(row) { in_any_case.min(seen + idle(store)) } else { in_any_case }
}

fn is_complete(row: &sessions::Model) -> bool {
    matches!(row.stage, StoredStage::Complete | StoredStage::CompleteWithoutSecondFactor)
}

fn idle(store: &Store) -> TimeDelta {
    time(store.settings.sign_in.idle)
}

fn time(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
