//! Proving who one is: password, then a code; and once more before what cannot be undone.

use super::{AFTER_PASSWORD, Session, Stage, Token, WHOLE, begin, note, stage_of};
use crate::actor::Actor;
use crate::audit::{self, Deed, Subject};
use crate::clock::Clock;
use crate::entity::{credentials, sessions};
use crate::error::RecordsError;
use crate::staff::{self, Kind, password, roles_of, second_factor};
use crate::store::Store;
use policy::form::Problem;
use policy::{Roles, UserNumber};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
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
        Some(user) => password_of(store, user).await?,
        None => None,
    };
    let is_right = password::is_right(typed, hash).await;
    let roles = match user {
        Some(user) => roles_of(&store.db, user).await?,
        None => Roles::default(),
    };
    let Some(user) = user.filter(|_| is_right && !roles.is_empty()) else {
        failed(store, user, "password").await?;
        return Err(RecordsError::field("password", not_proven("UserID or password")));
    };
    let has_app = credentials::Entity::find().filter(Kind::App.of(user)).count(&store.db).await? > 0;
    let stage = stage_of(store, AFTER_PASSWORD, roles, has_app);
    let now = Clock::real();
    let tx = store.begin().await?;
    let token =
        begin(&tx, user, if stage == Stage::Whole { WHOLE } else { AFTER_PASSWORD }, now, now).await?;
    if stage == Stage::Whole {
        note(&tx, store, user, Deed::SignedIn, "password").await?;
    }
    store.commit(tx).await?;
    Ok((token, stage))
}

/// The second step: a code of the authenticator app, or a recovery code. Gives the key of the session that is whole; the
/// old one is gone.
pub async fn second_factor(store: &Store, session: &Session, code: &str) -> Result<Token, RecordsError> {
    if session.stage != Stage::SecondFactor {
        return Err(RecordsError::Stale);
    }
    let tx = store.begin().await?;
    let Some(means) = second_factor::prove(&tx, store, session.user, code).await? else {
        drop(tx);
        failed(store, Some(session.user), "code").await?;
        return Err(RecordsError::field("code", not_proven("The code")));
    };
    let token = renew(&tx, session).await?;
    if means == second_factor::Means::RecoveryCode {
        note(&tx, store, session.user, Deed::RecoveryCodeUsed, "").await?;
    }
    note(&tx, store, session.user, Deed::SignedIn, "password,code").await?;
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
    let hash = password_of(store, session.user).await?;
    if !password::is_right(typed, hash).await {
        failed(store, Some(session.user), "password").await?;
        return Err(RecordsError::field("password", not_proven("The password")));
    }
    let tx = store.begin().await?;
    let has_app = credentials::Entity::find().filter(Kind::App.of(session.user)).count(&tx).await? > 0;
    if has_app && second_factor::prove(&tx, store, session.user, code).await?.is_none() {
        drop(tx);
        failed(store, Some(session.user), "code").await?;
        return Err(RecordsError::field("code", not_proven("The code")));
    }
    let token = renew(&tx, session).await?;
    note(&tx, store, session.user, Deed::SignedIn, "again").await?;
    store.commit(tx).await?;
    Ok(token)
}

/// Changes one's own password. All other sessions end; this one gets a new key.
pub async fn change_password(
    store: &Store,
    session: &Session,
    old: Zeroizing<String>,
    new: Zeroizing<String>,
    repeated: &str,
) -> Result<Token, RecordsError> {
    if !password::is_right(old, password_of(store, session.user).await?).await {
        failed(store, Some(session.user), "password").await?;
        return Err(RecordsError::field("old", not_proven("The present password")));
    }
    let hash = staff::new_password(store, session.user, new, repeated).await?;
    let tx = store.begin().await?;
    staff::set_password(&tx, session.user, hash).await?;
    let token = renew(&tx, session).await?;
    sessions::Entity::delete_many()
        .filter(sessions::Column::UserNumber.eq(session.user.0))
        .filter(sessions::Column::IdHash.ne(token.hash()))
        .exec(&tx)
        .await?;
    note(&tx, store, session.user, Deed::PasswordSet, "").await?;
    store.commit(tx).await?;
    Ok(token)
}

/// The session under a new key, whole, with a sign-in of this moment. How long it lasts at most is counted from its first
/// beginning. A session that has ended meanwhile is not brought back.
pub(crate) async fn renew(
    tx: &sea_orm::DatabaseTransaction,
    session: &Session,
) -> Result<Token, RecordsError> {
    let old = sessions::Entity::find_by_id(&session.id).one(tx).await?.ok_or(RecordsError::Stale)?;
    let gone = sessions::Entity::delete_by_id(&session.id).exec(tx).await?;
    if gone.rows_affected == 0 {
        return Err(RecordsError::Stale);
    }
    begin(tx, session.user, WHOLE, old.created_at, Clock::real()).await
}

async fn password_of(store: &Store, user: UserNumber) -> Result<Option<String>, RecordsError> {
    let found = credentials::Entity::find().filter(Kind::Password.of(user)).one(&store.db).await?;
    Ok(found.map(|credential| credential.secret))
}

fn not_proven(what: &str) -> Problem {
    Problem::NotProven { what: what.to_owned() }
}

/// Notes that somebody could not prove who they are. Whether there is such a user is in the audit, not in the answer.
async fn failed(store: &Store, user: Option<UserNumber>, what: &str) -> Result<(), RecordsError> {
    let subject = user.map_or(Subject::Library, |user| Subject::User(user.0));
    let tx = store.begin().await?;
    audit::note(&tx, &store.clock, Actor::nobody(), Deed::SignInFailed, subject, None, what).await?;
    store.commit(tx).await?;
    Ok(())
}
