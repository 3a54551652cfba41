//! Finds, extends, lists and ends sessions.

use super::time::{ends_at, ends_in_any_case_at, is_to_be_touched};
use super::token::{Token, digest};
use super::{Session, stage_of, url_cipher};
use crate::staff::{CredentialKind, NoticeKind, notify};
use chrono::{DateTime, Utc};
use db::entity::{credentials, sessions};
use db::{Clock, RecordsError};
use policy::account::StoredStage;
use policy::{Action, UserNumber};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Set};
use std::time::Duration;
use trail::audit::{self, AuditAction, Subject};
use trail::roles::roles_of;
use trail::{Actor, Store};

/// Hash prefix of the form token. The token is derived from the session's token, so it isn't stored.
const FORM: &str = "lethe form ";

/// Maximum time that a page waits for the update that extends its session.
const TOUCH_TIMEOUT: Duration = Duration::from_secs(1);

/// The origin of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Activity {
    /// A person made the request.
    User,
    /// The page made the request in the background.
    Background,
}

/// Returns the session with this token and extends it. Returns `None` if it has ended or its owner has no role.
pub async fn load_and_touch(store: &Store, key: &str) -> Result<Option<Session>, RecordsError> {
    read(store, key, Activity::User).await
}

/// Like [`load_and_touch`], but doesn't extend the session. For background requests of a page.
pub async fn load(store: &Store, key: &str) -> Result<Option<Session>, RecordsError> {
    read(store, key, Activity::Background).await
}

async fn read(store: &Store, key: &str, sign: Activity) -> Result<Option<Session>, RecordsError> {
    let now = Clock::system_now();
    let Some(row) = sessions::Entity::find_by_id(digest("", key)).one(&store.db).await? else {
        return Ok(None);
    };
    let user = UserNumber(row.user_number);
    let roles = roles_of(&store.db, user).await?;
    if ends_at(store, &row, row.last_seen_at) <= now || roles.is_empty() {
        return Ok(None);
    }
    // A completed session doesn't depend on it.
    let has_app = row.stage != StoredStage::Complete && has_app(store, user).await?;
    let seen = if sign == Activity::User && is_to_be_touched(store, &row, now) {
        if touch(store, &row.id_hash, now).await? { now } else { row.last_seen_at }
    } else {
        row.last_seen_at
    };
    Ok(Some(Session {
        user,
        roles,
        stage: stage_of(store, row.stage, roles, has_app),
        first: if row.stage == StoredStage::AfterProvider {
            StoredStage::AfterProvider
        } else {
            StoredStage::AfterPassword
        },
        signed_in_at: row.signed_in_at,
        confirmed_at: row.confirmed_at,
        browser: row.browser.clone(),
        ends_at: ends_at(store, &row, seen),
        ends_in_any_case_at: ends_in_any_case_at(store, &row),
        form_token: form_token(key),
        sealer: url_cipher::sealer(store).await?,
        id: row.id_hash,
    }))
}

/// Returns the CSRF token for forms of the session with this token.
pub fn form_token(key: &str) -> String {
    digest(FORM, key)
}

/// Extends a session. Returns false if another writer or a full disk prevented it, so that pages stay readable.
async fn touch(store: &Store, id_hash: &str, now: DateTime<Utc>) -> Result<bool, RecordsError> {
    // A concurrent request may have ended the session.
    let touch = sessions::Entity::update_many()
        .set(sessions::ActiveModel { last_seen_at: Set(now), ..Default::default() })
        .filter(sessions::Column::IdHash.eq(id_hash))
        .exec(&store.db);
    match tokio::time::timeout(TOUCH_TIMEOUT, touch).await {
        Ok(Ok(_)) => Ok(true),
        Err(_) => Ok(false),
        Ok(Err(error)) => match RecordsError::from(error) {
            error if error.fault().is_some() => {
                tracing::warn!(code = error.code(), "a session could not be extended");
                Ok(false)
            }
            error => Err(error),
        },
    }
}

/// Stores the browser of a session. Does nothing if another writer or a full disk prevents it: the next request tries
/// again.
pub async fn remember_browser(store: &Store, session: &Session, browser: String) {
    let named = sessions::Entity::update_many()
        .set(sessions::ActiveModel { browser: Set(Some(browser)), ..Default::default() })
        .filter(sessions::Column::IdHash.eq(&session.id))
        .exec(&store.db);
    if !matches!(tokio::time::timeout(TOUCH_TIMEOUT, named).await, Ok(Ok(_))) {
        tracing::warn!("the browser of a session could not be stored");
    }
}

/// Returns whether a user has an authenticator app.
pub async fn has_app(store: &Store, user: UserNumber) -> Result<bool, RecordsError> {
    has_app_within(&store.db, user).await
}

/// The same within a transaction.
pub(super) async fn has_app_within(
    db: &impl ConnectionTrait,
    user: UserNumber,
) -> Result<bool, RecordsError> {
    Ok(credentials::Entity::find().filter(CredentialKind::App.condition(user)).count(db).await? > 0)
}

/// Ends a session at its owner's request.
pub async fn end(store: &Store, session: &Session) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    sessions::Entity::delete_by_id(&session.id).exec(&tx).await?;
    let subject = Subject::User(session.user.0);
    audit::record_event(&tx, &store.clock, session.attribution(), AuditAction::SignedOut, subject, None, "")
        .await?;
    store.commit(tx).await?;
    Ok(())
}

/// A session in the owner's list.
#[derive(Clone, Debug)]
pub struct SessionSummary {
    /// Start of the token's hash: enough to end the session, useless to access it.
    pub id: String,
    /// When it started.
    pub created_at: DateTime<Utc>,
    /// Time of the last request, to the minute.
    pub last_seen_at: DateTime<Utc>,
    /// The browser, if it named itself.
    pub browser: Option<String>,
    /// Whether it is the session of this request.
    pub is_this: bool,
}

/// Number of hash digits that identify a session in the list.
const NAME: usize = 16;

/// Returns the user's sessions that haven't ended, newest first.
pub async fn list(store: &Store, session: &Session) -> Result<Vec<SessionSummary>, RecordsError> {
    let now = Clock::system_now();
    let rows = sessions::Entity::find()
        .filter(sessions::Column::UserNumber.eq(session.user.0))
        .order_by_desc(sessions::Column::CreatedAt)
        .all(&store.db)
        .await?;
    let live = rows.into_iter().filter(|row| ends_at(store, row, row.last_seen_at) > now);
    Ok(live
        .map(|row| SessionSummary {
            is_this: row.id_hash == session.id,
            id: row.id_hash.chars().take(NAME).collect(),
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
            browser: row.browser,
        })
        .collect())
}

/// Ends another session of the same user.
pub async fn end_one(store: &Store, session: &Session, id: &str) -> Result<(), RecordsError> {
    if id.len() != NAME || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(RecordsError::NotFound("session"));
    }
    let tx = store.begin().await?;
    let ended = sessions::Entity::delete_many()
        .filter(sessions::Column::UserNumber.eq(session.user.0))
        .filter(sessions::Column::IdHash.starts_with(id))
        .exec(&tx)
        .await?;
    if ended.rows_affected == 0 {
        return Err(RecordsError::NotFound("session"));
    }
    let subject = Subject::User(session.user.0);
    audit::record_event(
        &tx,
        &store.clock,
        session.attribution(),
        AuditAction::SessionEnded,
        subject,
        None,
        "",
    )
    .await?;
    notify(&tx, session.user, NoticeKind::SessionEnded).await?;
    store.commit(tx).await?;
    Ok(())
}

/// Ends all sessions of a user. Requires the permission to manage staff.
pub async fn end_all_of(store: &Store, actor: Actor, user: UserNumber) -> Result<(), RecordsError> {
    actor.require(Action::ManageStaff)?;
    let tx = store.begin().await?;
    forget(&tx, user).await?;
    notify(&tx, user, NoticeKind::SessionEnded).await?;
    audit::record_event(
        &tx,
        &store.clock,
        actor,
        AuditAction::SessionEnded,
        Subject::User(user.0),
        None,
        "all",
    )
    .await?;
    store.commit(tx).await?;
    Ok(())
}

/// Ends all sessions of a user, as part of a change that requires a new sign-in.
pub async fn forget(db: &impl ConnectionTrait, user: UserNumber) -> Result<(), RecordsError> {
    sessions::Entity::delete_many().filter(sessions::Column::UserNumber.eq(user.0)).exec(db).await?;
    Ok(())
}

/// Ends all sessions of a user except the one with this token.
pub async fn forget_others(
    db: &impl ConnectionTrait,
    user: UserNumber,
    kept: &Token,
) -> Result<(), RecordsError> {
    sessions::Entity::delete_many()
        .filter(sessions::Column::UserNumber.eq(user.0))
        .filter(sessions::Column::IdHash.ne(kept.hash()))
        .exec(db)
        .await?;
    Ok(())
}
