//! Single sign-on: an identity provider has said who somebody is. Whom it means is decided here, by what was connected
//! before by hand, and never by a name or an address, which a provider may give to somebody else one day.

use super::{AFTER_PASSWORD, Session, Stage, Token, WHOLE, begin, is_there, note, stage_of};
use crate::audit::{self, Deed, Subject};
use crate::clock::Clock;
use crate::entity::credentials;
use crate::error::RecordsError;
use crate::key::Key;
use crate::staff::{Kind, roles_of};
use crate::store::Store;
use crate::{Actor, user};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use policy::UserNumber;
use policy::permission::FRESH_MINUTES;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};
use sha2::Sha256;
use std::fmt;

/// What the stored code of an identity is derived for.
const LABEL: &[u8] = b"lethe identity provider 1";

/// Somebody, as an identity provider knows them. Only what it has signed gets here.
#[derive(Clone)]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// The key of the person there. It never becomes somebody else's.
    pub subject: String,
    /// When they have last shown the provider who they are, where it says so.
    pub shown_at: Option<DateTime<Utc>>,
    /// Whether the provider has asked for a second factor, and is believed about it.
    pub has_second_factor: bool,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

impl Identity {
    /// The code under which an identity is stored, which tells nobody who it is.
    async fn code(&self, store: &Store) -> Result<String, RecordsError> {
        let key = Key::load(store).await?.derived(LABEL);
        let mut mac = Hmac::<Sha256>::new_from_slice(&*key).map_err(|_| RecordsError::Corrupt("key"))?;
        for part in [&self.issuer, &self.subject] {
            mac.update(&part.len().to_be_bytes());
            mac.update(part.as_bytes());
        }
        Ok(base16ct::lower::encode_string(&mac.finalize().into_bytes()))
    }

    /// When they showed who they are. Where the provider does not say, that was too long ago for what cannot be undone.
    fn shown_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.shown_at.unwrap_or(now - TimeDelta::minutes(FRESH_MINUTES)).min(now)
    }
}

/// Signs in whom an identity is connected with: the key of a new session, and how far it has come. None where that is
/// nobody, or nobody with a role, or not the one who is asked for. It is noted then.
pub async fn sign_in_by_provider(
    store: &Store,
    identity: &Identity,
    only: Option<UserNumber>,
) -> Result<Option<(Token, Stage)>, RecordsError> {
    let Some(user) = owner(store, identity).await?.filter(|user| only.is_none_or(|only| only == *user))
    else {
        failed(store, only).await?;
        return Ok(None);
    };
    let roles = roles_of(&store.db, user).await?;
    if roles.is_empty() {
        failed(store, Some(user)).await?;
        return Ok(None);
    }
    let stage = if identity.has_second_factor {
        Stage::Whole
    } else {
        stage_of(store, AFTER_PASSWORD, roles, super::has_app(store, user).await?)
    };
    let is_whole = stage == Stage::Whole;
    let now = Clock::real();
    let tx = store.begin().await?;
    let stored = if is_whole { WHOLE } else { AFTER_PASSWORD };
    let token = begin(&tx, user, stored, now, identity.shown_at(now)).await?;
    if is_whole {
        let means = if identity.has_second_factor { "provider,code" } else { "provider" };
        note(&tx, store, user, Deed::SignedIn, means).await?;
    }
    store.commit(tx).await?;
    Ok(Some((token, stage)))
}

/// Connects whoever is signed in with an identity, in the place of the one before. False where the identity is somebody
/// else's already.
pub async fn connect(store: &Store, session: &Session, identity: &Identity) -> Result<bool, RecordsError> {
    let code = identity.code(store).await?;
    let tx = store.begin().await?;
    user::lock(&tx, session.user).await?;
    if !is_there(&tx, session).await? {
        return Err(RecordsError::Stale);
    }
    let owner = credentials::Entity::find().filter(of_code(&code)).one(&tx).await?;
    if owner.is_some_and(|owner| owner.user_number != session.user.0) {
        return Ok(false);
    }
    credentials::Entity::delete_many().filter(Kind::Provider.of(session.user)).exec(&tx).await?;
    credentials::ActiveModel {
        user_number: Set(session.user.0),
        kind: Set(Kind::Provider.code().to_owned()),
        secret: Set(code),
        created_at: Set(Clock::real()),
        ..Default::default()
    }
    .insert(&tx)
    .await?;
    note(&tx, store, session.user, Deed::ProviderConnected, "").await?;
    store.commit(tx).await?;
    Ok(true)
}

/// Whoever is signed in does not sign in by a provider any more.
pub async fn disconnect(store: &Store, session: &Session) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    let gone = credentials::Entity::delete_many().filter(Kind::Provider.of(session.user)).exec(&tx).await?;
    if gone.rows_affected == 0 {
        return Err(RecordsError::NotFound("connection with single sign-on"));
    }
    note(&tx, store, session.user, Deed::ProviderDisconnected, "").await?;
    store.commit(tx).await
}

/// Whether a user is connected with an identity of a provider.
pub async fn is_connected(store: &Store, user: UserNumber) -> Result<bool, RecordsError> {
    Ok(credentials::Entity::find().filter(Kind::Provider.of(user)).count(&store.db).await? > 0)
}

async fn owner(store: &Store, identity: &Identity) -> Result<Option<UserNumber>, RecordsError> {
    let found =
        credentials::Entity::find().filter(of_code(&identity.code(store).await?)).one(&store.db).await?;
    Ok(found.map(|credential| UserNumber(credential.user_number)))
}

fn of_code(code: &str) -> sea_orm::Condition {
    use credentials::Column;
    sea_orm::Condition::all().add(Column::Kind.eq(Kind::Provider.code())).add(Column::Secret.eq(code))
}

async fn failed(store: &Store, user: Option<UserNumber>) -> Result<(), RecordsError> {
    let subject = user.map_or(Subject::Library, Subject::from);
    audit::note_alone(store, Actor::nobody(), Deed::SignInFailed, subject, "provider").await
}
