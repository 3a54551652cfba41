//! Single sign-on: maps a verified identity of a provider to a user.
//!
//! The identity must have been linked to the user before. Names and addresses are not used, because a provider can
//! reassign them.

use super::failure::record_failed_sign_in;
use super::proof::{AgainFor, confirm, has_own_proof};
use super::{Proof, Session, Stage, Token, begin_proven, is_there, must_be_confirmed, record};
use crate::staff::{CredentialKind, NoticeKind, notify};
use chrono::{DateTime, TimeDelta, Utc};
use db::entity::credentials;
use db::{Clock, RecordsError};
use hmac::{Hmac, KeyInit as _, Mac as _};
use policy::UserNumber;
use policy::account::StoredStage;
use policy::permission::FRESH_MINUTES;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, Set, SqlErr,
};
use sha2::Sha256;
use std::fmt;
use trail::audit::AuditAction;
use trail::{Store, person};

/// Label of the key for the stored code of an identity.
const LABEL: &[u8] = b"lethe identity provider 1";

/// A user's identity at a provider. It comes only from a token with a valid signature.
#[derive(Clone)]
pub struct Identity {
    /// URL of the provider.
    pub issuer: String,
    /// Identifier of the user there, which is never reassigned.
    pub subject: String,
    /// When the user last signed in there, if the provider says so.
    pub shown_at: Option<DateTime<Utc>>,
    /// Whether the provider required a second factor, and is trusted to say so.
    pub has_second_factor: bool,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

impl Identity {
    /// Returns the code under which an identity is stored. It doesn't reveal the identity.
    async fn code(&self, store: &Store) -> Result<String, RecordsError> {
        let key = store.key.load().await?.derived(LABEL);
        let mut mac = Hmac::<Sha256>::new_from_slice(&*key).map_err(|_| RecordsError::Corrupt("key"))?;
        for part in [&self.issuer, &self.subject] {
            mac.update(&part.len().to_be_bytes());
            mac.update(part.as_bytes());
        }
        Ok(base16ct::lower::encode_string(&mac.finalize().into_bytes()))
    }

    /// Returns when the user signed in at the provider. Without that information, it counts as too old for
    /// irreversible actions.
    fn shown_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.shown_at.unwrap_or(now - TimeDelta::minutes(FRESH_MINUTES)).min(now)
    }
}

/// Signs in the user linked to `identity`. Returns the token and stage of a new session.
///
/// Returns `None`, and records an audit event, if no user is linked, the user has no role, or it isn't `only`.
/// `only` is the user who must sign in again, and the reason.
pub async fn sign_in_by_provider(
    store: &Store,
    identity: &Identity,
    only: Option<(UserNumber, AgainFor)>,
) -> Result<Option<(Token, Stage)>, RecordsError> {
    let wanted = |user: &UserNumber| only.is_none_or(|(only, _)| only == *user);
    let user = owner(&store.db, &identity.code(store).await?).await?.filter(wanted);
    let begun = match user {
        Some(user) => begin_if_still(store, user, identity, only.map(|(_, purpose)| purpose)).await?,
        None => None,
    };
    if begun.is_none() {
        record_failed_sign_in(store, user.or(only.map(|(user, _)| user)), "provider").await?;
    }
    Ok(begun)
}

/// Starts a session if the identity is still linked to the user, who may have been disabled in the meantime.
async fn begin_if_still(
    store: &Store,
    user: UserNumber,
    identity: &Identity,
    purpose: Option<AgainFor>,
) -> Result<Option<(Token, Stage)>, RecordsError> {
    let code = identity.code(store).await?;
    let tx = store.begin().await?;
    person::lock(&tx, user).await?;
    if owner(&tx, &code).await? != Some(user) {
        return Ok(None);
    }
    let proof = Proof {
        first: StoredStage::AfterProvider,
        has_second_factor: identity.has_second_factor,
        shown_at: identity.shown_at(Clock::system_now()),
    };
    let Some(begun) = begin_proven(&tx, store, user, &proof).await? else { return Ok(None) };
    // A user with a password or an app here must use those instead.
    if purpose == Some(AgainFor::ChangeSignIn) && !has_own_proof(&tx, user).await? {
        confirm(&tx, &begun.0).await?;
    }
    store.commit(tx).await?;
    Ok(Some(begun))
}

/// Links the session's owner to an identity, replacing the previous one. Returns false if another user has it.
pub async fn connect(store: &Store, session: &Session, identity: &Identity) -> Result<bool, RecordsError> {
    let code = identity.code(store).await?;
    let tx = store.begin().await?;
    person::lock(&tx, session.user).await?;
    if !is_there(&tx, session).await? {
        return Err(RecordsError::Stale);
    }
    must_be_confirmed(session)?;
    if owner(&tx, &code).await?.is_some_and(|owner| owner != session.user) {
        return Ok(false);
    }
    credentials::Entity::delete_many()
        .filter(CredentialKind::Provider.condition(session.user))
        .exec(&tx)
        .await?;
    let link = credentials::ActiveModel {
        user_number: Set(session.user.0),
        kind: Set(CredentialKind::Provider.code().to_owned()),
        secret: Set(code),
        created_at: Set(Clock::system_now()),
        ..Default::default()
    };
    match link.insert(&tx).await {
        // Another user has linked the same identity in the meantime.
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
            return Ok(false);
        }
        linked => linked?,
    };
    record(&tx, store, session.user, AuditAction::ProviderConnected, "").await?;
    notify(&tx, session.user, NoticeKind::ProviderConnected).await?;
    store.commit(tx).await?;
    Ok(true)
}

/// Removes the link between the session's owner and the identity provider.
pub async fn disconnect(store: &Store, session: &Session) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    person::lock(&tx, session.user).await?;
    must_be_confirmed(session)?;
    let gone = credentials::Entity::delete_many()
        .filter(CredentialKind::Provider.condition(session.user))
        .exec(&tx)
        .await?;
    if gone.rows_affected == 0 {
        return Err(RecordsError::NotFound("connection with single sign-on"));
    }
    record(&tx, store, session.user, AuditAction::ProviderDisconnected, "").await?;
    notify(&tx, session.user, NoticeKind::ProviderDisconnected).await?;
    store.commit(tx).await
}

/// Returns whether a user is linked to an identity of a provider.
pub async fn is_connected(store: &Store, user: UserNumber) -> Result<bool, RecordsError> {
    Ok(credentials::Entity::find().filter(CredentialKind::Provider.condition(user)).count(&store.db).await?
        > 0)
}

async fn owner(db: &impl ConnectionTrait, code: &str) -> Result<Option<UserNumber>, RecordsError> {
    let found = credentials::Entity::find().filter(from_code(code)).one(db).await?;
    Ok(found.map(|credential| UserNumber(credential.user_number)))
}

fn from_code(code: &str) -> sea_orm::Condition {
    use credentials::Column;
    sea_orm::Condition::all()
        .add(Column::Kind.eq(CredentialKind::Provider.code()))
        .add(Column::Secret.eq(code))
}
