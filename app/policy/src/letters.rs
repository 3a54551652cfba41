//! Folding of letters: texts that differ in case, accents or special letters become equal.
//!
//! The search index, the order of names and the residue search use the same letters. Keys have a stricter form, see
//! [`crate::key_form`].

use any_ascii::any_ascii_char;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Folds a text: compatibility decomposition (NFKD), without accents, in lower case, with Latin letters in ASCII.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for lower in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        match plain(lower) {
            Some(letters) => folded.push_str(letters),
            None if !is_combining_mark(lower) => folded.push(lower),
            None => {}
        }
    }
    folded
}

/// Returns the ASCII letters for a lower-case letter that has no decomposition: `ø` is `o`, `ß` is `ss`, `þ` is `th`.
///
/// `None` for every other character, in particular for letters of other scripts.
pub fn plain(lower: char) -> Option<&'static str> {
    if lower == 'ς' {
        return Some("σ");
    }
    if lower.is_ascii() || !is_latin(lower) || !lower.is_alphabetic() {
        return None;
    }
    let letters = any_ascii_char(lower);
    let is_plain = !letters.is_empty() && letters.bytes().all(|byte| byte.is_ascii_lowercase());
    is_plain.then_some(letters)
}

/// Returns whether a character is in a block of Latin letters.
const fn is_latin(c: char) -> bool {
    matches!(
        c,
        '\u{80}'..='\u{2AF}'
            | '\u{1D00}'..='\u{1DBF}'
            | '\u{1E00}'..='\u{1EFF}'
            | '\u{2C60}'..='\u{2C7F}'
            | '\u{A720}'..='\u{A7FF}'
            | '\u{AB30}'..='\u{AB6F}'
            | '\u{10780}'..='\u{107BF}'
            | '\u{1DF00}'..='\u{1DFFF}'
    )
}

/// Returns the text transcribed as in passports and e-mail addresses (`Mueller` for `Müller`, `Soerensen` for
/// `Sørensen`), or `None` if it has no such letter.
pub fn transcribed(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let letters = |c: char| {
        Some(match c {
            'ä' => "ae",
            'ö' | 'ø' => "oe",
            'ü' => "ue",
            'å' => "aa",
            'Ä' => "Ae",
            'Ö' | 'Ø' => "Oe",
            'Ü' => "Ue",
            'Å' => "Aa",
            _ => return None,
        })
    };
    text.nfc().any(|c| letters(c).is_some()).then(|| {
        let mut written = String::with_capacity(text.len() + 4);
        for c in text.nfc() {
            match letters(c) {
                Some(letters) => written.push_str(letters),
                None => written.push(c),
            }
        }
        written
    })
}

/// Returns the folded forms of a text: plain and, if it differs, transcribed.
pub fn forms(text: &str) -> impl Iterator<Item = String> {
    let plain = fold(text);
    let other = transcribed(text).map(|written| fold(&written)).filter(|other| *other != plain);
    std::iter::once(plain).chain(other)
}

/// Replaces typographic apostrophes, quotes, hyphens and spaces by ASCII ones, and drops invisible characters.
///
/// Texts that are copied from mails, web pages and spreadsheets contain them.
pub fn typewritten(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\u{B4}' | '`' | '\u{2BB}' | '\u{2BC}' | '\u{2018}'..='\u{201B}' | '\u{2032}' | '\u{FF07}' => {
                Some('\'')
            }
            '\u{AB}' | '\u{BB}' | '\u{201C}'..='\u{201F}' | '\u{2033}' | '\u{FF02}' => Some('"'),
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}' => Some('-'),
            '\u{AD}'
            | '\u{200B}'
            | '\u{200E}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{2069}'
            | '\u{FEFF}' => None,
            '\t' | '\n' | '\r' => Some(' '),
            c if c.is_whitespace() => Some(' '),
            c => Some(c),
        })
        .collect()
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_latin_letter_has_a_letter_of_the_keyboard() {
        for (text, plain) in [
            ("Ångström ÉCOLE Straße", "angstrom ecole strasse"),
            ("Groß GROẞ", "gross gross"),
            ("Łukasz Żółkiewski", "lukasz zolkiewski"),
            ("Søren Ørsted", "soren orsted"),
            ("Đặng Đorđe", "dang dorde"),
            ("Ħamrun Ŧ", "hamrun t"),
            ("Yıldız İbrahim", "yildiz ibrahim"),
            ("Æsa Œuvre", "aesa oeuvre"),
            ("Þórður Ðorsteinn", "thordur dorsteinn"),
            ("Ŋ ə ɓ ƙ ƴ", "ng e b k y"),
            ("Ａｎａ", "ana"),
            ("Οδυσσεύς", "οδυσσευσ"),
            ("Щербакова\u{301}", "щербакова"),
            ("王小明", "王小明"),
        ] {
            assert_eq!(fold(text), plain, "{text}");
        }
        // All letters of the European alphabets, in both cases.
        for c in ('\u{C0}'..='\u{17F}').filter(|c| c.is_alphabetic()) {
            let folded = fold(&c.to_string());
            assert!(folded.chars().all(|c| c.is_ascii_lowercase() || matches!(c, 'ʼ' | '·')), "{c} {folded}");
        }
    }

    #[test]
    fn umlauts_have_a_second_form() {
        let all = |text: &str| forms(text).collect::<Vec<_>>();
        assert_eq!(all("Müller"), ["muller", "mueller"]);
        assert_eq!(all("Mu\u{308}ller"), ["muller", "mueller"]);
        assert_eq!(all("Sørensen-Åberg"), ["sorensen-aberg", "soerensen-aaberg"]);
        assert_eq!(all("Mueller"), ["mueller"]);
    }

    proptest! {
        #[test]
        fn folding_is_final_and_the_same_in_every_normal_form(text in "\\PC{0,20}") {
            let folded = fold(&text);
            prop_assert_eq!(fold(&folded), folded.clone());
            prop_assert_eq!(fold(&text.nfc().collect::<String>()), folded.clone());
            prop_assert_eq!(fold(&text.nfd().collect::<String>()), folded);
        }
    }
}
