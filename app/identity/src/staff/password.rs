//! Password hashing: Argon2id with 19 MiB for each hash.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use db::RecordsError;
use std::sync::{Arc, LazyLock};
use std::thread::available_parallelism;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::task::spawn_blocking;
use trail::Store;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// Maximum number of concurrent hashes, regardless of the number of cores. Each takes a core and 19 MiB.
const MAX_AT_ONCE: usize = 4;
/// Half of the cores hash passwords, the other half answers requests.
static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let cores = available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new((cores / 2).clamp(1, MAX_AT_ONCE)))
});
/// Maximum number of unknown callers that are waiting or hashing. Further ones are rejected at once.
const MAX_WAITING_UNKNOWN: usize = 32;
/// Maximum number of known callers that are waiting or hashing.
const MAX_WAITING_KNOWN: usize = 48;
/// Hash to verify against when the account does not exist, so that both responses take the same time.
static DUMMY_HASH: LazyLock<String> = LazyLock::new(|| {
    Argon2::default().hash_password(b"nobody's").map(|hash| hash.to_string()).unwrap_or_default()
});

/// The caller who requests a password hash. Each kind has a separate queue, so that strangers can't block the
/// others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Caller {
    /// Signed in, invited, or using a device or network from which the account has signed in before.
    Known,
    /// Any other caller.
    Unknown,
}

/// The queues of callers that wait for a hash.
#[derive(Debug)]
pub struct HashQueue {
    known: Semaphore,
    unknown: Semaphore,
}

impl Default for HashQueue {
    fn default() -> Self {
        Self { known: Semaphore::new(MAX_WAITING_KNOWN), unknown: Semaphore::new(MAX_WAITING_UNKNOWN) }
    }
}

/// Returns the queue of this process.
pub fn hash_queue(store: &Store) -> Arc<HashQueue> {
    store.process_state()
}

impl HashQueue {
    /// Returns a permit of the queue, or `Busy` at once if it is full.
    fn permit(&self, caller: Caller) -> Result<SemaphorePermit<'_>, RecordsError> {
        let permits = match caller {
            Caller::Known => &self.known,
            Caller::Unknown => &self.unknown,
        };
        permits.try_acquire().map_err(|_| RecordsError::Busy)
    }

    /// Returns the hash of a password with a random salt.
    pub async fn hash(&self, caller: Caller, password: Zeroizing<String>) -> Result<String, RecordsError> {
        let _permit = self.permit(caller)?;
        let turn = turn().await?;
        let hash = spawn_blocking(move || {
            let hash = Argon2::default().hash_password(opaque(&password).as_bytes());
            drop(turn);
            hash.map(|hash| hash.to_string())
        });
        hash.await.ok().and_then(Result::ok).ok_or(RecordsError::Corrupt("password"))
    }

    /// Returns whether a password matches a hash. Without a hash, returns false after the same time.
    pub(crate) async fn is_right(
        &self,
        caller: Caller,
        password: Zeroizing<String>,
        hash: Option<String>,
    ) -> Result<bool, RecordsError> {
        let _permit = self.permit(caller)?;
        let turn = turn().await?;
        let checked = spawn_blocking(move || {
            let is_somebodys = hash.is_some();
            // Computed at the first check of any account. Otherwise the first unknown name would take twice as
            // long.
            let dummy = &*DUMMY_HASH;
            let hash = hash.unwrap_or_else(|| dummy.clone());
            let password = opaque(&password);
            let is_it = PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
            drop(turn);
            is_it && is_somebodys
        });
        Ok(checked.await.unwrap_or(false))
    }
}

/// Waits for a permit to hash. The hashing task owns it, so a caller that disconnects doesn't free a core early.
async fn turn() -> Result<OwnedSemaphorePermit, RecordsError> {
    TURNS.clone().acquire_owned().await.map_err(|_| RecordsError::Corrupt("turn"))
}

/// Normalises a password before hashing and comparison: ASCII spaces and normalization form C (RFC 8265,
/// `OpaqueString`).
///
/// The result doesn't depend on how a keyboard composes characters.
pub(super) fn opaque(password: &str) -> Zeroizing<String> {
    let spaced = password.chars().map(|char| if is_space(char) { ' ' } else { char });
    Zeroizing::new(spaced.nfc().collect())
}

/// Returns whether a character is a space separator (Unicode category Zs).
const fn is_space(char: char) -> bool {
    matches!(
        char,
        ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[tokio::test]
    async fn only_the_right_password_opens() {
        let queue = HashQueue::default();
        let right = "plum tractor seventeen";
        let hash = queue.hash(Caller::Known, text(right)).await.expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,"), "{hash}");
        for (typed, hash, is_right) in [
            (right, Some(hash.clone()), true),
            ("plum tractor seventeem", Some(hash), false),
            ("nobody's", None, false),
            ("x", Some("no hash".to_owned()), false),
        ] {
            let checked = queue.is_right(Caller::Unknown, text(typed), hash).await;
            assert_eq!(checked.expect("a place"), is_right, "{typed}");
        }
    }

    #[tokio::test]
    async fn a_password_is_the_same_however_its_characters_are_composed() {
        let queue = HashQueue::default();
        let composed = "gr\u{f6}\u{df}ere B\u{e4}renh\u{f6}hle fr\u{fc}h";
        let hash = queue.hash(Caller::Known, text(composed)).await.expect("a hash");
        for (typed, is_right) in [
            ("gro\u{308}\u{df}ere Ba\u{308}renho\u{308}hle fru\u{308}h", true),
            ("gr\u{f6}\u{df}ere\u{a0}B\u{e4}renh\u{f6}hle\u{3000}fr\u{fc}h", true),
            ("gro\u{df}ere Barenhohle fruh", false),
            ("GR\u{d6}\u{df}ere B\u{e4}renh\u{f6}hle fr\u{fc}h", false),
        ] {
            let checked = queue.is_right(Caller::Known, text(typed), Some(hash.clone())).await;
            assert_eq!(checked.expect("a place"), is_right, "{typed}");
        }
        let decomposed =
            queue.hash(Caller::Known, text("a\u{30a}ngstro\u{308}m am Fluss")).await.expect("a hash");
        let checked =
            queue.is_right(Caller::Known, text("\u{212b}ngstr\u{f6}m am Fluss"), Some(decomposed.clone()));
        assert!(!checked.await.expect("a place"), "upper case is another character");
        let checked = queue.is_right(Caller::Known, text("\u{e5}ngstr\u{f6}m am Fluss"), Some(decomposed));
        assert!(checked.await.expect("a place"));
    }

    #[tokio::test]
    async fn a_caller_without_a_permit_is_refused_at_once() {
        let queue = Arc::new(HashQueue::default());
        let turns = TURNS.clone().acquire_many_owned(u32::try_from(TURNS.available_permits()).expect("few"));
        let turns = turns.await.expect("all turns");
        let waiting: Vec<_> = (0..MAX_WAITING_UNKNOWN)
            .map(|_| {
                let queue = queue.clone();
                tokio::spawn(async move { queue.is_right(Caller::Unknown, text("x"), None).await })
            })
            .collect();
        while queue.unknown.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = queue.is_right(Caller::Unknown, text("x"), None).await;
        assert!(matches!(refused, Err(RecordsError::Busy)), "{refused:?}");
        assert!(queue.permit(Caller::Known).is_ok(), "known callers get permits");
        drop(turns);
        for one in waiting {
            assert!(!one.await.expect("a task").expect("a turn"));
        }
        assert_eq!(queue.unknown.available_permits(), MAX_WAITING_UNKNOWN);
    }
}
