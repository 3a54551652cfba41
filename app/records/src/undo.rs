//! Undo: what was done by one click is taken back by one click, by the same member of staff, for a bounded time, and
//! only while nothing about it has changed since. It restores exactly what was.
//!
//! What was before stands in no table. It is sealed in the page that reports the change ([`Session::seal_undo`]).

mod restore;

use crate::actor::Actor;
use crate::clock::Clock;
use crate::error::RecordsError;
use crate::session::Session;
use crate::store::Store;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use policy::UserNumber;
use serde::{Deserialize, Serialize};

/// How long a change can be undone.
pub const UNDO_TIMEOUT: TimeDelta = TimeDelta::minutes(UNDO_MINUTES);
/// The same in minutes.
pub const UNDO_MINUTES: i64 = 15;

/// What the sealed text begins with: no other text that is sealed for a member of staff is taken for it.
const SEALED: &str = "undo ";

/// A change that can be undone, and by which member of staff.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    by: Option<i64>,
    at: DateTime<Utc>,
    /// The audit event of the change.
    event: i64,
    change: Change,
}

/// What was changed, with what cannot be read from the changed record.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Change {
    LoanReturned { loan: i64, on: NaiveDate, was_anonymised: bool },
    RequestCancelled { request: i64, on: NaiveDate, status: String, was_anonymised: bool },
    ChargeSettled { charge: i64, on: NaiveDate, was_anonymised: bool },
    Mark { user: i64, before: Option<NaiveDate>, after: Option<NaiveDate> },
    RoleTaken { user: i64, role: String, granted_on: NaiveDate },
    SignInDisabled { user: i64 },
    SignInRemoved { user: i64 },
    FindingDecided { finding: i64 },
}

/// What is as it was before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Restored {
    /// The loan of this user is open.
    Loan(UserNumber),
    /// The request of this user is open.
    Request(UserNumber),
    /// The charge of this user is unsettled.
    Charge(UserNumber),
    /// This user is marked for deletion.
    Mark(UserNumber),
    /// This user is not marked for deletion.
    NoMark(UserNumber),
    /// The member of staff has the role.
    Role,
    /// The member of staff can sign in.
    SignIn,
    /// This user, who is not staff, can sign in.
    UserSignIn(UserNumber),
    /// The finding of residue waits for a decision.
    Finding,
}

impl Undo {
    pub(crate) fn of(actor: Actor, change: Change, event: i64) -> Self {
        Self { by: actor.staff.map(|staff| staff.0), at: Clock::real(), event, change }
    }

    /// Whether there is still time.
    pub fn is_in_time(&self) -> bool {
        (TimeDelta::zero()..UNDO_TIMEOUT).contains(&(Clock::real() - self.at))
    }
}

/// Undoes a change. Refuses another member of staff, after [`UNDO_TIMEOUT`], and if what was changed has changed again.
pub async fn undo(store: &Store, actor: Actor, undo: &Undo) -> Result<Restored, RecordsError> {
    actor.must(undo.change.needs())?;
    if undo.by != actor.staff.map(|staff| staff.0) {
        return Err(refused("Only the member of staff who did this can undo it"));
    }
    if !undo.is_in_time() {
        return Err(refused(&format!("This can be undone for {UNDO_MINUTES} minutes only")));
    }
    let tx = store.begin().await?;
    let restored = restore::restore(&tx, store, actor, undo).await?;
    store.commit(tx).await?;
    Ok(restored)
}

fn refused(why: &str) -> RecordsError {
    RecordsError::Refused(format!("{why}. Nothing was changed"))
}

/// The state has moved on.
fn moved_on() -> RecordsError {
    refused("This was changed again after what you want to undo")
}

impl Session {
    /// The undo of a change as it may stand in an address, for this member of staff only.
    pub fn seal_undo(&self, undo: &Undo) -> Result<String, RecordsError> {
        let text = serde_json::to_string(undo).map_err(|_| RecordsError::Corrupt("undo"))?;
        self.seal(&format!("{SEALED}{text}"))
    }

    /// The undo that was sealed for this member of staff; None if it was not.
    pub fn open_undo(&self, sealed: &str) -> Option<Undo> {
        let opened = self.open(sealed)?;
        serde_json::from_str(opened.strip_prefix(SEALED)?).ok()
    }
}
