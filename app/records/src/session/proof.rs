//! Proving who one is: password, then a code; and once more before what cannot be undone.

use super::live::{forget_others, has_app_within};
use super::{Proof, Session, Stage, Token, WHOLE, begin, begin_proven, note, with_code};
use crate::actor::Actor;
use crate::audit::{self, Deed, Subject};
use crate::clock::Clock;
use crate::entity::{credentials, sessions};
use crate::error::RecordsError;
use crate::staff::{self, Kind, password, second_factor};
use crate::store::Store;
use crate::user;
use chrono::{DateTime, Utc};
use policy::UserNumber;
use policy::form::Problem;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter};
use zeroize::Zeroizing;

/// The first step: `UserID` and password. Gives the key of a new session and how far it has come. Whether there is such an
/// account, whether it has a password or a role: the answer and the time that it takes are the same.
pub async fn sign_in(
    store: &Store,
    user_id: &str,
    typed: Zeroizing<String>,
) -> Result<(Token, Stage), RecordsError> {
    let user = staff::user_with_id(store, user_id).await?;
    let hash = match user {
        Some(user) => password_of(&store.db, user).await?,
        None => None,
    };
    let is_right = password::is_right(typed, hash.clone()).await;
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
/// old one is gone.
pub async fn second_factor(store: &Store, session: &Session, code: &str) -> Result<Token, RecordsError> {
    if session.stage != Stage::SecondFactor {
        return Err(RecordsError::Stale);
    }
    let tx = store.begin().await?;
    user::lock(&tx, session.user).await?;
    let Some(means) = second_factor::prove(&tx, store, session.user, code).await? else {
        drop(tx);
        failed(store, Some(session.user), "code").await?;
        return Err(RecordsError::field("code", not_proven("The code")));
    };
    let token = renew(&tx, session, Shown::SecondFactor, session.signed_in_at).await?;
    if means == second_factor::Means::RecoveryCode {
        note(&tx, store, session.user, Deed::RecoveryCodeUsed, "").await?;
    }
    note(&tx, store, session.user, Deed::SignedIn, &with_code(session.first)).await?;
    store.commit(tx).await?;
    Ok(token)
}

/// Shows once more who it is, before what cannot be undone: the password, and a code where there is an app. Gives the
/// new key of the session.
pub async fn again(
    store: &Store,
    session: &Session,
    typed: Zeroizing<String>,
    code: &str,
) -> Result<Token, RecordsError> {
    let hash = password_of(&store.db, session.user).await?;
    if !password::is_right(typed, hash.clone()).await {
        failed(store, Some(session.user), "password").await?;
        return Err(RecordsError::field("password", not_proven("The password")));
    }
    let tx = store.begin().await?;
    user::lock(&tx, session.user).await?;
    if password_of(&tx, session.user).await? != hash {
        return Err(RecordsError::Stale);
    }
    let has_app = has_app_within(&tx, session.user).await?;
    if has_app && second_factor::prove(&tx, store, session.user, code).await?.is_none() {
        drop(tx);
        failed(store, Some(session.user), "code").await?;
        return Err(RecordsError::field("code", not_proven("The code")));
    }
    let shown = if has_app { Shown::SecondFactor } else { Shown::Password };
    let token = renew(&tx, session, shown, Clock::real()).await?;
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
    if !password::is_right(old, known.clone()).await {
        failed(store, Some(session.user), "password").await?;
        return Err(RecordsError::field("old", not_proven("The present password")));
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

async fn password_of(db: &impl ConnectionTrait, user: UserNumber) -> Result<Option<String>, RecordsError> {
    let found = credentials::Entity::find().filter(Kind::Password.of(user)).one(db).await?;
    Ok(found.map(|credential| credential.secret))
}

fn not_proven(what: &str) -> Problem {
    Problem::NotProven { what: what.to_owned() }
}

/// Notes that somebody could not prove who they are. Whether there is such a user is in the audit, not in the answer.
pub(crate) async fn failed(store: &Store, user: Option<UserNumber>, what: &str) -> Result<(), RecordsError> {
    let subject = user.map_or(Subject::Library, Subject::from);
    audit::note_alone(store, Actor::nobody(), Deed::SignInFailed, subject, what).await
}
