//! The state of an OIDC sign-in, kept while the browser is at the identity provider.
//!
//! The state is in an encrypted cookie. The response is therefore accepted only in the same browser, once and
//! within ten minutes.

use super::Session;
use chrono::{DateTime, TimeDelta, Utc};
use db::{Clock, RecordsError};
use policy::UserNumber;
use serde::{Deserialize, Serialize};
use trail::Store;
use trail::secret_box::SecretBox;

/// Label of the derived encryption key.
const LABEL: &[u8] = b"lethe login state 1";
/// The state isn't bound to a user before the sign-in completes.
const NO_USER: i64 = 0;
/// Maximum duration.
const MAX_AGE: TimeDelta = TimeDelta::minutes(10);
/// Prefix of the encrypted token in the URL that starts linking an account. It proves that the account page made
/// the URL.
const CONNECTING: &str = "connect ";

/// Why the browser goes to the identity provider.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Purpose {
    /// To sign in.
    SignIn,
    /// To sign in again as this user.
    Reauthenticate(UserNumber),
    /// To sign in again as this user, in order to change sign-in methods.
    ChangeSignIn(UserNumber),
    /// To link this user to an account there.
    Connect(UserNumber),
}

/// The state that the response must match.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LoginState {
    /// The reason.
    pub purpose: Purpose,
    /// The value that the response must repeat.
    pub state: String,
    /// The value that the signed token must repeat.
    pub nonce: String,
    /// The PKCE verifier for the code in the response.
    pub verifier: String,
    /// The page to open afterwards.
    pub page: String,
    /// When it started.
    pub begun_at: DateTime<Utc>,
}

impl LoginState {
    /// Encrypts the state for the browser's cookie.
    pub async fn seal(&self, store: &Store) -> Result<String, RecordsError> {
        let open = serde_json::to_vec(self).map_err(|_| RecordsError::Corrupt("login state"))?;
        SecretBox::for_purpose(&store.key, LABEL).await?.seal(NO_USER, &open)
    }

    /// Decrypts the state from the cookie. Returns `None` if it is invalid or expired.
    pub async fn open(store: &Store, sealed: &str) -> Result<Option<Self>, RecordsError> {
        let opened = SecretBox::for_purpose(&store.key, LABEL).await?.open(NO_USER, sealed).ok();
        let login_state: Option<Self> = opened.and_then(|open| serde_json::from_slice(&open).ok());
        Ok(login_state.filter(|login_state| is_young(login_state.begun_at)))
    }
}

fn is_young(at: DateTime<Utc>) -> bool {
    let age = Clock::system_now() - at;
    (TimeDelta::zero()..MAX_AGE).contains(&age)
}

impl Session {
    /// Returns a token for the URL that starts linking an account. Other sites can't create it.
    pub fn connecting(&self) -> Result<String, RecordsError> {
        self.seal(&format!("{CONNECTING}{}", Clock::system_now().to_rfc3339()))
    }

    /// Returns whether a token is valid, recent and made for this member of staff.
    pub fn is_connecting(&self, sealed: &str) -> bool {
        let opened = self.open(sealed);
        let at = opened.as_deref().and_then(|text| text.strip_prefix(CONNECTING));
        at.and_then(|at| at.parse().ok()).is_some_and(is_young)
    }
}
