//! Resolves entries in doubt: a process died, or lost its database, between the ledger entry and the commit.

use super::entry::{EntryKind, LedgerPosition};
use super::tail::{InDoubt, Tail};
use db::RecordsError;
use db::entity::runs;
use policy::RunMode;
use sea_orm::{ConnectionTrait, EntityTrait};

/// Returns the entry that resolves the last users of the ledger, or `None` if none is in doubt or the database
/// can't decide it.
///
/// `mark` must have been read after the ledger was opened, so that no open transaction can still move it.
pub(crate) async fn settled(
    db: &impl ConnectionTrait,
    tail: &Tail,
    mark: &LedgerPosition,
) -> Result<Option<EntryKind>, RecordsError> {
    let Some(in_doubt) = &tail.in_doubt else { return Ok(None) };
    let of = in_doubt.position.sequence;
    if *mark == in_doubt.position {
        return Ok(Some(EntryKind::Done { of }));
    }
    let before = *mark == tail.followed && mark.sequence == in_doubt.after;
    if before && should_reassess(db, in_doubt).await? {
        return Ok(Some(EntryKind::Void { of }));
    }
    Ok(None)
}

/// Returns whether the users of an entry in doubt will be assessed again because success was never reported.
///
/// Returns false if the database doesn't contain their run: it was restored, and the users had been anonymised.
async fn should_reassess(db: &impl ConnectionTrait, in_doubt: &InDoubt) -> Result<bool, RecordsError> {
    // A single user's run commits in the same transaction; success is reported only after the entry is resolved.
    if in_doubt.mode == RunMode::Single {
        return Ok(true);
    }
    Ok(runs::Entity::find_by_id(in_doubt.run.0).one(db).await?.is_some())
}
