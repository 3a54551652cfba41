//! User numbers as Lethe itself writes them, in pasted texts.

use crate::UserNumber;

/// Signs that mail programs, spreadsheets and people put around a number.
const SIGNS: &str = "\"'()[]<>.,;:*";
/// Words before a number.
const WORDS: [&str; 7] = ["user number", "user no.", "user no", "user", "number", "nr.", "no."];

/// Returns the number in a text such as `#301`, `user 301` or `Ana Ng (user 301)`. `None` for other texts, and for digits
/// alone, which can be any key.
pub fn marked_user_number(text: &str) -> Option<UserNumber> {
    let lower = text.trim().to_lowercase();
    let bare = lower.trim_matches(|c: char| SIGNS.contains(c) || c.is_whitespace());
    let after_sign = || bare.strip_prefix('#');
    let after_word = || WORDS.iter().find_map(|word| bare.strip_prefix(word));
    let in_brackets = || Some(lower.strip_suffix(')')?.rsplit_once("(user ")?.1);
    let number = after_sign().or_else(after_word).or_else(in_brackets)?;
    let digits = number.trim_start_matches(|c: char| "#:.".contains(c) || c.is_whitespace()).trim_end();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|number: &UserNumber| is_number && number.0 > 0)
}

/// Returns the number in the field of a user number: digits alone, or a marked number.
pub fn typed_user_number(text: &str) -> Option<UserNumber> {
    let number = text.trim().parse().ok().filter(|number: &UserNumber| number.0 > 0);
    number.or_else(|| marked_user_number(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_marked_in_the_usual_ways() {
        for text in [
            "#301",
            "# 301",
            "user 301",
            "User\u{A0}301,",
            "User number: 301",
            "No. 301",
            "Ana Ng (user 301)",
            "(#301)",
        ] {
            assert_eq!(marked_user_number(text), Some(UserNumber(301)), "{text}");
            assert_eq!(typed_user_number(text), Some(UserNumber(301)), "{text}");
        }
        for text in
            ["301", "", "#", "#0", "#3a", "user", "users 301", "301 user", "#-3", "#99999999999999999999"]
        {
            assert_eq!(marked_user_number(text), None, "{text}");
        }
        assert_eq!((typed_user_number(" 301 "), typed_user_number("-3")), (Some(UserNumber(301)), None));
    }
}
