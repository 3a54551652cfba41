//! The dictionary order of names, the same on every database.
//!
//! A user is stored with the key of this order, which the database compares byte by byte. The key is the folded last
//! name, then the folded first and middle names: `de Vries` is in D, `mcdonald` beside `McDonald`, `Ångström` in A.
//! A space comes before every letter, so that `de Vries` comes before `Dean`. Apostrophes don't count.

use crate::letters::{fold, typewritten};

/// The maximum length of a key, in characters. Longer names are equal in the order.
const MAX_LENGTH: usize = 100;
/// Separates the last name from the others. It comes before the space.
pub const SEPARATOR: char = '\t';

/// The names of a user that decide the order.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Names<'a> {
    /// The last name.
    pub last: Option<&'a str>,
    /// The first name.
    pub first: Option<&'a str>,
    /// The middle name.
    pub middle: Option<&'a str>,
    /// The preferred name. It counts only if there is no first name.
    pub preferred: Option<&'a str>,
}

impl Names<'_> {
    /// Returns the key, or `None` for a user without a name.
    ///
    /// A user with a single name is sorted by it, whatever its field is.
    pub fn key(&self) -> Option<String> {
        let parts = [self.last, self.first.or(self.preferred), self.middle];
        let parts: Vec<String> =
            parts.into_iter().flatten().map(spoken).filter(|part| !part.is_empty()).collect();
        let (first, others) = parts.split_first()?;
        let key =
            if others.is_empty() { first.clone() } else { format!("{first}{SEPARATOR}{}", others.join(" ")) };
        Some(key.chars().take(MAX_LENGTH).collect())
    }
}

/// Returns the folded words of a name, with one space between them. A name of signs alone stays as it is.
fn spoken(name: &str) -> String {
    let folded = fold(&typewritten(name)).replace('\'', "");
    let words: Vec<&str> =
        folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() { name.trim().to_owned() } else { words.join(" ") }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(last: &str, first: &str) -> String {
        let some = |text| Some(text).filter(|text: &&str| !text.is_empty());
        Names { last: some(last), first: some(first), ..Names::default() }.key().unwrap_or_default()
    }

    #[test]
    fn names_are_sorted_as_in_a_dictionary() {
        let sorted = [
            ("Adams", ""),
            ("Ångström", "Anders"),
            ("Azikiwe", "Nnamdi"),
            ("de", "Zoe"),
            ("de la Cruz", "Ana"),
            ("de Vries", "Jan"),
            ("Dean", "James"),
            ("Đorđević", "Ana"),
            ("Mac Donald", "Ian"),
            ("mcdonald", "Ann"),
            ("McDonald", "Ronald"),
            ("Müller", "Anna"),
            ("Muller", "Bernd"),
            ("Müller-Lüdenscheidt", "Anna"),
            ("O\u{2019}Brien", "Ann"),
            ("OBrien", "Niamh"),
            ("O'Brien", "Tom"),
            ("Øster", "Lars"),
            ("Żak", "Ewa"),
            ("Zoë", ""),
            ("Щербакова", "Анна"),
        ];
        for pair in sorted.windows(2) {
            let ((a, b), (c, d)) = (pair[0], pair[1]);
            assert!(key(a, b) < key(c, d), "{a}, {b} before {c}, {d}");
        }
    }

    #[test]
    fn a_single_name_counts_wherever_it_is() {
        assert_eq!(key("", "Teller"), key("Teller", ""));
        let preferred = Names { preferred: Some("Teller"), ..Names::default() };
        assert_eq!(preferred.key().as_deref(), Some("teller"));
        assert_eq!(Names::default().key(), None);
        assert_eq!(key("?", ""), "?");
        assert_eq!(key(&"x".repeat(200), "").len(), MAX_LENGTH);
    }

    proptest! {
        #[test]
        fn case_and_accents_do_not_decide(last in "[A-Za-zÀ-ÿ '-]{1,20}", first in "[A-Za-zÀ-ÿ]{0,10}") {
            prop_assert_eq!(key(&last.to_lowercase(), &first), key(&last, &first));
        }
    }
}
