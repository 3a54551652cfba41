//! API keys: random keys of 256 bits with which an identity system calls the API.
//!
//! The database stores the hash of a key. The key is returned once, when it is created. It belongs to the library, not
//! to the member of staff who created it, and works until it expires or is revoked.

use crate::session::{Token, digest};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use db::entity::{api_keys, users};
use db::{Clock, RecordsError};
use policy::api_key::{ApiKeyForm, validate};
use policy::{Action, ApiKeyId, ApiScope, UserNumber};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use serde::Serialize;
use std::collections::BTreeMap;
use subtle::ConstantTimeEq as _;
use trail::audit::{self, AuditAction, Subject};
use trail::person::display_name;
use trail::{Actor, Store};
use zeroize::Zeroizing;

/// The beginning of every key. Programs that search for leaked secrets recognise keys by it.
const PREFIX: &str = "lethe_";
/// The number of hexadecimal digits after the prefix.
const DIGITS: usize = 64;
/// Hash prefix of API keys, so that no other token has the same hash.
const PURPOSE: &str = "lethe api key ";
/// Maximum number of keys in the list. No library comes near it.
const MAX_LISTED: u64 = 1_000;

/// A new key.
#[derive(Debug)]
pub struct NewApiKey {
    /// The id.
    pub id: ApiKeyId,
    /// The key, to be shown once.
    pub key: Zeroizing<String>,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
}

/// The state of a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiKeyState {
    /// The key works.
    Active,
    /// The key has expired.
    Expired,
    /// The key was revoked.
    Revoked,
}

impl ApiKeyState {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Expired => "Expired",
            Self::Revoked => "Revoked",
        }
    }
}

/// A key in the list, without the key itself.
#[derive(Clone, Debug, Serialize)]
pub struct ApiKeyRow {
    /// The id.
    pub id: ApiKeyId,
    /// The name.
    pub name: String,
    /// The codes of the scopes.
    pub scopes: Vec<&'static str>,
    /// The labels of the scopes.
    #[serde(skip)]
    pub scope_labels: Vec<&'static str>,
    /// The member of staff who created it. `None` for the command line.
    pub created_by: Option<UserNumber>,
    /// The current name of that member of staff.
    pub created_by_name: Option<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
    /// The day of its last use.
    pub last_used_on: Option<NaiveDate>,
    /// The state.
    pub state: ApiKeyState,
}

fn hash(key: &str) -> String {
    digest(PURPOSE, key)
}

fn state(row: &api_keys::Model, now: DateTime<Utc>) -> ApiKeyState {
    if row.revoked_at.is_some() {
        ApiKeyState::Revoked
    } else if row.expires_at <= now {
        ApiKeyState::Expired
    } else {
        ApiKeyState::Active
    }
}

/// Creates a key.
pub async fn create(store: &Store, actor: Actor, form: &ApiKeyForm) -> Result<NewApiKey, RecordsError> {
    actor.require(Action::ManageStaff)?;
    let draft = validate(form).map_err(RecordsError::Invalid)?;
    let key = Zeroizing::new(format!("{PREFIX}{}", Token::random().reveal()));
    let now = Clock::system_now();
    let expires_at = now + TimeDelta::days(draft.days);
    let tx = store.begin().await?;
    let row = api_keys::ActiveModel {
        name: Set(draft.name),
        key_hash: Set(hash(&key)),
        scopes: Set(draft.scopes),
        created_by: Set(actor.staff.map(|staff| staff.0)),
        created_at: Set(now),
        expires_at: Set(expires_at),
        ..Default::default()
    }
    .insert(&tx)
    .await?;
    let scopes: Vec<&str> = draft.scopes.iter().map(ApiScope::code).collect();
    let detail = format!("{},days={}", scopes.join(","), draft.days);
    let subject = Subject::ApiKey(row.id);
    audit::record_event(&tx, &store.clock, actor, AuditAction::ApiKeyCreated, subject, None, &detail).await?;
    store.commit(tx).await?;
    Ok(NewApiKey { id: ApiKeyId(row.id), key, expires_at })
}

/// Returns the keys, the newest first.
pub async fn list(store: &Store, actor: Actor) -> Result<Vec<ApiKeyRow>, RecordsError> {
    actor.require_permission_to_see(Action::ManageStaff)?;
    let rows =
        api_keys::Entity::find().order_by_desc(api_keys::Column::Id).limit(MAX_LISTED).all(&store.db).await?;
    let staff = rows.iter().filter_map(|row| row.created_by);
    let staff = users::Entity::find().filter(users::Column::Number.is_in(staff)).all(&store.db).await?;
    let names: BTreeMap<i64, String> = staff.iter().map(|user| (user.number, display_name(user))).collect();
    let now = Clock::system_now();
    let row = |row: api_keys::Model| ApiKeyRow {
        id: ApiKeyId(row.id),
        scopes: row.scopes.iter().map(ApiScope::code).collect(),
        scope_labels: row.scopes.iter().map(ApiScope::label).collect(),
        created_by: row.created_by.map(UserNumber),
        created_by_name: row.created_by.and_then(|staff| names.get(&staff).cloned()),
        created_at: row.created_at,
        expires_at: row.expires_at,
        last_used_on: row.last_used_on,
        state: state(&row, now),
        name: row.name,
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Revokes a key. The next request with it is rejected. Returns false if it was already revoked.
pub async fn revoke(store: &Store, actor: Actor, id: ApiKeyId) -> Result<bool, RecordsError> {
    actor.require(Action::ManageStaff)?;
    let tx = store.begin().await?;
    let row = api_keys::Entity::find_by_id(id.0).lock_exclusive().one(&tx).await?;
    let row = row.ok_or(RecordsError::NotFound("API key"))?;
    if row.revoked_at.is_some() {
        return Ok(false);
    }
    let mut row = row.into_active_model();
    row.revoked_at = Set(Some(Clock::system_now()));
    row.update(&tx).await?;
    let subject = Subject::ApiKey(id.0);
    audit::record_event(&tx, &store.clock, actor, AuditAction::ApiKeyRevoked, subject, None, "").await?;
    store.commit(tx).await?;
    Ok(true)
}

/// Returns the actor of a key. `None` for a text that is no key, and for an unknown, expired or revoked key.
pub async fn actor_of(store: &Store, key: &str) -> Result<Option<Actor>, RecordsError> {
    let digits = key.strip_prefix(PREFIX).unwrap_or_default();
    if digits.len() != DIGITS || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(None);
    }
    let hash = hash(key);
    let row = api_keys::Entity::find().filter(api_keys::Column::KeyHash.eq(&hash)).one(&store.db).await?;
    // The time that the index takes depends on the hash, from which a caller learns nothing about other keys.
    let row = row.filter(|row| row.key_hash.as_bytes().ct_eq(hash.as_bytes()).into());
    let Some(row) = row.filter(|row| state(row, Clock::system_now()) == ApiKeyState::Active) else {
        return Ok(None);
    };
    note_use(store, &row).await;
    Ok(Some(Actor::of_api_key(ApiKeyId(row.id), row.scopes)))
}

/// Stores the day of the last use. A request works without it, for example while the disk is full.
async fn note_use(store: &Store, row: &api_keys::Model) {
    let today = store.clock.today();
    if row.last_used_on == Some(today) {
        return;
    }
    let other_day = Condition::any()
        .add(api_keys::Column::LastUsedOn.is_null())
        .add(api_keys::Column::LastUsedOn.ne(today));
    let noted = api_keys::Entity::update_many()
        .set(api_keys::ActiveModel { last_used_on: Set(Some(today)), ..Default::default() })
        .filter(api_keys::Column::Id.eq(row.id))
        .filter(other_day)
        .exec(&store.db)
        .await;
    if let Err(error) = noted {
        tracing::warn!(code = RecordsError::from(error).code(), "the use of an API key could not be stored");
    }
}
