//! Finding, listing and ending sessions.

use super::sought;
use super::token::digest;
use super::{Session, Stage, WHOLE, stage_of};
use crate::actor::Actor;
use crate::audit::{self, Deed, Subject};
use crate::clock::Clock;
use crate::entity::{credentials, sessions};
use crate::error::RecordsError;
use crate::staff::{Kind, roles_of};
use crate::store::Store;
use chrono::{DateTime, TimeDelta, Utc};
use policy::{Action, UserNumber};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Set,
};
use std::time::Duration;

/// How often it is written down that somebody is still there.
const TOUCH: TimeDelta = TimeDelta::seconds(60);
/// How long somebody may take for the second factor.
const HALFWAY: TimeDelta = TimeDelta::minutes(10);
/// The form token is made from the key of the session, so that it need not be stored.
const FORM: &str = "lethe form ";

/// The session with this key, if it has not ended. Somebody whose last role is gone has none.
pub async fn find(store: &Store, key: &str) -> Result<Option<Session>, RecordsError> {
    let now = Clock::real();
    let Some(row) = sessions::Entity::find_by_id(digest("", key)).one(&store.db).await? else {
        return Ok(None);
    };
    let user = UserNumber(row.user_number);
    let roles = roles_of(&store.db, user).await?;
    let ends_at = ends_at(store, &row);
    if ends_at <= now || roles.is_empty() {
        return Ok(None);
    }
    // Whoever is signed in is asked for it on few pages only.
    let has_app = row.stage != WHOLE && has_app(store, user).await?;
    let stage = stage_of(store, &row.stage, roles, has_app);
    if now - row.last_seen_at > TOUCH {
        sessions::ActiveModel {
            id_hash: Set(row.id_hash.clone()),
            last_seen_at: Set(now),
            ..Default::default()
        }
        .update(&store.db)
        .await?;
    }
    Ok(Some(Session {
        user,
        roles,
        stage,
        signed_in_at: row.signed_in_at.unwrap_or(row.created_at),
        ends_at: if stage == Stage::Whole {
            longest(store, &row).min(now + time(store.settings.sign_in.idle))
        } else {
            ends_at
        },
        form_token: digest(FORM, key),
        sealer: sought::sealer(store).await?,
        id: row.id_hash,
    }))
}

/// Whether a user has an authenticator app.
pub async fn has_app(store: &Store, user: UserNumber) -> Result<bool, RecordsError> {
    Ok(credentials::Entity::find().filter(Kind::App.of(user)).count(&store.db).await? > 0)
}

fn time(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

fn longest(store: &Store, row: &sessions::Model) -> DateTime<Utc> {
    row.created_at + time(store.settings.sign_in.longest)
}

fn ends_at(store: &Store, row: &sessions::Model) -> DateTime<Utc> {
    if row.stage == WHOLE {
        longest(store, row).min(row.last_seen_at + time(store.settings.sign_in.idle))
    } else {
        row.created_at + HALFWAY
    }
}

/// Ends a session, by whoever has it.
pub async fn end(store: &Store, session: &Session) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    sessions::Entity::delete_by_id(&session.id).exec(&tx).await?;
    let subject = Subject::User(session.user.0);
    audit::note(&tx, &store.clock, session.whoever(), Deed::SignedOut, subject, None, "").await?;
    store.commit(tx).await?;
    Ok(())
}

/// A session as its owner sees it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// What it is ended by: the beginning of the hash, which opens nothing.
    pub id: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// The last request, to the minute.
    pub last_seen_at: DateTime<Utc>,
    /// Whether it is the one that asks.
    pub is_this: bool,
}

/// How many digits of its hash name a session.
const NAME: usize = 16;

/// The sessions of a user that have not ended, the newest first.
pub async fn list(store: &Store, session: &Session) -> Result<Vec<Listed>, RecordsError> {
    let now = Clock::real();
    let rows = sessions::Entity::find()
        .filter(sessions::Column::UserNumber.eq(session.user.0))
        .order_by_desc(sessions::Column::CreatedAt)
        .all(&store.db)
        .await?;
    let live = rows.into_iter().filter(|row| ends_at(store, row) > now);
    Ok(live
        .map(|row| Listed {
            is_this: row.id_hash == session.id,
            id: row.id_hash.chars().take(NAME).collect(),
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
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
    audit::note(&tx, &store.clock, session.whoever(), Deed::SessionEnded, subject, None, "").await?;
    store.commit(tx).await?;
    Ok(())
}

/// Ends all sessions of a user, by whoever manages staff.
pub async fn end_all_of(store: &Store, actor: Actor, user: UserNumber) -> Result<(), RecordsError> {
    actor.must(Action::ManageStaff)?;
    let tx = store.begin().await?;
    forget(&tx, user).await?;
    audit::note(&tx, &store.clock, actor, Deed::SessionEnded, Subject::User(user.0), None, "all").await?;
    store.commit(tx).await?;
    Ok(())
}

/// Ends all sessions of a user, inside a change after which they must sign in again.
pub(crate) async fn forget(db: &impl ConnectionTrait, user: UserNumber) -> Result<(), RecordsError> {
    sessions::Entity::delete_many().filter(sessions::Column::UserNumber.eq(user.0)).exec(db).await?;
    Ok(())
}
