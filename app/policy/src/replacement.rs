//! The name that an anonymised person gets instead: random, carrying nothing of the person.

/// Letters and digits that cannot be mistaken for one another (no 0, 1, I, L, O, U).
pub const ALPHABET: &[u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";

/// How many random characters the replacement carries: 30⁶ is about 729 million.
pub const LENGTH: usize = 6;

/// What every replacement begins with.
pub const PREFIX: &str = "Anonymised user ";

/// Makes `Anonymised user 7F3KQ2` from random numbers. `random` gives a number below its argument,
/// from a cryptographically secure source: the label must not be guessable from anything old.
pub fn replacement(mut random: impl FnMut(usize) -> usize) -> String {
    let code = (0..LENGTH).map(|_| char::from(ALPHABET[random(ALPHABET.len()) % ALPHABET.len()]));
    PREFIX.chars().chain(code).collect()
}

/// Whether a text has the form of a replacement. Such a name may not be given to a person by hand.
pub fn is_replacement(text: &str) -> bool {
    text.strip_prefix(PREFIX)
        .is_some_and(|code| code.len() == LENGTH && code.bytes().all(|byte| ALPHABET.contains(&byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacements_have_the_form_and_nothing_else() {
        let mut next = 0;
        let label = replacement(|below| {
            next += 7;
            next % below
        });
        assert!(is_replacement(&label), "{label}");
        assert_eq!(label.len(), PREFIX.len() + LENGTH);
        for text in ["Anonymised user", "Anonymised user 7F3KQ", "Anonymised user 7F3KQO", "x"] {
            assert!(!is_replacement(text), "{text}");
        }
    }
}
