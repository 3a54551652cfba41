//! Resolves entries in doubt: a process died, or lost its database, between the ledger entry and the commit.

use super::entry::{Place, What};
use super::tail::{Tail, Unsettled};
use crate::entity::runs;
use crate::error::RecordsError;
use policy::Selection;
use sea_orm::{ConnectionTrait, EntityTrait};

/// Returns the entry that resolves the last users of the ledger, or `None` if none is in doubt or the database
/// can't decide it.
///
/// `mark` must have been read after the ledger was opened, so that no open transaction can still move it.
pub(super) async fn settled(
    db: &impl ConnectionTrait,
    tail: &Tail,
    mark: &Place,
) -> Result<Option<What>, RecordsError> {
    let Some(unsettled) = &tail.unsettled else { return Ok(None) };
    let of = unsettled.place.sequence;
    if *mark == unsettled.place {
        return Ok(Some(What::Done { of }));
    }
    let before = *mark == tail.followed && mark.sequence == unsettled.after;
    if before && goes_on(db, unsettled).await? {
        return Ok(Some(What::Void { of }));
    }
    Ok(None)
}

/// Returns whether the users of an entry in doubt will be assessed again because success was never reported.
///
/// Returns false if the database doesn't contain their run: it was restored, and the users had been anonymised.
async fn goes_on(db: &impl ConnectionTrait, unsettled: &Unsettled) -> Result<bool, RecordsError> {
    // A single user's run commits in the same transaction; success is reported only after the entry is resolved.
    if unsettled.selection == Selection::Single {
        return Ok(true);
    }
    Ok(runs::Entity::find_by_id(unsettled.run.0).one(db).await?.is_some())
}
