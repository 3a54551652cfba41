//! Settling: what became of people whose process died, or lost its database, between ledger and commit.

use super::entry::{Place, What};
use super::tail::{Tail, Unsettled};
use crate::entity::runs;
use crate::error::RecordsError;
use policy::Selection;
use sea_orm::{ConnectionTrait, EntityTrait};

/// What became of the last people of the ledger, if that is open and can be told from the database. The mark was
/// read after the ledger was opened, so that no transaction that could move it is on its way.
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

/// Whether nobody was told that these people are done, and they are assessed again. A database that does not know
/// their run is no such one: it was restored, and they were done before.
async fn goes_on(db: &impl ConnectionTrait, unsettled: &Unsettled) -> Result<bool, RecordsError> {
    // A single user's run is noted in the same transaction, and success is only told when the ledger is settled.
    if unsettled.selection == Selection::Single {
        return Ok(true);
    }
    Ok(runs::Entity::find_by_id(unsettled.run.0).one(db).await?.is_some())
}
