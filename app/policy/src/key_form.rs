//! The keys of users: `UserID`, barcode, external identifier and e-mail address.
//!
//! Two keys that look the same are the same key. Each key has one normal form, which Lethe compares and which is
//! unique. The key itself is stored and shown as it was entered. The browser only needs [`validate`]. The tables of
//! Unicode for [`normal`] would make its download much larger, so that only the server has them (feature `keys`).

use crate::form::Problem;
use crate::text;

/// Returns whether a character is not visible, or only changes how its neighbours look. No key may contain one: two
/// different keys would look the same.
const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// Validates a key: one short line without invisible characters. Unlike a name, a key can't have joiners.
pub fn validate(key: &str) -> Result<String, Problem> {
    let key = text::line(key, text::MAX_SHORT_CHARS)?;
    if key.chars().any(is_unseen) { Err(Problem::ControlCharacter) } else { Ok(key) }
}

/// Validates an e-mail address, which is a key.
pub fn email(address: &str) -> Result<String, Problem> {
    let address = text::email(address)?;
    if address.chars().any(is_unseen) { Err(Problem::ControlCharacter) } else { Ok(address) }
}

#[cfg(feature = "keys")]
pub use normal_form::normal;

#[cfg(feature = "keys")]
mod normal_form {
    use unicode_normalization::UnicodeNormalization as _;

    /// A separate letter, although its capital is that of `i`.
    const DOTLESS_I: char = 'ı';

    /// Returns the normal form of a key: composed (NFC), with folded case, without surrounding white space. Empty for
    /// an empty key.
    pub fn normal(key: &str) -> String {
        let key = key.trim();
        if key.is_ascii() {
            return key.to_ascii_lowercase();
        }
        let mut folded = String::with_capacity(key.len());
        for c in key.nfd() {
            fold(c, &mut folded);
        }
        folded.nfc().collect()
    }

    /// Appends the case-folded form of a character. The lower case of the upper case of the lower case is the same for
    /// `ß`, `ẞ` and `SS`. The same holds for the three forms of sigma.
    fn fold(c: char, folded: &mut String) {
        match c {
            DOTLESS_I => folded.push(c),
            c if c.is_whitespace() => folded.push(' '),
            c => folded.extend(c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_rejected() {
        assert_eq!(validate(" ra10001 "), Ok("ra10001".to_owned()));
        assert_eq!(email(" a@b.example "), Ok("a@b.example".to_owned()));
        for unseen in [
            '\u{AD}',
            '\u{200B}',
            '\u{200C}',
            '\u{200D}',
            '\u{200E}',
            '\u{200F}',
            '\u{202A}',
            '\u{202E}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{FEFF}',
            '\u{FE0F}',
            '\u{E0041}',
            '\u{34F}',
            '\0',
            '\u{7}',
        ] {
            for key in [format!("ra{unseen}10001"), format!("ra10001{unseen}"), format!("{unseen}ra10001")] {
                assert_eq!(validate(&key), Err(Problem::ControlCharacter), "{unseen:?}");
                assert_eq!(email(&format!("{key}@b.example")), Err(Problem::ControlCharacter), "{unseen:?}");
            }
        }
        assert_eq!(validate(&"x".repeat(201)), Err(Problem::TooLong { max: 200 }));
    }

    #[test]
    fn names_keep_their_joiners() {
        for name in ["علی\u{200C}رضا", "क्\u{200D}ष"] {
            assert_eq!(text::line(name, text::MAX_SHORT_CHARS), Ok(name.to_owned()));
            assert_eq!(validate(name), Err(Problem::ControlCharacter));
        }
    }
}

#[cfg(all(test, feature = "keys", not(target_arch = "wasm32")))]
mod normal_form_tests {
    use super::normal;
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization as _;

    #[test]
    fn keys_that_look_alike_have_one_normal_form() {
        for (one, other) in [
            ("KDoe", " kdoe "),
            ("jose\u{301}", "jos\u{e9}"),
            ("JOSE\u{301}", "jos\u{e9}"),
            ("STRASSE", "straße"),
            ("GROẞ", "gross"),
            ("ΟΔΟΣ", "οδος"),
            ("οδοσ", "οδος"),
            ("ᾼ", "αι"),
            ("A-1", "a-1"),
            ("K\u{212A}", "kk"),
            ("a\u{A0}b", "a b"),
        ] {
            assert_eq!(normal(one), normal(other), "{one}");
        }
        for (one, other) in [("00123", "123"), ("kı", "ki"), ("jose", "josé"), ("a b", "ab")] {
            assert_ne!(normal(one), normal(other), "{one}");
        }
        assert_eq!(normal(" "), "");
    }

    proptest! {
        #[test]
        fn the_normal_form_is_final_and_the_same_for_every_spelling(key in "\\PC{0,12}") {
            let form = normal(&key);
            prop_assert_eq!(&normal(&form), &form);
            for spelling in [key.nfc().collect::<String>(), key.nfd().collect(), key.to_lowercase()] {
                prop_assert_eq!(normal(&spelling), form.clone(), "{}", spelling);
            }
            // The capital of the dotless ı is that of i.
            if !key.contains('ı') {
                prop_assert_eq!(normal(&key.to_uppercase()), form);
            }
        }
    }
}
