//! Detects edits that remove a person's identity: emptied fields, placeholders, or several replaced values.

use std::collections::BTreeSet;

/// Number of replaced identifying values from which an edit counts as anonymising, since the new values may be
/// random.
pub const REPLACED_FIELDS: usize = 3;

/// The same for an import, which replaces values of many users. One replaced value may be a new spelling or mail
/// server.
pub const REPLACED_BY_IMPORT: usize = 2;

/// Placeholder words in lower case, without digits and punctuation.
const PLACEHOLDERS: [&str; 80] = [
    // English
    "none",
    "null",
    "nil",
    "nobody",
    "noone",
    "noname",
    "unknown",
    "unnamed",
    "nameless",
    "deleted",
    "removed",
    "erased",
    "redacted",
    "withheld",
    "anonymous",
    "anonymised",
    "anonymized",
    "anon",
    "former",
    "formeruser",
    "formermemberofstaff",
    "user",
    "test",
    "tester",
    "testing",
    "dummy",
    "junk",
    "empty",
    "invalid",
    "void",
    "notavailable",
    "notapplicable",
    "notprovided",
    "asdf",
    "qwerty",
    "todo",
    "tbd",
    // German
    "gelöscht",
    "geloescht",
    "geloscht",
    "gelöschter",
    "geloeschter",
    "gelöschte",
    "geloeschte",
    "entfernt",
    "entfernter",
    "entfernte",
    "anonym",
    "anonyme",
    "anonymer",
    "anonymisiert",
    "anonymisierter",
    "anonymisierte",
    "unbekannt",
    "unbekannte",
    "unbekannter",
    "niemand",
    "kein",
    "keine",
    "keiner",
    "keineangabe",
    "leer",
    "ehemalige",
    "ehemaliger",
    "benutzer",
    "benutzerin",
    "namenlos",
    "ungültig",
    "ungueltig",
    // French, Italian, Spanish, Dutch
    "supprimé",
    "supprime",
    "inconnu",
    "anonimo",
    "anónimo",
    "eliminato",
    "cancellato",
    "eliminado",
    "desconocido",
    "verwijderd",
    "onbekend",
];

/// Words that may accompany a placeholder: `Deleted reader 4`. Some of them alone are names.
const COMPANIONS: [&str; 17] = [
    "no", "of", "member", "patron", "borrower", "reader", "person", "staff", "name", "email", "account",
    "nutzer", "nutzerin", "leser", "leserin", "angabe", "ohne",
];

/// Abbreviations of “not available” and “keine Angabe”.
///
/// `Na` and `Ka` are also names. They count as placeholders only in capitals or with punctuation between the
/// letters.
const ABBREVIATIONS: [&str; 2] = ["na", "ka"];

/// Maximum number of digits in a numbered placeholder such as `x17`. With more digits, it can be a UserID.
const MAX_DIGITS: usize = 4;

/// Returns whether a non-empty text says nothing about a person: `-`, `x`, `xxx`, `n/a`, `Unknown`, `Removed 17`,
/// `deleted-user-4@example.org`.
pub fn is_placeholder(text: &str) -> bool {
    // In an e-mail address, the part before the `@` names the person.
    let named = text.split_once('@').map_or(text, |(before, _)| before).trim();
    let letters: String = named.chars().filter(|char| char.is_alphabetic()).collect();
    let digits = named.chars().filter(char::is_ascii_digit).count();
    let lower = letters.to_lowercase();
    if lower.is_empty() {
        let distinct: BTreeSet<char> = named.chars().filter(|char| char.is_alphanumeric()).collect();
        return distinct.len() <= 1;
    }
    if is_one_letter(&lower) {
        return digits <= MAX_DIGITS && lower.starts_with('x') || digits == 0 && says_nothing(&lower);
    }
    if ABBREVIATIONS.contains(&lower.as_str()) {
        return named.chars().any(|char| char.is_ascii_punctuation())
            || letters.chars().all(char::is_uppercase);
    }
    let is_listed = |word: &str| PLACEHOLDERS.contains(&word) || is_one_letter(word) && word.starts_with('x');
    let of_letters = |word: &str| word.chars().filter(|char| char.is_alphabetic()).collect::<String>();
    let words: Vec<String> = named
        .to_lowercase()
        .split(|char: char| !char.is_alphanumeric())
        .map(of_letters)
        .filter(|word| !word.is_empty())
        .collect();
    is_listed(&lower)
        || words.iter().any(|word| is_listed(word))
            && words.iter().all(|word| is_listed(word) || COMPANIONS.contains(&word.as_str()))
}

/// Returns whether a text is one letter, possibly repeated.
fn is_one_letter(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| letters.all(|letter| letter == first))
}

/// Returns whether a repeated letter isn't a name.
///
/// `O`, `E`, `U`, `Å` and `Aa` are names, and so is one letter of a script with names that short.
fn says_nothing(letters: &str) -> bool {
    let first = letters.chars().next().unwrap_or_default();
    match letters.chars().count() {
        1 | 2 => first.is_ascii_alphabetic() && !"aeiouy".contains(first),
        _ => true,
    }
}

/// The effect of an edit on one identifying value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It is unchanged, or there was none.
    Kept,
    /// Another value replaces it.
    Replaced,
    /// It is emptied, or a placeholder replaces it.
    Removed,
}

/// Returns how a value changes.
pub fn fate(old: Option<&str>, new: Option<&str>) -> Fate {
    match (old, new) {
        (None, _) => Fate::Kept,
        (Some(old), Some(new)) if old == new => Fate::Kept,
        (Some(_), None) => Fate::Removed,
        (Some(old), Some(new)) if is_placeholder(new) && !is_placeholder(old) => Fate::Removed,
        (Some(_), Some(_)) => Fate::Replaced,
    }
}

/// The numbers of identifying values that an edit changes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Erasure {
    /// Number of removed values.
    pub removed: usize,
    /// Number of replaced values.
    pub replaced: usize,
}

impl Erasure {
    /// Counts changes by kind.
    pub fn count(fates: impl IntoIterator<Item = Fate>) -> Self {
        fates.into_iter().fold(Self::default(), |counted, fate| match fate {
            Fate::Kept => counted,
            Fate::Replaced => Self { replaced: counted.replaced + 1, ..counted },
            Fate::Removed => Self { removed: counted.removed + 1, ..counted },
        })
    }

    /// Returns whether no value changes.
    pub const fn is_none(self) -> bool {
        self.removed == 0 && self.replaced == 0
    }

    /// Returns whether the edit counts as anonymising. `before` is the number of this user's values that edits
    /// replaced within a day.
    pub const fn counts_as_anonymising(self, before: usize) -> bool {
        self.removed > 0 || self.replaced > 0 && self.replaced + before >= REPLACED_FIELDS
    }

    /// Returns whether a line of an import counts towards the safety limits.
    ///
    /// `before` is the number of this user's values that edits and imports replaced within a day.
    pub const fn counts_in_an_import(self, before: usize) -> bool {
        self.removed > 0 || self.replaced > 0 && self.replaced + before >= REPLACED_BY_IMPORT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_information_is_a_placeholder() {
        for text in [
            "-",
            "x",
            "X",
            ".",
            "---",
            "xxx",
            "n/a",
            "N.A.",
            "NA",
            "k.A.",
            "Unknown",
            "x@x.x",
            "-@example.org",
            "000",
            "–",
            "Removed 17",
            "removed17",
            "REMOVED-17",
            "deleted_4@example.org",
            "Deleted User 12",
            "Former member 3",
            "anonymised.user@example.org",
            "none",
            "No name",
            "Deleted reader 4",
            "Test 1",
            "x17",
            "xx-17@example.org",
            "X X",
            "zzz",
            "q",
            "Gelöscht 5",
            "geloescht",
            "Gelöschter Benutzer",
            "entfernt.12@example.org",
            "Unbekannt",
            "keine Angabe",
            "Anonym",
            "supprimé",
            "aaa",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in [
            "Ng",
            "Li",
            "Bo",
            "Xu",
            "O",
            "E",
            "U",
            "Å",
            "Aa",
            "Na",
            "Ka",
            "李",
            "O'Neill",
            "42 Mill Lane",
            "edith@example.org",
            "2018-01-15",
            "020 7946 0000",
            "s1234567",
            "x1234567",
            "r17@x.org",
            "B-17",
            "Testa",
            "Removal Lane 5",
            "User Friendly Street 4",
            "Xaver",
            "Max",
            "No",
            "Person",
            "Reader",
            "anonym.mueller@example.org",
            "Nobel",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn removed_values_count_and_so_do_several_replaced_ones() {
        assert_eq!(fate(None, Some("a b")), Fate::Kept);
        assert_eq!(fate(Some("Lapwing"), Some("Lapwing")), Fate::Kept);
        assert_eq!(fate(Some("Lapwing"), None), Fate::Removed);
        assert_eq!(fate(Some("Lapwing"), Some("-")), Fate::Removed);
        assert_eq!(fate(Some("Lapwing"), Some("Heron")), Fate::Replaced);
        assert_eq!(fate(Some("X"), Some("Y")), Fate::Replaced, "the old value was a placeholder");
        let of = |removed, replaced| Erasure { removed, replaced };
        assert!(of(1, 0).counts_as_anonymising(0));
        assert!(!of(0, 2).counts_as_anonymising(0), "a marriage");
        assert!(of(0, 3).counts_as_anonymising(0));
        assert!(of(0, 1).counts_as_anonymising(2), "one field after the other");
        assert!(!of(0, 0).counts_as_anonymising(9));
        assert!(!of(0, 1).counts_in_an_import(0), "one changed value per user");
        assert!(of(0, 2).counts_in_an_import(0) && of(0, 1).counts_in_an_import(1));
        assert!(of(1, 0).counts_in_an_import(0) && !of(0, 0).counts_in_an_import(9));
    }
}
