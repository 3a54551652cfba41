//! How long a session lasts: from request to request, and in any case.

use super::{ALONE, Session, WHOLE};
use crate::clock::Clock;
use crate::entity::sessions;
use crate::store::Store;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// How often it is written down that somebody is still there; more often where sessions are short.
const TOUCH: TimeDelta = TimeDelta::seconds(60);
/// How long before the end of a session its owner is warned; later where sessions are short.
const WARNING: TimeDelta = TimeDelta::minutes(2);
/// How long somebody may take for the second factor.
const HALFWAY: TimeDelta = TimeDelta::minutes(10);

/// How much longer a session lasts if nothing is asked for any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Remaining {
    /// Until it ends.
    pub left: TimeDelta,
    /// Its owner is warned when less than this is left.
    pub warning: TimeDelta,
    /// Whether it lasts longer when something is asked for.
    pub can_stay: bool,
}

/// How much longer this session lasts.
pub fn remaining(store: &Store, session: &Session) -> Remaining {
    Remaining {
        left: (session.ends_at - Clock::real()).max(TimeDelta::zero()),
        warning: WARNING.min(idle(store) / 2),
        can_stay: session.ends_at < session.ends_in_any_case_at,
    }
}

/// Whether it is time to write down that somebody is still there.
pub(super) fn is_to_be_touched(store: &Store, row: &sessions::Model, now: DateTime<Utc>) -> bool {
    now - row.last_seen_at > TOUCH.min(idle(store) / 20)
}

/// When a session ends, whatever is asked for.
pub(super) fn ends_in_any_case_at(store: &Store, row: &sessions::Model) -> DateTime<Utc> {
    let longest = if is_whole(row) { time(store.settings.sign_in.longest) } else { HALFWAY };
    row.created_at + longest
}

/// When a session ends that was last seen at this time.
pub(super) fn ends_at(store: &Store, row: &sessions::Model, seen: DateTime<Utc>) -> DateTime<Utc> {
    let in_any_case = ends_in_any_case_at(store, row);
    if is_whole(row) { in_any_case.min(seen + idle(store)) } else { in_any_case }
}

fn is_whole(row: &sessions::Model) -> bool {
    [WHOLE, ALONE].contains(&row.stage.as_str())
}

fn idle(store: &Store) -> TimeDelta {
    time(store.settings.sign_in.idle)
}

fn time(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
