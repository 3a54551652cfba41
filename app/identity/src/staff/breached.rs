//! Passwords from known data breaches. `breached/make.py` creates the filter and states its source and licence.

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A Bloom filter of 1.4 million passwords, with one false positive in 300.
static FILTER: &[u8] = include_bytes!("breached/passwords.bloom");
/// Number of bits that a password sets, each from three bytes of its digest.
const BITS_PER_PASSWORD: usize = 8;

/// Returns whether a password is known from a breach, ignoring case, spaces and punctuation.
pub(super) fn is_breached(password: &str) -> bool {
    let digest = Sha256::digest(folded(password).as_bytes());
    digest.chunks_exact(3).take(BITS_PER_PASSWORD).all(|group| {
        let bit = group.iter().fold(0_usize, |bit, byte| bit << 8 | usize::from(*byte));
        FILTER.get(bit >> 3).is_some_and(|byte| byte >> (bit & 7) & 1 == 1)
    })
}

/// Returns the letters and digits of a password in lower case, since attackers vary the rest last.
pub(super) fn folded(password: &str) -> Zeroizing<String> {
    Zeroizing::new(password.to_lowercase().chars().filter(|char| char.is_alphanumeric()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_breaches_are_found_in_every_spelling() {
        for breached in [
            "correct horse battery staple",
            "CorrectHorseBatteryStaple",
            "Correct-Horse-Battery-Staple!",
            "qwertyuiop123",
            "1234567890123",
            "password12345",
            "letmeinletmein",
        ] {
            assert!(is_breached(breached), "{breached}");
        }
        for other in ["plum tractor seventeen", "another tractor eighteen", "Fräulein Öl am Wehr", ""] {
            assert!(!is_breached(other), "{other}");
        }
    }

    #[test]
    fn few_others_are_taken_for_one() {
        let taken = (0..10_000).filter(|number| is_breached(&format!("xq{number}zvwk{number}jp"))).count();
        assert!(taken < 60, "{taken} of 10,000");
    }
}
