//! The requirements on a password: length and resistance to guessing.
//!
//! There are no rules on character classes, and passwords don't expire (OWASP ASVS 5.0, 6.2).

use crate::form::Problem;

/// Minimum number of characters.
pub const SHORTEST: usize = 12;
/// Maximum number of characters. All characters are allowed, including spaces.
pub const LONGEST: usize = 128;

/// Checks the length of a new password. The server additionally checks how easy it is to guess.
pub fn check(password: &str) -> Result<(), Problem> {
    let characters = password.chars().count();
    if characters == 0 {
        return Err(Problem::required("a password"));
    }
    if characters < SHORTEST {
        return Err(Problem::PasswordTooShort { min: SHORTEST });
    }
    if characters > LONGEST {
        return Err(Problem::TooLong { max: LONGEST });
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
        assert!(check(&"x".repeat(LONGEST)).is_ok());
        assert!(check(&"x".repeat(LONGEST + 1)).is_err());
    }
}
