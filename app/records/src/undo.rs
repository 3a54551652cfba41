//! Undo: the member of staff who made a change can revert it for a limited time, with one click.
//!
//! An undo restores exactly the previous state, and only while nothing related has changed. The previous values
//! are stored in no table: they are encrypted in the page that reports the change ([`Session::seal_undo`]).

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

/// Prefix of the encrypted text. It distinguishes an undo from other texts encrypted for a member of staff.
const SEALED: &str = "undo ";

/// A change that can be undone, and the member of staff who made it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    by: Option<i64>,
    at: DateTime<Utc>,
    /// Number of the change's audit event.
    event: i64,
    change: Change,
}

/// The change, with the previous values that the changed record doesn't contain.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Change {
    LoanReturned { loan: i64, on: NaiveDate, was_anonymised: bool },
    RequestCancelled { request: i64, on: NaiveDate, status: String, was_anonymised: bool },
    ChargeSettled { charge: i64, on: NaiveDate, was_anonymised: bool },
    Mark { user: i64, before: Option<NaiveDate>, after: Option<NaiveDate> },
    RoleRevoked { user: i64, role: String, granted_on: NaiveDate },
    SignInDisabled { user: i64 },
    SignInRemoved { user: i64 },
    FindingDecided { finding: i64 },
}

/// What was restored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Restored {
    /// This user's loan is open again.
    Loan(UserNumber),
    /// This user's request is open again.
    Request(UserNumber),
    /// This user's charge is unsettled again.
    Charge(UserNumber),
    /// This user is marked for deletion again.
    Mark(UserNumber),
    /// This user is no longer marked for deletion.
    NoMark(UserNumber),
    /// The member of staff has the role again.
    Role,
    /// The member of staff can sign in again.
    SignIn,
    /// This user, who isn't staff, can sign in again.
    UserSignIn(UserNumber),
    /// The finding is open again.
    Finding,
}

impl Undo {
    pub(crate) fn of(actor: Actor, change: Change, event: i64) -> Self {
        Self { by: actor.staff.map(|staff| staff.0), at: Clock::real(), event, change }
    }

    /// Returns whether the time limit hasn't passed.
    pub fn is_in_time(&self) -> bool {
        (TimeDelta::zero()..UNDO_TIMEOUT).contains(&(Clock::real() - self.at))
    }
}

/// Undoes a change.
///
/// Returns an error for another member of staff, after [`UNDO_TIMEOUT`], or if the object has changed since.
pub async fn undo(store: &Store, actor: Actor, undo: &Undo) -> Result<Restored, RecordsError> {
    actor.require(undo.change.needs())?;
    if undo.by != actor.staff.map(|staff| staff.0) {
        return Err(refused("Only the member of staff who did this can undo it"));
    }
    if !undo.is_in_time() {
        return Err(refused(&format!("This could be undone for {UNDO_MINUTES} minutes only")));
    }
    let tx = store.begin().await?;
    let restored = restore::restore(&tx, store, actor, undo).await?;
    store.commit(tx).await?;
    Ok(restored)
}

fn refused(why: &str) -> RecordsError {
    RecordsError::Refused(format!("{why}. Nothing was changed"))
}

/// Returns the error for an object that has changed since.
fn moved_on() -> RecordsError {
    refused("This has changed again since the change that you want to undo")
}

impl Session {
    /// Encrypts the undo of a change for a URL. Only this member of staff can decrypt it.
    pub fn seal_undo(&self, undo: &Undo) -> Result<String, RecordsError> {
        let text = serde_json::to_string(undo).map_err(|_| RecordsError::Corrupt("undo"))?;
        self.seal(&format!("{SEALED}{text}"))
    }

    /// Decrypts an undo that was encrypted for this member of staff, or returns `None`.
    pub fn open_undo(&self, sealed: &str) -> Option<Undo> {
        let opened = self.open(sealed)?;
        serde_json::from_str(opened.strip_prefix(SEALED)?).ok()
    }
}
