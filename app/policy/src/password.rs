//! What a password must be like. By length and by how soon it would be guessed; nothing about signs and digits, and it
//! never expires by itself (OWASP ASVS 5.0, 6.2).

use crate::form::Problem;

/// The fewest characters of a password.
pub const SHORTEST: usize = 12;
/// The most characters of a password. Any character is allowed, spaces too.
pub const LONGEST: usize = 128;

/// What can be said of a new password without knowing what is guessed first.
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
    fn the_length_counts_and_nothing_else() {
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
