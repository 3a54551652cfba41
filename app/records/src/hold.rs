//! Legal holds: a reason, with an end, not to anonymise somebody, or everybody of a user category.
//!
//! A hold is seen where everything is seen that stands in the way (`selection`), so no way of anonymising can pass
//! it. It is in force until somebody releases it: a review date that has passed reminds, and releases nothing.

mod carry_over;
mod place;
mod read;
mod release;

pub(crate) use carry_over::carry_over;
pub use place::{place, review};
pub(crate) use read::{DUE, in_force};
pub use read::{Hold, HoldOn, HoldQuery, Show, list, of_user, read};
pub(crate) use release::release_within;
pub use release::{ask_for_release, release};

use crate::actor::Actor;
use crate::audit::{self, Deed, Subject};
use crate::dialect;
use crate::entity::legal_holds;
use crate::error::RecordsError;
use crate::store::Store;
use policy::HoldId;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait};

/// Locks a hold and reads it, if it is in force.
async fn lock(tx: &DatabaseTransaction, id: HoldId) -> Result<legal_holds::Model, RecordsError> {
    let backend = tx.get_database_backend();
    let sql = format!("SELECT id FROM legal_holds WHERE id = ?{}", dialect::for_update(backend));
    tx.query_one_raw(dialect::statement(backend, &sql, vec![id.0.into()])).await?;
    let hold = legal_holds::Entity::find_by_id(id.0).one(tx).await?;
    let hold = hold.ok_or(RecordsError::NotFound("legal hold"))?;
    if hold.released_on.is_some() {
        return Err(RecordsError::Refused("This legal hold was released before".to_owned()));
    }
    Ok(hold)
}

/// Notes what was done to a hold: at the user, where it is on one.
async fn note(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    deed: Deed,
    hold: &legal_holds::Model,
    more: &str,
) -> Result<(), DbErr> {
    let subject = hold.user_number.map_or(Subject::LegalHold(hold.id), Subject::User);
    let detail = format!("hold={},reason={}{more}", hold.id, hold.reason);
    audit::note(tx, &store.clock, actor, deed, subject, None, &detail).await
}
