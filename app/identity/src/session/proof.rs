//! Proofs of identity: password and second factor, at sign-in and again before irreversible actions.

use super::failure::{not_proven, record_failed_sign_in};
use super::lifecycle::{forget_others, has_app_within};
use super::second_factor::SecondFactorKind;
use super::{Proof, Session, Stage, Token, begin, begin_proven, codes, record, with_code};
use crate::staff::{self, Caller, CredentialKind, NoticeKind, notify, password};
use chrono::{DateTime, Utc};
use db::entity::{credentials, sessions};
use db::{Clock, RecordsError};
use policy::account::StoredStage;
use policy::{Roles, UserNumber};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use trail::audit::AuditAction;
use trail::{Actor, Store, person};
use zeroize::Zeroizing;

/// The first step: checks `UserID` and password. Returns the token of a new session and its stage.
///
/// The response and its timing don't reveal whether the account exists, or has a password or a role.
pub async fn sign_in(
    store: &Store,
    user_id: &str,
    typed: Zeroizing<String>,
    caller: Caller,
) -> Result<(Token, Stage), RecordsError> {
    let user = staff::user_with_id(store, user_id).await?;
    let hash = match user {
        Some(user) => password_of(&store.db, user).await?,
        None => None,
    };
    let is_right = password::hash_queue(store).is_right(caller, typed, hash.clone()).await?;
    let begun = match (user, hash.filter(|_| is_right)) {
        (Some(user), Some(hash)) => begin_if_still(store, user, &hash).await?,
        _ => None,
    };
    let Some(begun) = begun else {
        record_failed_sign_in(store, user, "password").await?;
        return Err(RecordsError::field("password", not_proven("UserID or password")));
    };
    Ok(begun)
}

/// Starts a session if the password hash is unchanged. The account may have been disabled during hashing.
async fn begin_if_still(
    store: &Store,
    user: UserNumber,
    hash: &str,
) -> Result<Option<(Token, Stage)>, RecordsError> {
    let tx = store.begin().await?;
    person::lock(&tx, user).await?;
    if password_of(&tx, user).await?.as_deref() != Some(hash) {
        return Ok(None);
    }
    let Some(begun) = begin_proven(&tx, store, user, &Proof::password()).await? else { return Ok(None) };
    store.commit(tx).await?;
    Ok(Some(begun))
}

/// The second step: checks a code of the authenticator app or a recovery code.
///
/// Returns the new token of the completed session; the old token becomes invalid. `device` is a known device of
/// the owner.
pub async fn second_factor(
    store: &Store,
    session: &Session,
    code: &str,
    device: Option<&str>,
) -> Result<Token, RecordsError> {
    if session.stage != Stage::SecondFactor {
        return Err(RecordsError::Stale);
    }
    let tx = store.begin().await?;
    person::lock(&tx, session.user).await?;
    let (tx, means) = codes::check(tx, store, session, code, device).await?;
    let token = renew(&tx, session, AuthFactor::SecondFactor, session.signed_in_at).await?;
    note_means(&tx, store, session.user, means).await?;
    record(&tx, store, session.user, AuditAction::SignedIn, &with_code(session.first)).await?;
    store.commit(tx).await?;
    Ok(token)
}

/// Records the use of a recovery code and notifies its owner.
async fn note_means(
    tx: &sea_orm::DatabaseTransaction,
    store: &Store,
    user: UserNumber,
    means: SecondFactorKind,
) -> Result<(), RecordsError> {
    if means == SecondFactorKind::RecoveryCode {
        record(tx, store, user, AuditAction::RecoveryCodeUsed, "").await?;
        notify(tx, user, NoticeKind::RecoveryCodeUsed).await?;
    }
    Ok(())
}

/// Why a member of staff must sign in again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AgainFor {
    /// Before an irreversible action.
    Irreversible,
    /// To change sign-in methods.
    ChangeSignIn,
}

/// The proof given when signing in again.
#[derive(Debug)]
pub struct Again<'a> {
    /// The reason.
    pub purpose: AgainFor,
    /// The password.
    pub password: Zeroizing<String>,
    /// The code, if the owner has an app.
    pub code: &'a str,
    /// A known device of the owner.
    pub device: Option<&'a str>,
}

/// Checks the password again, and a code if the owner has an app. Returns the new token of the session.
pub async fn again(store: &Store, session: &Session, shown: Again<'_>) -> Result<Token, RecordsError> {
    let Again { purpose, password, code, device } = shown;
    let hash = password_of(&store.db, session.user).await?;
    // Without a password, the owner signed in at a provider. A code alone is sufficient.
    let is_left_out = hash.is_none() && has_app_within(&store.db, session.user).await?;
    if !is_left_out && !password::hash_queue(store).is_right(Caller::Known, password, hash.clone()).await? {
        record_failed_sign_in(store, Some(session.user), "password").await?;
        return Err(RecordsError::field("password", not_proven("The password")));
    }
    let tx = store.begin().await?;
    person::lock(&tx, session.user).await?;
    if password_of(&tx, session.user).await? != hash {
        return Err(RecordsError::Stale);
    }
    let has_app = has_app_within(&tx, session.user).await?;
    if hash.is_none() && !has_app {
        return Err(RecordsError::Stale);
    }
    let (tx, shown) = if has_app {
        let (tx, means) = codes::check(tx, store, session, code, device).await?;
        note_means(&tx, store, session.user, means).await?;
        (tx, AuthFactor::SecondFactor)
    } else {
        (tx, AuthFactor::Password)
    };
    let token = renew(&tx, session, shown, Clock::system_now()).await?;
    if purpose == AgainFor::ChangeSignIn {
        confirm(&tx, &token).await?;
    }
    record(&tx, store, session.user, AuditAction::SignedIn, "again").await?;
    store.commit(tx).await?;
    Ok(token)
}

/// Changes the owner's password. Ends all other sessions; this one gets a new token.
///
/// It doesn't count as a fresh sign-in, since no second factor was required.
pub async fn change_password(
    store: &Store,
    session: &Session,
    old: Zeroizing<String>,
    new: Zeroizing<String>,
    repeated: &str,
) -> Result<Token, RecordsError> {
    let known = password_of(&store.db, session.user).await?;
    if !password::hash_queue(store).is_right(Caller::Known, old, known.clone()).await? {
        record_failed_sign_in(store, Some(session.user), "password").await?;
        return Err(RecordsError::field("old", not_proven("The current password")));
    }
    let hash = staff::new_password(store, session.user, new, repeated).await?;
    let tx = store.begin().await?;
    person::lock(&tx, session.user).await?;
    if password_of(&tx, session.user).await? != known {
        return Err(RecordsError::Stale);
    }
    staff::set_password(&tx, session.user, hash).await?;
    let token = renew(&tx, session, AuthFactor::Password, session.signed_in_at).await?;
    forget_others(&tx, session.user, &token).await?;
    record(&tx, store, session.user, AuditAction::PasswordSet, "").await?;
    notify(&tx, session.user, NoticeKind::PasswordSet).await?;
    store.commit(tx).await?;
    Ok(token)
}

/// The proof given in an existing session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AuthFactor {
    /// The password: the stage stays the same.
    Password,
    /// A second factor: the session is complete.
    SecondFactor,
}

/// Replaces the token of a session. `shown_at` is when its owner last completed a sign-in.
///
/// The maximum lifetime still counts from the first start. Returns an error if the session has ended in the
/// meantime.
pub(crate) async fn renew(
    tx: &sea_orm::DatabaseTransaction,
    session: &Session,
    shown: AuthFactor,
    shown_at: DateTime<Utc>,
) -> Result<Token, RecordsError> {
    let old = sessions::Entity::find_by_id(&session.id).one(tx).await?.ok_or(RecordsError::Stale)?;
    let gone = sessions::Entity::delete_by_id(&session.id).exec(tx).await?;
    if gone.rows_affected == 0 {
        return Err(RecordsError::Stale);
    }
    let stage = if shown == AuthFactor::SecondFactor { StoredStage::Complete } else { old.stage };
    begin(tx, session.user, stage, old.created_at, shown_at).await
}

/// Returns whether the owner of a session may change sign-in methods.
///
/// A fresh sign-in is not enough: a thief of the session could lock its owner out. The owner must enter the
/// password and a code again for this purpose. An owner with neither must sign in at the provider again.
pub fn may_change_sign_in(session: &Session) -> bool {
    let is_young = |at| Actor::signed_in(session.user, Roles::default(), at).is_fresh(Clock::system_now());
    session.confirmed_at.is_some_and(is_young)
}

/// Returns whether a user has an app or a password here, in addition to an account at a provider.
pub(super) async fn has_own_proof(db: &impl ConnectionTrait, user: UserNumber) -> Result<bool, RecordsError> {
    Ok(has_app_within(db, user).await? || password_of(db, user).await?.is_some())
}

/// Returns an error unless the owner may change sign-in methods.
pub(crate) fn must_be_confirmed(session: &Session) -> Result<(), RecordsError> {
    if may_change_sign_in(session) { Ok(()) } else { Err(RecordsError::ConfirmSignIn) }
}

/// Records that the session's owner has confirmed a change of sign-in methods.
pub(super) async fn confirm(tx: &sea_orm::DatabaseTransaction, token: &Token) -> Result<(), RecordsError> {
    sessions::Entity::update_many()
        .set(sessions::ActiveModel { confirmed_at: Set(Some(Clock::system_now())), ..Default::default() })
        .filter(sessions::Column::IdHash.eq(token.hash()))
        .exec(tx)
        .await?;
    Ok(())
}

/// Returns whether a user has a password.
pub async fn has_password(store: &Store, user: UserNumber) -> Result<bool, RecordsError> {
    Ok(password_of(&store.db, user).await?.is_some())
}

async fn password_of(db: &impl ConnectionTrait, user: UserNumber) -> Result<Option<String>, RecordsError> {
    let found = credentials::Entity::find().filter(CredentialKind::Password.condition(user)).one(db).await?;
    Ok(found.map(|credential| credential.secret))
}
