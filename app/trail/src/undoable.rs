//! Changes that can be undone, with the previous values.
//!
//! The previous values are stored in no table: they are encrypted in the page that reports the change
//! (`Session::seal_undo`).

use crate::actor::Actor;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use db::Clock;
use policy::Role;
use serde::{Deserialize, Serialize};

/// Time limit for undoing a change.
pub const UNDO_TIMEOUT: TimeDelta = TimeDelta::minutes(UNDO_MINUTES);
/// The same in minutes.
pub const UNDO_MINUTES: i64 = 15;

/// A change that can be undone, and the member of staff who made it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// User number of the member of staff. `None` for the command line.
    pub by: Option<i64>,
    at: DateTime<Utc>,
    /// Number of the change's audit event.
    pub event: i64,
    /// The change.
    pub change: Change,
}

/// The change, with the previous values that the changed record doesn't contain.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs, reason = "the names say it: a record, and the values to restore")]
pub enum Change {
    LoanReturned { loan: i64, on: NaiveDate, was_anonymised: bool },
    RequestCancelled { request: i64, on: NaiveDate, status: String, was_anonymised: bool },
    ChargeSettled { charge: i64, on: NaiveDate, was_anonymised: bool },
    Mark { user: i64, before: Option<NaiveDate>, after: Option<NaiveDate> },
    RoleRevoked { user: i64, role: Role, granted_on: NaiveDate },
    SignInDisabled { user: i64 },
    SignInRemoved { user: i64 },
    FindingDecided { finding: i64 },
}

impl Undo {
    /// Describes a change that was just made, for the page that reports it.
    pub fn new(actor: Actor, change: Change, event: i64) -> Self {
        Self { by: actor.staff.map(|staff| staff.0), at: Clock::system_now(), event, change }
    }

    /// Returns whether the time limit hasn't passed.
    pub fn is_in_time(&self) -> bool {
        (TimeDelta::zero()..UNDO_TIMEOUT).contains(&(Clock::system_now() - self.at))
    }
}
