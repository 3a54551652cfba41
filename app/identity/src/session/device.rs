//! Known devices: browsers in which an account has signed in before.
//!
//! The id of a device is in a cookie, encrypted for its user. Sign-in attempts with it have their own rate limit
//! (OWASP, device cookies).

use super::token::Token;
use chrono::{DateTime, TimeDelta, Utc};
use db::{Clock, RecordsError};
use policy::UserNumber;
use trail::Store;
use trail::secret_box::SecretBox;

/// Label of the derived encryption key.
const LABEL: &[u8] = b"lethe device 1";
/// Number of days for which a device stays known after the last sign-in.
pub const DEVICE_DAYS: i64 = 180;
/// Maximum number of users of one browser. A shared desk computer has several.
const MAX_USERS: usize = 4;
/// Separates the users in the cookie.
const SEPARATOR: char = '.';

/// Returns the new cookie of a browser in which a user has signed in. Keeps the most recent users of `before`, the
/// previous cookie.
pub async fn remember_device(store: &Store, user: UserNumber, before: &str) -> Result<String, RecordsError> {
    let sealer = SecretBox::for_purpose(&store.key, LABEL).await?;
    let (id, others) = match opened(&sealer, user, before) {
        Some((id, part)) => (id, before.split(SEPARATOR).filter(|one| *one != part).collect()),
        None => (Token::random().reveal().to_owned(), before.split(SEPARATOR).collect::<Vec<_>>()),
    };
    let this = sealer.seal(user.0, format!("{id} {}", Clock::system_now().to_rfc3339()).as_bytes())?;
    let is_sealed = |one: &&str| !one.is_empty() && one.len() <= 2 * this.len();
    let others = others.into_iter().filter(is_sealed).take(MAX_USERS - 1);
    Ok(std::iter::once(this.as_str()).chain(others).collect::<Vec<_>>().join("."))
}

/// Returns the id of the device if the user has signed in with it before.
pub async fn device_of(
    store: &Store,
    user: UserNumber,
    cookie: &str,
) -> Result<Option<String>, RecordsError> {
    let sealer = SecretBox::for_purpose(&store.key, LABEL).await?;
    Ok(opened(&sealer, user, cookie).map(|(id, _)| id))
}

/// Returns the id of the device for this user, and its part of the cookie.
fn opened<'a>(sealer: &SecretBox, user: UserNumber, cookie: &'a str) -> Option<(String, &'a str)> {
    cookie.split(SEPARATOR).take(MAX_USERS).find_map(|part| {
        let opened = sealer.open(user.0, part).ok()?;
        let (id, at) = std::str::from_utf8(&opened).ok()?.split_once(' ')?;
        let at: DateTime<Utc> = at.parse().ok()?;
        let is_young = Clock::system_now() - at < TimeDelta::days(DEVICE_DAYS);
        is_young.then(|| (id.to_owned(), part))
    })
}
