//! Undo: the member of staff who made a change can revert it for a limited time, with one click.
//!
//! An undo restores exactly the previous state, and only while nothing related has changed.

mod restore;

use db::RecordsError;
use policy::UserNumber;
use trail::undoable::UNDO_MINUTES;
use trail::{Actor, Store, Undo};

/// The restored object.
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

/// Undoes a change.
///
/// Returns an error for another member of staff, after [`UNDO_TIMEOUT`](trail::undoable::UNDO_TIMEOUT), or if the object has changed since.
pub async fn undo(store: &Store, actor: Actor, undo: &Undo) -> Result<Restored, RecordsError> {
    actor.require(restore::required_action(&undo.change))?;
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
