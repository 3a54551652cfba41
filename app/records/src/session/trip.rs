//! A trip to an identity provider and back. What has to be known when somebody comes back is in a cookie of the browser
//! that went, sealed: so an answer counts in that browser only, once its code is used up, and for ten minutes.

use super::Session;
use crate::clock::Clock;
use crate::error::RecordsError;
use crate::sealed::Sealer;
use crate::store::Store;
use chrono::{DateTime, TimeDelta, Utc};
use policy::UserNumber;
use serde::{Deserialize, Serialize};

/// What the sealing key is derived for.
const LABEL: &[u8] = b"lethe trip to a provider 1";
/// Trips are nobody's before they come to an end.
const NOBODY: i64 = 0;
/// How long one may take.
const LONGEST: TimeDelta = TimeDelta::minutes(10);
/// What is sealed into the address that begins to connect: that the page of one's own account has made it.
const CONNECTING: &str = "connect ";

/// What somebody goes to an identity provider for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Purpose {
    /// To sign in.
    SignIn,
    /// To show again that it is this user.
    Again(UserNumber),
    /// To show again that it is this user, to change what they sign in with.
    ChangeSignIn(UserNumber),
    /// To connect this user with their account there.
    Connect(UserNumber),
}

/// What is known of a trip when somebody comes back.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Trip {
    /// What for.
    pub purpose: Purpose,
    /// What the answer has to repeat.
    pub state: String,
    /// What the signed token has to repeat.
    pub nonce: String,
    /// What the code of the answer can be used with, and with nothing else (PKCE).
    pub verifier: String,
    /// The page to go to afterwards.
    pub page: String,
    /// When it began.
    pub begun_at: DateTime<Utc>,
}

impl Trip {
    /// The trip as the browser keeps it.
    pub async fn seal(&self, store: &Store) -> Result<String, RecordsError> {
        let open = serde_json::to_vec(self).map_err(|_| RecordsError::Corrupt("trip"))?;
        Sealer::of(store, LABEL).await?.seal(NOBODY, &open)
    }

    /// The trip that a browser has kept. None if it is none, or took too long.
    pub async fn open(store: &Store, sealed: &str) -> Result<Option<Self>, RecordsError> {
        let opened = Sealer::of(store, LABEL).await?.open(NOBODY, sealed).ok();
        let trip: Option<Self> = opened.and_then(|open| serde_json::from_slice(&open).ok());
        Ok(trip.filter(|trip| is_young(trip.begun_at)))
    }
}

fn is_young(at: DateTime<Utc>) -> bool {
    let age = Clock::real() - at;
    (TimeDelta::zero()..LONGEST).contains(&age)
}

impl Session {
    /// What shows, in an address, that the page of one's own account leads there and no other site.
    pub fn connecting(&self) -> Result<String, RecordsError> {
        self.seal(&format!("{CONNECTING}{}", Clock::real().to_rfc3339()))
    }

    /// Whether a text is that, of this member of staff, and young.
    pub fn is_connecting(&self, sealed: &str) -> bool {
        let opened = self.open(sealed);
        let at = opened.as_deref().and_then(|text| text.strip_prefix(CONNECTING));
        at.and_then(|at| at.parse().ok()).is_some_and(is_young)
    }
}
