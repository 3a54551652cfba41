//! The words of the search index: by which words a search finds a user.
//!
//! Each value of a user has several words, so that the search itself can compare beginnings only, which an index
//! answers. [`crate::user_search`] reads the text of a search into words of the same form.

use crate::letters::{fold, forms, typewritten};
use std::collections::BTreeSet;

/// The maximum length of a word, in characters. Longer words are found by their beginning.
pub const MAX_LENGTH: usize = 100;
/// The number of digits from which a text can be a phone number.
const MIN_DIGITS: usize = 7;
/// The maximum number of digits of a phone number (ITU-T E.164), without the prefix for calls abroad.
const MAX_DIGITS: usize = 15;

/// Collects the words of one user.
#[derive(Clone, Debug, Default)]
pub struct SearchWords(BTreeSet<String>);

impl SearchWords {
    /// Returns the words.
    pub fn into_set(self) -> BTreeSet<String> {
        self.0
    }

    fn add(&mut self, word: &str) {
        let word: String = word.chars().take(MAX_LENGTH).collect();
        if !word.is_empty() {
            self.0.insert(word);
        }
    }

    /// Adds a name: each word without its signs, the parts of a word around its signs, and the name as one word.
    ///
    /// `O'Brien-Ng` is found by `obrien-ng`, `brien` and `ng`; `de Vries` by `vries` and `devries`.
    pub fn name(&mut self, name: &str) {
        self.text(name);
        forms(&typewritten(name)).for_each(|form| self.add(&compact(&form)));
    }

    /// Adds a key: as it is, each of its words, and without signs.
    pub fn key(&mut self, key: &str) {
        for form in forms(&typewritten(key)) {
            form.split_whitespace().for_each(|word| self.add(word));
            self.add(&compact(&form));
        }
    }

    /// Adds an e-mail address.
    pub fn email(&mut self, address: &str) {
        forms(&typewritten(address)).for_each(|form| self.add(form.trim()));
    }

    /// Adds a text such as a title: its words without signs, and the parts of a word around its signs.
    pub fn text(&mut self, text: &str) {
        for form in forms(&typewritten(text)) {
            for word in form.split_whitespace() {
                self.add(&compact(word));
                word.split(is_sign).for_each(|part| self.add(part));
            }
        }
    }

    /// Adds the forms of a phone number. A text that isn't one has no words.
    pub fn phone(&mut self, number: &str) {
        let Some(phone) = Phone::parse(number) else { return };
        self.add(&phone.whole());
        phone.without_country().for_each(|form| self.add(&form));
    }
}

/// Returns whether a character separates the parts of a word.
pub(crate) fn is_sign(c: char) -> bool {
    !c.is_alphanumeric()
}

/// Returns the letters and digits of a text.
pub(crate) fn compact(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Returns the beginnings by which the index finds users by this text. It finds every user with a name, key or e-mail
/// address that is or begins with this text. For each word, one of its beginnings is in the index.
pub fn beginnings(text: &str) -> Vec<Vec<String>> {
    let folded = fold(&typewritten(text));
    let words = folded.split_whitespace().map(|word| {
        let (raw, letters) = (word.chars().take(MAX_LENGTH).collect(), compact(word));
        (raw, letters.chars().take(MAX_LENGTH).collect())
    });
    words
        .filter(|(_, letters): &(String, String)| !letters.is_empty())
        .map(|(raw, letters)| if raw == letters { vec![raw] } else { vec![raw, letters] })
        .collect()
}

/// A phone number.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Phone {
    digits: String,
    /// Whether the digits start with the country code.
    is_international: bool,
}

impl Phone {
    /// Reads a phone number in any usual spelling. `None` if the text isn't one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = typewritten(text).replace("(0)", " ");
        let text = text.trim();
        let is_usual = |c: char| c.is_ascii_digit() || " +-/().'".contains(c);
        if !text.chars().all(is_usual) || text.chars().skip(1).any(|c| c == '+') {
            return None;
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let abroad = digits.strip_prefix("00");
        let is_international = text.starts_with('+') || abroad.is_some();
        let digits = abroad.unwrap_or_else(|| digits.trim_start_matches('0')).to_owned();
        let is_long = (MIN_DIGITS..=MAX_DIGITS).contains(&digits.len());
        is_long.then_some(Self { digits, is_international })
    }

    /// Returns the word of the whole number.
    pub(crate) fn whole(&self) -> String {
        format!("{}{}", if self.is_international { INTERNATIONAL } else { NATIONAL }, self.digits)
    }

    /// Returns the words of an international number as it is dialled at home. Country codes have one to three digits.
    pub(crate) fn without_country(&self) -> impl Iterator<Item = String> {
        let rest = |skipped: usize| self.digits.get(skipped..).filter(|rest| rest.len() >= MIN_DIGITS);
        let forms = (1..=3).filter(|_| self.is_international).filter_map(rest);
        // Italian numbers keep their zero.
        forms.map(|rest| format!("{AT_HOME}{}", rest.trim_start_matches('0'))).collect::<Vec<_>>().into_iter()
    }

    /// Returns the words that a stored number with the same digits has.
    pub(crate) fn wanted(&self) -> Vec<String> {
        if self.is_international {
            let national = self.without_country().map(|word| word.replace(AT_HOME, NATIONAL));
            std::iter::once(self.whole()).chain(national).collect()
        } else {
            vec![self.whole(), format!("{AT_HOME}{}", self.digits), format!("{INTERNATIONAL}{}", self.digits)]
        }
    }
}

// The sign is no letter, so no search for a name reads it as one.
/// Before the digits of a number with its country code.
const INTERNATIONAL: &str = "☎+";
/// Before the digits of a number that was stored without a country code.
const NATIONAL: &str = "☎0";
/// Before the digits that remain of an international number.
const AT_HOME: &str = "☎-";

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(add: impl FnOnce(&mut SearchWords)) -> Vec<String> {
        let mut words = SearchWords::default();
        add(&mut words);
        words.into_set().into_iter().collect()
    }

    #[test]
    fn a_value_has_the_words_by_which_people_know_it() {
        let name = |name| words(|words| words.name(name));
        assert_eq!(name("O\u{2019}Brien-Ng"), ["brien", "ng", "o", "obrienng"]);
        assert_eq!(name("de Vries"), ["de", "devries", "vries"]);
        assert_eq!(name("Müller"), ["mueller", "muller"]);
        assert_eq!(name("Robert (Bob)"), ["bob", "robert", "robertbob"]);
        assert_eq!(name("!!"), [""; 0]);
        assert_eq!(words(|words| words.key("2900-1234 5")), ["2900-1234", "290012345", "5"]);
        assert_eq!(words(|words| words.email("Ann.Ö@x.org")), ["ann.o@x.org", "ann.oe@x.org"]);
    }

    #[test]
    fn spellings_of_a_phone_number_meet() {
        let found = |stored: &str, typed: &str| {
            let stored = words(|words| words.phone(stored));
            Phone::parse(typed).is_some_and(|phone| phone.wanted().iter().any(|word| stored.contains(word)))
        };
        let spellings = [
            "+41 79 555 01 23",
            "0041795550123",
            "+41 (0)79 555 01 23",
            "079 555 01 23",
            "079/555.01.23",
            "(079) 555-0123",
            "079 555\u{A0}01\u{A0}23",
            "79 555 01 23",
        ];
        for stored in spellings {
            for typed in spellings {
                assert!(found(stored, typed), "{stored} by {typed}");
            }
        }
        assert!(found("41795550123", "41795550123") && found("+41795550123", "41795550123"));
        assert!(!found("+41 79 555 01 23", "+49 79 555 01 23"));
        assert!(!found("+41 79 555 01 23", "079 555 01 24"));
        for text in ["", "12", "extension 12345678", "12345678901234567", "1234567+8"] {
            assert_eq!(Phone::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_text_is_found_by_its_beginnings(text in "\\PC{1,20}", length in 1_usize..20) {
            let beginning: String = text.chars().take(length).collect();
            let add: [fn(&mut SearchWords, &str); 2] = [SearchWords::name, SearchWords::key];
            for add in add {
                let words = words(|words| add(words, &text));
                for word in beginnings(&beginning) {
                    let is_found = word.iter().any(|one| words.iter().any(|word| word.starts_with(one.as_str())));
                    prop_assert!(is_found, "{:?} in {:?}", word, words);
                }
            }
        }
    }
}
