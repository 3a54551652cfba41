//! Proving who one is: password, then a code; and once more before what cannot be undone.

use super::live::{forget_others, has_app_within};
use super::{Proof, Session, Stage, Token, WHOLE, begin, begin_proven, codes, note, with_code};
use crate::actor::Actor;
use crate::audit::{self, Deed, Subject};
use crate::clock::Clock;
use crate::entity::{credentials, sessions};
use crate::error::RecordsError;
use crate::staff::second_factor::Means;
use crate::staff::{self, Caller, Kind, NoticeKind, notify};
use crate::store::Store;
use crate::user;
use chrono::{DateTime, Utc};
use policy::form::Problem;
use policy::{Roles, UserNumber};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use zeroize::Zeroizing;

/// The first step: `UserID` and password. Gives the key of a new session and how far it has come. Whether there is such an
/// account, whether it has a password or a role: the answer and the time that it takes are the same.
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
    let is_right = store.hashing.is_right(caller, typed, hash.clone()).await?;
    let begun = match (user, hash.filter(|_| is_right)) {
        (Some(user), Some(hash)) => begin_if_still(store, user, &hash).await?,
        _ => None,
    };
    let Some(begun) = begun else {
        failed(store, user, "password").await?;
        return Err(RecordsError::field("password", not_proven("UserID or password")));
    };
    Ok(begun)
}

/// Begins a session if the password is still the one that was looked at, which takes a moment: its owner may have been
/// shut out in that moment.
async fn begin_if_still(
    store: &Store,
    user: UserNumber,
    hash: &str,
) -> Result<Option<(Token, Stage)>, RecordsError> {
    let tx = store.begin().await?;
    user::lock(&tx, user).await?;
    if password_of(&tx, user).await?.as_deref() != Some(hash) {
        return Ok(None);
    }
    let Some(begun) = begin_proven(&tx, store, user, &Proof::password()).await? else { return Ok(None) };
    store.commit(tx).await?;
    Ok(Some(begun))
}

/// The second step: a code of the authenticator app, or a recovery code. Gives the key of the session that is whole; the
/// old one is gone. `device` is a device that is known for its owner.
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
    user::lock(&tx, session.user).await?;
    let (tx, means) = codes::check(tx, store, session, code, device).await?;
    let token = renew(&tx, session, Shown::SecondFactor, session.signed_in_at).await?;
    note_means(&tx, store, session.user, means).await?;
    note(&tx, store, session.user, Deed::SignedIn, &with_code(session.first)).await?;
    store.commit(tx).await?;
    Ok(token)
}

/// Notes the use of a recovery code, and notifies its owner.
async fn note_means(
    tx: &sea_orm::DatabaseTransaction,
    store: &Store,
    user: UserNumber,
    means: Means,
) -> Result<(), RecordsError> {
    if means == Means::RecoveryCode {
        note(tx, store, user, Deed::RecoveryCodeUsed, "").await?;
        notify(tx, user, NoticeKind::RecoveryCodeUsed).await?;
    }
    Ok(())
}

/// What a member of staff signs in again for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AgainFor {
    /// What cannot be undone.
    Irreversible,
    /// To change what they sign in with.
    ChangeSignIn,
}

/// What is shown once more.
#[derive(Debug)]
pub struct Again<'a> {
    /// What for.
    pub purpose: AgainFor,
    /// The password.
    pub password: Zeroizing<String>,
    /// The code, where there is an app.
    pub code: &'a str,
    /// A device that is known for its owner.
    pub device: Option<&'a str>,
}

/// Shows once more who it is, before what cannot be undone: the password, and a code where there is an app. Gives the
/// new key of the session.
pub async fn again(store: &Store, session: &Session, shown: Again<'_>) -> Result<Token, RecordsError> {
    let Again { purpose, password, code, device } = shown;
    let hash = password_of(&store.db, session.user).await?;
    // Without a password of their own they have signed in by a provider: a code says as much.
    let is_left_out = hash.is_none() && has_app_within(&store.db, session.user).await?;
    if !is_left_out && !store.hashing.is_right(Caller::Known, password, hash.clone()).await? {
        failed(store, Some(session.user), "password").await?;
        return Err(RecordsError::field("password", not_proven("The password")));
    }
    let tx = store.begin().await?;
    user::lock(&tx, session.user).await?;
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
        (tx, Shown::SecondFactor)
    } else {
        (tx, Shown::Password)
    };
    let token = renew(&tx, session, shown, Clock::real()).await?;
    if purpose == AgainFor::ChangeSignIn {
        confirm(&tx, &token).await?;
    }
    note(&tx, store, session.user, Deed::SignedIn, "again").await?;
    store.commit(tx).await?;
    Ok(token)
}

/// Changes one's own password. All other sessions end; this one gets a new key. It counts as no younger sign-in: nobody
/// has shown a second factor.
pub async fn change_password(
    store: &Store,
    session: &Session,
    old: Zeroizing<String>,
    new: Zeroizing<String>,
    repeated: &str,
) -> Result<Token, RecordsError> {
    let known = password_of(&store.db, session.user).await?;
    if !store.hashing.is_right(Caller::Known, old, known.clone()).await? {
        failed(store, Some(session.user), "password").await?;
        return Err(RecordsError::field("old", not_proven("The current password")));
    }
    let hash = staff::new_password(store, session.user, new, repeated).await?;
    let tx = store.begin().await?;
    user::lock(&tx, session.user).await?;
    if password_of(&tx, session.user).await? != known {
        return Err(RecordsError::Stale);
    }
    staff::set_password(&tx, session.user, hash).await?;
    let token = renew(&tx, session, Shown::Password, session.signed_in_at).await?;
    forget_others(&tx, session.user, &token).await?;
    note(&tx, store, session.user, Deed::PasswordSet, "").await?;
    notify(&tx, session.user, NoticeKind::PasswordSet).await?;
    store.commit(tx).await?;
    Ok(token)
}

/// What somebody shows in a session that they have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shown {
    /// Their password: the session is as whole as it was.
    Password,
    /// A second factor: the session is whole.
    SecondFactor,
}

/// The session under a new key, of somebody who last showed all of who they are at this instant. How long it lasts at most
/// is counted from its first beginning. A session that has ended meanwhile is not brought back.
pub(crate) async fn renew(
    tx: &sea_orm::DatabaseTransaction,
    session: &Session,
    shown: Shown,
    shown_at: DateTime<Utc>,
) -> Result<Token, RecordsError> {
    let old = sessions::Entity::find_by_id(&session.id).one(tx).await?.ok_or(RecordsError::Stale)?;
    let gone = sessions::Entity::delete_by_id(&session.id).exec(tx).await?;
    if gone.rows_affected == 0 {
        return Err(RecordsError::Stale);
    }
    let stage = if shown == Shown::SecondFactor { WHOLE } else { &old.stage };
    begin(tx, session.user, stage, old.created_at, shown_at).await
}

/// Whether the owner of a session may change what they sign in with. A fresh sign-in is not enough, because a thief of the
/// session could shut its owner out: they show the password and a code once more, for this purpose. The owner of an account
/// that has neither shows the provider once more who they are, for this purpose.
pub fn may_change_sign_in(session: &Session) -> bool {
    let is_young = |at| Actor::signed_in(session.user, Roles::default(), at).is_fresh(Clock::real());
    session.confirmed_at.is_some_and(is_young)
}

/// Whether a user has an app or a password here, besides an account at a provider.
pub(super) async fn has_own_proof(db: &impl ConnectionTrait, user: UserNumber) -> Result<bool, RecordsError> {
    Ok(has_app_within(db, user).await? || password_of(db, user).await?.is_some())
}

/// The same, as an error.
pub(crate) fn must_be_confirmed(session: &Session) -> Result<(), RecordsError> {
    if may_change_sign_in(session) { Ok(()) } else { Err(RecordsError::ConfirmSignIn) }
}

/// Writes down that the owner of a session has just shown all of who they are, to change what they sign in with.
pub(super) async fn confirm(tx: &sea_orm::DatabaseTransaction, token: &Token) -> Result<(), RecordsError> {
    sessions::Entity::update_many()
        .set(sessions::ActiveModel { confirmed_at: Set(Some(Clock::real())), ..Default::default() })
        .filter(sessions::Column::IdHash.eq(token.hash()))
        .exec(tx)
        .await?;
    Ok(())
}

/// Whether a user has a password of their own.
pub async fn has_password(store: &Store, user: UserNumber) -> Result<bool, RecordsError> {
    Ok(password_of(&store.db, user).await?.is_some())
}

async fn password_of(db: &impl ConnectionTrait, user: UserNumber) -> Result<Option<String>, RecordsError> {
    let found = credentials::Entity::find().filter(Kind::Password.of(user)).one(db).await?;
    Ok(found.map(|credential| credential.secret))
}

pub(super) fn not_proven(what: &str) -> Problem {
    Problem::NotProven { what: what.to_owned() }
}

/// Notes that somebody could not prove who they are. Whether there is such a user is in the audit, not in the answer.
pub(crate) async fn failed(
    store: &Store,
    user: Option<UserNumber>,
    what: &'static str,
) -> Result<(), RecordsError> {
    let subject = user.map_or(Subject::Library, Subject::from);
    audit::note_repeated(store, Actor::nobody(), Deed::SignInFailed, subject, what).await
}
