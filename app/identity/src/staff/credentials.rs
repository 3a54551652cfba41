//! Passwords of accounts: finding the account, checking a new password, storing its hash.

use super::password::{self, Caller, opaque};
use super::{CredentialKind, strength};
use db::entity::{code_budgets, credentials, users};
use db::{Clock, RecordsError};
use policy::UserNumber;
use policy::form::Problem;
use policy::key_form::normal;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use trail::Store;
use zeroize::Zeroizing;

/// Returns the user with this `UserID`, in any spelling of its normal form.
pub async fn user_with_id(store: &Store, user_id: &str) -> Result<Option<UserNumber>, RecordsError> {
    let form = normal(user_id);
    if form.is_empty() {
        return Ok(None);
    }
    let found = users::Entity::find().filter(users::Column::UserIdKey.eq(form)).one(&store.db).await?;
    Ok(found.map(|user| UserNumber(user.number)))
}

/// Returns the hash of a new password. Returns an error if it is too weak or the repetition differs.
pub async fn new_password(
    store: &Store,
    number: UserNumber,
    new: Zeroizing<String>,
    repeated: &str,
) -> Result<String, RecordsError> {
    let user =
        users::Entity::find_by_id(number.0).one(&store.db).await?.ok_or(RecordsError::NotFound("user"))?;
    let known: Vec<&str> =
        [&user.user_id, &user.first_name, &user.last_name, &user.email, &user.barcode, &user.phone]
            .into_iter()
            .filter_map(|value| value.as_deref())
            .chain(["lethe", "library"])
            .collect();
    strength::check(&new, &known).map_err(|problem| RecordsError::field("password", problem))?;
    if *opaque(&new) != *opaque(repeated) {
        return Err(RecordsError::field("repeated", Problem::PasswordsDiffer));
    }
    password::hash_queue(store).hash(Caller::Known, new).await
}

/// Stores this hash as the user's password, and invalidates all links for setting one.
pub async fn set_password(
    db: &impl ConnectionTrait,
    number: UserNumber,
    hash: String,
) -> Result<(), RecordsError> {
    for old in [CredentialKind::Password, CredentialKind::Invitation] {
        credentials::Entity::delete_many().filter(old.condition(number)).exec(db).await?;
    }
    credentials::ActiveModel {
        user_number: Set(number.0),
        kind: Set(CredentialKind::Password.code().to_owned()),
        secret: Set(hash),
        created_at: Set(Clock::system_now()),
        ..Default::default()
    }
    .insert(db)
    .await?;
    forget_wrong_codes(db, number).await
}

/// Refills all budgets of an account after a password change, which makes a stolen password useless.
async fn forget_wrong_codes(db: &impl ConnectionTrait, user: UserNumber) -> Result<(), RecordsError> {
    code_budgets::Entity::delete_many().filter(code_budgets::Column::UserNumber.eq(user.0)).exec(db).await?;
    Ok(())
}
