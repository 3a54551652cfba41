//! Legal holds. A *legal hold* is a reason, with a review date, not to anonymise a user or the users of a
//! category.
//!
//! The module `eligibility` reports legal holds with the other blockers, so no way of anonymising can bypass one. A
//! legal hold is in force until it is released: a passed review date only causes a reminder.

mod place;
mod read;
mod release;
mod transfer_to_user;

pub use place::{place, review};
pub use read::{DUE, LegalHold, LegalHoldQuery, Show, due, in_force, in_force_among, list, of_user, read};
pub use release::{release, release_within, request_legal_hold_release};
pub use transfer_to_user::transfer_to_user;

use db::RecordsError;
use db::entity::legal_holds;
use policy::LegalHoldId;
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait, QuerySelect};
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// Locks and returns a legal hold. Rejects one that is released.
async fn lock(tx: &DatabaseTransaction, id: LegalHoldId) -> Result<legal_holds::Model, RecordsError> {
    let hold = legal_holds::Entity::find_by_id(id.0).lock_exclusive().one(tx).await?;
    let hold = hold.ok_or(RecordsError::NotFound("legal hold"))?;
    if hold.released_on.is_some() {
        return Err(RecordsError::Refused("This legal hold has already been released".to_owned()));
    }
    Ok(hold)
}

/// Records an audit event about a legal hold. Its subject is the user if the legal hold is on one, else the legal
/// hold.
async fn record(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    action: AuditAction,
    hold: &legal_holds::Model,
    more: &str,
) -> Result<(), DbErr> {
    let subject = hold.user_number.map_or(Subject::LegalHold(hold.id), Subject::User);
    let detail = format!("hold={},reason={}{more}", hold.id, hold.reason.code());
    audit::record_event(tx, &store.clock, actor, action, subject, None, &detail).await
}
