//! Sessions: who is signed in, since when, and how far the sign-in has come.
//!
//! The key of a session is in the browser's cookie only; the database has its hash. A session gets a new key whenever
//! somebody has proven more about themselves. Times are by the computer's clock.

mod codes;
mod device;
mod live;
mod once;
mod proof;
mod provider;
mod purge;
mod sought;
mod time;
mod token;
mod trip;

pub use codes::MAX_WRONG_CODES;
pub(crate) use codes::forget_wrong_codes;
pub use device::{DEVICE_DAYS, device_of, remember_device};
pub use live::{Listed, end, end_all_of, end_one, find, form_token, has_app, list, look};
pub(crate) use live::{forget, forget_others};
pub use once::{Begun, FormOnce};
pub(crate) use proof::must_be_confirmed;
pub use proof::{
    Again, AgainFor, again, change_password, has_password, may_change_sign_in, second_factor, sign_in,
};
pub(crate) use proof::{Shown, failed, renew};
pub use provider::{Identity, connect, disconnect, is_connected, sign_in_by_provider};
pub use purge::purge;
pub use time::{Remaining, remaining};
pub use token::Token;
pub(crate) use token::digest;
pub use trip::{Purpose, Trip};

use crate::actor::Actor;
use crate::audit::{self, Deed, Subject};
use crate::clock::Clock;
use crate::entity::sessions;
use crate::error::RecordsError;
use crate::sealed::Sealer;
use crate::staff::roles_of;
use crate::store::Store;
use chrono::{DateTime, Utc};
use policy::{Roles, UserNumber};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, Set};

/// How far a sign-in has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// The password was right; a code of the authenticator app is asked for.
    SecondFactor,
    /// The password was right; an authenticator app has to be set up.
    SetUp,
    /// Signed in.
    Whole,
}

/// The codes that are stored: by what a sign-in has begun until it is whole. Whether a second factor is to be set up
/// follows from whether there is one.
const AFTER_PASSWORD: &str = "password";
const AFTER_PROVIDER: &str = "provider";
const WHOLE: &str = "whole";
/// Whole without a second factor. Whether that is enough is asked anew each time: settings change.
const ALONE: &str = "alone";

/// Somebody's session.
#[derive(Clone, Debug)]
pub struct Session {
    /// The hash under which it is stored.
    pub(crate) id: String,
    /// Whose it is.
    pub user: UserNumber,
    /// Their roles.
    pub roles: Roles,
    /// How far the sign-in has come.
    pub stage: Stage,
    /// By what it has begun, until it is whole.
    pub(crate) first: &'static str,
    /// When they last showed all of who they are.
    pub(crate) signed_in_at: DateTime<Utc>,
    /// When they last showed all of who they are to change what they sign in with, in this session.
    pub(crate) confirmed_at: Option<DateTime<Utc>>,
    /// When it ends if nothing is asked for any more.
    pub ends_at: DateTime<Utc>,
    /// When it ends whatever is asked for.
    ends_in_any_case_at: DateTime<Utc>,
    /// What every form of this session carries, to show that it was made for it.
    pub form_token: String,
    /// What seals texts for addresses.
    sealer: Sealer,
}

impl Session {
    /// Who acts in this session: nobody before the sign-in is whole.
    pub fn actor(&self) -> Actor {
        match self.stage {
            Stage::Whole => Actor::signed_in(self.user, self.roles, self.signed_in_at),
            Stage::SecondFactor | Stage::SetUp => Actor::nobody(),
        }
    }

    /// Whether they have shown who they are within the last minutes.
    pub fn is_fresh(&self) -> bool {
        self.whoever().is_fresh(Clock::real())
    }

    /// Who it is, to be named where the sign-in itself is noted.
    fn whoever(&self) -> Actor {
        Actor::signed_in(self.user, Roles::default(), self.signed_in_at)
    }
}

/// Writes a session under a new key. `signed_in_at` is when they showed who they are.
async fn begin(
    db: &impl ConnectionTrait,
    user: UserNumber,
    stage: &str,
    created_at: DateTime<Utc>,
    signed_in_at: DateTime<Utc>,
) -> Result<Token, RecordsError> {
    let token = Token::random();
    sessions::ActiveModel {
        id_hash: Set(token.hash()),
        user_number: Set(user.0),
        created_at: Set(created_at),
        last_seen_at: Set(Clock::real()),
        stage: Set(stage.to_owned()),
        signed_in_at: Set(Some(signed_in_at)),
        ..Default::default()
    }
    .insert(db)
    .await?;
    Ok(token)
}

/// By what somebody has shown who they are, and when.
pub(crate) struct Proof {
    /// The first step, as it is stored and noted.
    pub(crate) first: &'static str,
    /// Whether that proved a second factor, too.
    pub(crate) has_second_factor: bool,
    /// When they showed it.
    pub(crate) shown_at: DateTime<Utc>,
}

impl Proof {
    /// A password, of this moment.
    pub(crate) fn password() -> Self {
        Self { first: AFTER_PASSWORD, has_second_factor: false, shown_at: Clock::real() }
    }
}

/// Begins the session of somebody who has shown who they are: its key, and how far it has come. The caller has locked the
/// user and looked again at what was shown: roles and accounts change while a password is looked at. None for somebody
/// without a role.
pub(crate) async fn begin_proven(
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
        Stage::Whole
    } else {
        stage_of(store, proof.first, roles, live::has_app_within(tx, user).await?)
    };
    let stored = match stage {
        Stage::Whole if proof.has_second_factor => WHOLE,
        Stage::Whole => ALONE,
        Stage::SecondFactor | Stage::SetUp => proof.first,
    };
    let token = begin(tx, user, stored, Clock::real(), proof.shown_at).await?;
    if stage == Stage::Whole {
        let means = if proof.has_second_factor { with_code(proof.first) } else { proof.first.to_owned() };
        note(tx, store, user, Deed::SignedIn, &means).await?;
    }
    Ok(Some((token, stage)))
}

/// A first step and a code after it, as a sign-in is noted.
pub(crate) fn with_code(first: &str) -> String {
    format!("{first},code")
}

/// What a stored stage comes to. Whoever has an authenticator app is asked for it, whatever their roles.
fn stage_of(store: &Store, stored: &str, roles: Roles, has_app: bool) -> Stage {
    let is_needed = roles.need_second_factor() && !store.settings.sign_in.password_alone;
    match (stored == WHOLE, has_app, is_needed) {
        (true, ..) | (false, false, false) => Stage::Whole,
        (false, true, _) => Stage::SecondFactor,
        (false, false, true) => Stage::SetUp,
    }
}

/// Whether a session has not ended meanwhile.
async fn is_there(db: &impl ConnectionTrait, session: &Session) -> Result<bool, RecordsError> {
    Ok(sessions::Entity::find_by_id(&session.id).one(db).await?.is_some())
}

/// Notes what somebody has done about their own sign-in.
async fn note(
    tx: &sea_orm::DatabaseTransaction,
    store: &Store,
    user: UserNumber,
    deed: Deed,
    detail: &str,
) -> Result<(), RecordsError> {
    let actor = Actor::signed_in(user, Roles::default(), Clock::real());
    Ok(audit::note(tx, &store.clock, actor, deed, Subject::User(user.0), None, detail).await?)
}
