//! The requirements on a password: length and resistance to guessing.
//!
//! There are no rules on character classes, and passwords don't expire (OWASP ASVS 5.0, 6.2).

use crate::form::Problem;

/// Minimum number of characters.
pub const MIN_CHARACTERS: usize = 12;
/// Maximum number of characters. All characters are allowed, including spaces.
pub const MAX_CHARACTERS: usize = 128;

/// Checks the length of a new password. The server additionally checks how easy it is to guess.
pub fn check(password: &str) -> Result<(), Problem> {
    let characters = password.chars().count();
    if characters == 0 {
        return Err(Problem::required("a password"));
    }
    if characters < MIN_CHARACTERS {
        return Err(Problem::PasswordTooShort { min: MIN_CHARACTERS });
    }
    if characters > MAX_CHARACTERS {
        return Err(Problem::TooLong { max: MAX_CHARACTERS });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_length_is_checked() {
        for (password, is_right) in [
            ("", false),
            ("elevenchars", false),
            ("twelve chars", true),
            ("ÄÖÜäöüßéèêëñ", true),
            ("            ", true),
        ] {
            assert_eq!(check(password).is_ok(), is_right, "{password}");
        }
        assert!(check(&"x".repeat(MAX_CHARACTERS)).is_ok());
        assert!(check(&"x".repeat(MAX_CHARACTERS + 1)).is_err());
    }
}
