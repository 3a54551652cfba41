//! Sessions of members of staff: their stage, lifetime and token.
//!
//! The token of a session is stored only in the browser's cookie; the database stores its hash. A session gets a
//! new token whenever its owner proves another factor. All times are system times.

mod browser;
mod codes;
mod device;
mod failure;
mod lifecycle;
mod login_state;
mod once;
mod proof;
mod provider;
mod purge;
mod second_factor;
mod time;
mod token;
mod url_cipher;

pub use browser::browser_of;
pub use codes::MAX_WRONG_CODES;
pub use device::{DEVICE_DAYS, device_of, remember_device};
pub(crate) use failure::record_failed_sign_in;
pub use lifecycle::{
    SessionSummary, end, end_all_of, end_one, forget, forget_others, form_token, has_app, list, load,
    load_and_touch, remember_browser,
};
pub use login_state::{LoginState, Purpose};
pub use once::{FormClaim, FormOnce};
pub(crate) use proof::must_be_confirmed;
pub use proof::{
    Again, AgainFor, again, change_password, has_password, may_change_sign_in, second_factor, sign_in,
};
pub(crate) use proof::{AuthFactor, renew};
pub use provider::{Identity, connect, disconnect, is_connected, sign_in_by_provider};
pub use purge::purge;
pub use second_factor::{Setup, begin_setup, confirm_setup};
pub use time::{Remaining, remaining};
pub use token::{Token, digest};

use chrono::{DateTime, Utc};
use db::entity::sessions;
use db::{Clock, RecordsError};
use policy::account::StoredStage;
use policy::{Roles, UserNumber};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, Set};
use trail::audit::{self, AuditAction, Subject};
use trail::roles::roles_of;
use trail::secret_box::SecretBox;
use trail::{Actor, Store};

/// The stage of a sign-in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// The password was correct. A code of the authenticator app is required.
    SecondFactor,
    /// The password was correct. The user must set up an authenticator app.
    SetUp,
    /// Signed in.
    SignedIn,
}

/// The session of a member of staff.
#[derive(Clone, Debug)]
pub struct Session {
    /// Hash of its token, the primary key.
    pub id: String,
    /// The owner.
    pub user: UserNumber,
    /// The owner's roles.
    pub roles: Roles,
    /// The stage of the sign-in.
    pub stage: Stage,
    /// The first step of the sign-in, while it is incomplete.
    pub(crate) first: StoredStage,
    /// When the owner last completed a sign-in.
    pub(crate) signed_in_at: DateTime<Utc>,
    /// When the owner last confirmed, in this session, a change of sign-in methods.
    pub(crate) confirmed_at: Option<DateTime<Utc>>,
    /// The browser, once a request has named it.
    pub browser: Option<String>,
    /// When it ends without further requests.
    pub ends_at: DateTime<Utc>,
    /// When it ends at the latest.
    ends_in_any_case_at: DateTime<Utc>,
    /// The CSRF token of every form in this session.
    pub form_token: String,
    /// Encrypts texts for URLs.
    sealer: SecretBox,
}

impl Session {
    /// Returns the actor of this session. It has no permissions until the sign-in is complete.
    pub fn actor(&self) -> Actor {
        match self.stage {
            Stage::SignedIn => Actor::signed_in(self.user, self.roles, self.signed_in_at),
            Stage::SecondFactor | Stage::SetUp => Actor::without_session(),
        }
    }

    /// Returns whether the owner has signed in within the last few minutes.
    pub fn is_fresh(&self) -> bool {
        self.attribution().is_fresh(Clock::system_now())
    }

    /// Returns an actor without permissions, to attribute audit events about the sign-in itself.
    fn attribution(&self) -> Actor {
        Actor::signed_in(self.user, Roles::default(), self.signed_in_at)
    }
}

/// Stores a session under a new token. `signed_in_at` is the time of the proof.
async fn begin(
    db: &impl ConnectionTrait,
    user: UserNumber,
    stage: StoredStage,
    created_at: DateTime<Utc>,
    signed_in_at: DateTime<Utc>,
) -> Result<Token, RecordsError> {
    let token = Token::random();
    sessions::ActiveModel {
        id_hash: Set(token.hash()),
        user_number: Set(user.0),
        created_at: Set(created_at),
        last_seen_at: Set(Clock::system_now()),
        stage: Set(stage),
        signed_in_at: Set(signed_in_at),
        ..Default::default()
    }
    .insert(db)
    .await?;
    Ok(token)
}

/// The proof of identity that starts a session.
pub struct Proof {
    /// The first step, as stored and recorded in the audit.
    pub(crate) first: StoredStage,
    /// Whether it included a second factor.
    pub(crate) has_second_factor: bool,
    /// When it was given.
    pub(crate) shown_at: DateTime<Utc>,
}

impl Proof {
    /// Returns the proof of a password entered now.
    pub fn password() -> Self {
        Self { first: StoredStage::AfterPassword, has_second_factor: false, shown_at: Clock::system_now() }
    }
}

/// Starts the session of a user whose proof was accepted. Returns its token and stage, or `None` if the user has
/// no role.
///
/// The caller has locked the user and rechecked the proof, because roles and accounts can change during password
/// hashing.
pub async fn begin_proven(
    tx: &sea_orm::DatabaseTransaction,
    store: &Store,
    user: UserNumber,
    proof: &Proof,
) -> Result<Option<(Token, Stage)>, RecordsError> {
    let roles = roles_of(tx, user).await?;
    if roles.is_empty() {
        return Ok(None);
    }
    let stage = if proof.has_second_factor {
        Stage::SignedIn
    } else {
        stage_of(store, proof.first, roles, lifecycle::has_app_within(tx, user).await?)
    };
    let stored = match stage {
        Stage::SignedIn if proof.has_second_factor => StoredStage::Complete,
        Stage::SignedIn => StoredStage::CompleteWithoutSecondFactor,
        Stage::SecondFactor | Stage::SetUp => proof.first,
    };
    let token = begin(tx, user, stored, Clock::system_now(), proof.shown_at).await?;
    if stage == Stage::SignedIn {
        let means =
            if proof.has_second_factor { with_code(proof.first) } else { proof.first.code().to_owned() };
        record(tx, store, user, AuditAction::SignedIn, &means).await?;
    }
    Ok(Some((token, stage)))
}

/// Returns the audit code for a first step followed by a code.
pub(crate) fn with_code(first: StoredStage) -> String {
    format!("{},code", first.code())
}

/// Derives the stage from the stored stage. A user with an authenticator app must use it, regardless of roles.
fn stage_of(store: &Store, stored: StoredStage, roles: Roles, has_app: bool) -> Stage {
    let is_needed = roles.need_second_factor() && !store.settings.sign_in.allow_password_only;
    match (stored == StoredStage::Complete, has_app, is_needed) {
        (true, ..) | (false, false, false) => Stage::SignedIn,
        (false, true, _) => Stage::SecondFactor,
        (false, false, true) => Stage::SetUp,
    }
}

/// Returns whether the session still exists.
async fn is_there(db: &impl ConnectionTrait, session: &Session) -> Result<bool, RecordsError> {
    Ok(sessions::Entity::find_by_id(&session.id).one(db).await?.is_some())
}

/// Records an audit event about the user's own sign-in.
async fn record(
    tx: &sea_orm::DatabaseTransaction,
    store: &Store,
    user: UserNumber,
    action: AuditAction,
    detail: &str,
) -> Result<(), RecordsError> {
    let actor = Actor::signed_in(user, Roles::default(), Clock::system_now());
    Ok(audit::record_event(tx, &store.clock, actor, action, Subject::User(user.0), None, detail).await?)
}
