//! Passwords: Argon2id, at least 19 MiB for each try.

use crate::error::RecordsError;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use policy::form::Problem;
use policy::password;
use std::sync::LazyLock;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

/// How many passwords are looked at together: each takes a core and 19 MiB.
const TOGETHER: usize = 2;
static TURNS: Semaphore = Semaphore::const_new(TOGETHER);
/// Looked at when there is no such account, so that it takes as long as one that there is.
static NOBODYS: LazyLock<String> = LazyLock::new(|| {
    Argon2::default().hash_password(b"nobody's").map(|hash| hash.to_string()).unwrap_or_default()
});
/// What is guessed sooner than so many tries, as a power of ten, is no password.
const FEWEST_GUESSES: f64 = 9.0;

/// Refuses a password that is too short or soon guessed. `known` is what everybody knows of its owner.
pub(super) fn check(new: &str, known: &[&str]) -> Result<(), Problem> {
    password::check(new)?;
    let guesses = zxcvbn::zxcvbn(new, known).guesses_log10();
    if guesses < FEWEST_GUESSES { Err(Problem::PasswordGuessable) } else { Ok(()) }
}

/// The hash of a password, with a salt of its own.
pub(super) async fn hash(password: Zeroizing<String>) -> Result<String, RecordsError> {
    let _turn = TURNS.acquire().await.map_err(|_| RecordsError::Corrupt("turn"))?;
    let hash = spawn_blocking(move || {
        Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())
    });
    hash.await.ok().and_then(Result::ok).ok_or(RecordsError::Corrupt("password"))
}

/// Whether a password is the one of a hash. Without a hash it is not, and that takes as long.
pub(crate) async fn is_right(password: Zeroizing<String>, hash: Option<String>) -> bool {
    let Ok(_turn) = TURNS.acquire().await else { return false };
    let looked = spawn_blocking(move || {
        let is_somebodys = hash.is_some();
        // Made at the first try, whoever that is about: otherwise the first name that is nobody's would take twice as long.
        let nobodys = &*NOBODYS;
        let hash = hash.unwrap_or_else(|| nobodys.clone());
        let is_it = PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        is_it && is_somebodys
    });
    looked.await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_guessed_first_is_refused() {
        for guessable in
            ["password1234", "qwertyuiop12", "aaaaaaaaaaaaaaaa", "librarylibrary", "oliver.twist1"]
        {
            let refused = check(guessable, &["oliver.twist", "Oliver", "Twist", "library"]);
            assert!(refused.is_err(), "{guessable}");
        }
        assert_eq!(check("correct horse battery staple", &[]), Ok(()));
        assert_eq!(check("plum tractor seventeen", &["ng"]), Ok(()));
    }

    #[tokio::test]
    async fn only_the_right_password_opens() {
        let text = |text: &str| Zeroizing::new(text.to_owned());
        let hash = hash(text("plum tractor seventeen")).await.expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,"), "{hash}");
        assert!(is_right(text("plum tractor seventeen"), Some(hash.clone())).await);
        assert!(!is_right(text("plum tractor seventeem"), Some(hash)).await);
        assert!(!is_right(text("nobody's"), None).await);
        assert!(!is_right(text("x"), Some("no hash".to_owned())).await);
    }
}
