//! The replacement name of an anonymised user: random and unrelated to the user.

/// Letters and digits without similar-looking ones (no 0, 1, I, L, O, U).
pub const ALPHABET: &[u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Number of random characters in a replacement: 30⁶ is about 729 million.
pub const LENGTH: usize = 6;

/// Prefix of every replacement.
pub const PREFIX: &str = "Anonymised user ";

/// Returns a replacement such as `Anonymised user 7F3KQ2`.
///
/// `random` must return a number below its argument from a cryptographically secure source, so that the name can't
/// be guessed from old values.
pub fn replacement(mut random: impl FnMut(usize) -> usize) -> String {
    let code = (0..LENGTH).map(|_| char::from(ALPHABET[random(ALPHABET.len()) % ALPHABET.len()]));
    PREFIX.chars().chain(code).collect()
}

/// Returns whether a text has the form of a replacement. Staff can't enter such a name.
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
