//! Users: search, record and changes.

mod edit;
mod find;
mod identity;
mod impact;
mod mark;
mod name;
mod read;
mod save;

pub use find::{Having, RoleFilter, Sort, UserQuery, UserRow, count, find};
pub(crate) use identity::{fates, is_eligible_earlier, overwrites};
pub use impact::{Impact, ImpactKind, Impacts, impacts};
pub use mark::{mark_for_deletion, undelete};
pub use name::{Name, display_name, name_of, search_words};
pub use read::{CustomValue, Person, Photo, Term, TermKind, UserCounts, UserRecord, choices, photo, read};
pub use save::{form_of, save, save_undoable};

use crate::dialect;
use crate::entity::users;
use crate::error::RecordsError;
use policy::UserNumber;
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait};

/// Locks and reads the record of a user.
///
/// Every change to rows that belong to a user takes this lock first, to exclude other writers such as the
/// anonymiser.
pub(crate) async fn lock(tx: &DatabaseTransaction, number: UserNumber) -> Result<users::Model, RecordsError> {
    let backend = tx.get_database_backend();
    let sql = format!("SELECT number FROM users WHERE number = ?{}", dialect::for_update(backend));
    tx.query_one_raw(dialect::bind(backend, &sql, vec![number.0.into()])).await?;
    users::Entity::find_by_id(number.0).one(tx).await?.ok_or(RecordsError::NotFound("user"))
}

/// Returns the error for changing an anonymised user.
pub(crate) fn anonymised(number: UserNumber) -> RecordsError {
    RecordsError::Refused(format!(
        "User {number} has been anonymised. The record cannot be restored or edited"
    ))
}
