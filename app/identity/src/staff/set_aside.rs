//! Credentials of staff whose sign-in was disabled, kept while that can be undone, then deleted.
//!
//! Their kind has a prefix, so that no query for credentials finds them.

use super::CredentialKind;
use db::entity::credentials;
use db::{Clock, RecordsError};
use policy::UserNumber;
use sea_orm::sea_query::{BinOper, Expr, ExprTrait as _, SimpleExpr};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait,
    PaginatorTrait, QueryFilter, Set,
};
use trail::Store;
use trail::undoable::UNDO_TIMEOUT;

/// Prefix of the kind of a credential that was set aside.
const PREFIX: &str = "disabled_";

/// Sets the credentials of a user aside. Deletes unused links and secrets, and credentials set aside earlier.
pub async fn set_aside(db: &impl ConnectionTrait, user: UserNumber) -> Result<(), RecordsError> {
    let useless = Condition::any().add(is_set_aside()).add(
        credentials::Column::Kind
            .is_in([CredentialKind::Invitation, CredentialKind::AppToConfirm].map(CredentialKind::code)),
    );
    credentials::Entity::delete_many().filter(of_user(user)).filter(useless).exec(db).await?;
    credentials::Entity::update_many()
        .col_expr(
            credentials::Column::Kind,
            Expr::val(PREFIX).binary(CONCAT, Expr::col(credentials::Column::Kind)),
        )
        .col_expr(credentials::Column::ExpiresAt, Expr::value(Clock::system_now() + UNDO_TIMEOUT))
        .filter(of_user(user))
        .exec(db)
        .await?;
    Ok(())
}

/// Returns whether a user has a credential that isn't set aside.
pub async fn is_left(db: &impl ConnectionTrait, user: UserNumber) -> Result<bool, RecordsError> {
    let left = credentials::Entity::find().filter(of_user(user)).filter(is_set_aside().not());
    Ok(left.count(db).await? > 0)
}

/// The concatenation operator of both databases.
const CONCAT: BinOper = BinOper::Custom("||");

/// Restores the credentials that were set aside.
///
/// Returns false and changes nothing if none are left or the user has another credential by now. The same holds if
/// another user is linked to the same account at the identity provider.
pub async fn give_back(tx: &DatabaseTransaction, user: UserNumber) -> Result<bool, RecordsError> {
    let all = credentials::Entity::find().filter(of_user(user)).all(tx).await?;
    let now = Clock::system_now();
    let is_left = |one: &credentials::Model| {
        one.kind.starts_with(PREFIX) && one.expires_at.is_some_and(|until| until > now)
    };
    if all.is_empty() || !all.iter().all(is_left) {
        return Ok(false);
    }
    for one in all {
        let kind = one.kind.strip_prefix(PREFIX).unwrap_or_default().to_owned();
        if kind == CredentialKind::Provider.code() && is_connected(tx, &one.secret).await? {
            return Ok(false);
        }
        credentials::ActiveModel {
            id: Set(one.id),
            kind: Set(kind),
            expires_at: Set(None),
            ..Default::default()
        }
        .update(tx)
        .await?;
    }
    Ok(true)
}

/// Returns whether a user is linked to this account at the identity provider.
async fn is_connected(db: &impl ConnectionTrait, secret: &str) -> Result<bool, RecordsError> {
    let connected = credentials::Entity::find()
        .filter(credentials::Column::Kind.eq(CredentialKind::Provider.code()))
        .filter(credentials::Column::Secret.eq(secret));
    Ok(connected.count(db).await? > 0)
}

/// Deletes set-aside credentials that can no longer be restored, and returns their number.
pub async fn delete_expired(store: &Store) -> Result<u64, RecordsError> {
    let expired =
        Condition::all().add(is_set_aside()).add(credentials::Column::ExpiresAt.lte(Clock::system_now()));
    if credentials::Entity::find().filter(expired.clone()).count(&store.db).await? == 0 {
        return Ok(0);
    }
    Ok(credentials::Entity::delete_many().filter(expired).exec(&store.db).await?.rows_affected)
}

fn is_set_aside() -> SimpleExpr {
    credentials::Column::Kind.starts_with(PREFIX)
}

fn of_user(user: UserNumber) -> Condition {
    Condition::all().add(credentials::Column::UserNumber.eq(user.0))
}
