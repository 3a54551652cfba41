//! Whether an edit removes what identifies a person: emptied fields, junk in their place, or several of them replaced.

use std::collections::BTreeSet;

/// An edit that replaces this many identifying values of a user counts as removing them: what stands there now may be
/// random.
pub const REPLACED_FIELDS: usize = 3;

/// The same in an import, which replaces values of many users at once. One value can be another way to write it, or
/// another mail server, for all users of a library.
pub const REPLACED_BY_IMPORT: usize = 2;

/// Words that stand for no value, in lower case, without digits and signs.
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

/// Words that stand for no value beside one of those: `Deleted reader 4`. Alone some of them are names.
const COMPANIONS: [&str; 17] = [
    "no", "of", "member", "patron", "borrower", "reader", "person", "staff", "name", "email", "account",
    "nutzer", "nutzerin", "leser", "leserin", "angabe", "ohne",
];

/// Abbreviations for “not available” and “keine Angabe”. `Na` and `Ka` are names: they count with a sign between the
/// letters, or in capitals.
const ABBREVIATIONS: [&str; 2] = ["na", "ka"];

/// Up to this many digits number a value that says nothing: `x17`. With more it can be a UserID.
const MOST_DIGITS: usize = 4;

/// Whether a text says nothing about a person although it is not empty: `-`, `x`, `xxx`, `n/a`, `Unknown`,
/// `Removed 17`, `deleted-user-4@example.org`.
pub fn is_placeholder(text: &str) -> bool {
    // Of an e-mail address the part before the sign names the person.
    let named = text.split_once('@').map_or(text, |(before, _)| before).trim();
    let letters: String = named.chars().filter(|char| char.is_alphabetic()).collect();
    let digits = named.chars().filter(char::is_ascii_digit).count();
    let lower = letters.to_lowercase();
    if lower.is_empty() {
        let distinct: BTreeSet<char> = named.chars().filter(|char| char.is_alphanumeric()).collect();
        return distinct.len() <= 1;
    }
    if is_one_letter(&lower) {
        return digits <= MOST_DIGITS && lower.starts_with('x') || digits == 0 && says_nothing(&lower);
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

/// Whether a text is one letter, once or several times.
fn is_one_letter(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| letters.all(|letter| letter == first))
}

/// Whether one letter, once or several times, is no name. `O`, `E`, `U`, `Å` and `Aa` are names, and so is one letter of
/// a script in which names are that short.
fn says_nothing(letters: &str) -> bool {
    let first = letters.chars().next().unwrap_or_default();
    match letters.chars().count() {
        1 | 2 => first.is_ascii_alphabetic() && !"aeiouy".contains(first),
        _ => true,
    }
}

/// What became of one identifying value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It is as it was, or there was none.
    Kept,
    /// Another value took its place.
    Replaced,
    /// It was emptied, or something took its place that says nothing.
    Removed,
}

/// What became of a value.
pub fn fate(old: Option<&str>, new: Option<&str>) -> Fate {
    match (old, new) {
        (None, _) => Fate::Kept,
        (Some(old), Some(new)) if old == new => Fate::Kept,
        (Some(_), None) => Fate::Removed,
        (Some(old), Some(new)) if is_placeholder(new) && !is_placeholder(old) => Fate::Removed,
        (Some(_), Some(_)) => Fate::Replaced,
    }
}

/// What an edit does to the identifying values of a user.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Erasure {
    /// Values that were removed.
    pub removed: usize,
    /// Values that were replaced.
    pub replaced: usize,
}

impl Erasure {
    /// Counts what became of values.
    pub fn of(fates: impl IntoIterator<Item = Fate>) -> Self {
        fates.into_iter().fold(Self::default(), |counted, fate| match fate {
            Fate::Kept => counted,
            Fate::Replaced => Self { replaced: counted.replaced + 1, ..counted },
            Fate::Removed => Self { removed: counted.removed + 1, ..counted },
        })
    }

    /// Whether no value was touched.
    pub const fn is_none(self) -> bool {
        self.removed == 0 && self.replaced == 0
    }

    /// Whether the edit counts as anonymising. `before` are the values of this user that edits of the last day
    /// have replaced.
    pub const fn counts_as_anonymising(self, before: usize) -> bool {
        self.removed > 0 || self.replaced > 0 && self.replaced + before >= REPLACED_FIELDS
    }

    /// Whether the line of an import counts against the limits of imports. `before` are the values of this user that edits
    /// and imports of the last day have replaced.
    pub const fn counts_in_an_import(self, before: usize) -> bool {
        self.removed > 0 || self.replaced > 0 && self.replaced + before >= REPLACED_BY_IMPORT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_is_a_placeholder() {
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
        assert_eq!(fate(Some("X"), Some("Y")), Fate::Replaced, "there was nothing to remove");
        let of = |removed, replaced| Erasure { removed, replaced };
        assert!(of(1, 0).counts_as_anonymising(0));
        assert!(!of(0, 2).counts_as_anonymising(0), "a marriage");
        assert!(of(0, 3).counts_as_anonymising(0));
        assert!(of(0, 1).counts_as_anonymising(2), "one field after the other");
        assert!(!of(0, 0).counts_as_anonymising(9));
        assert!(!of(0, 1).counts_in_an_import(0), "another mail server for all");
        assert!(of(0, 2).counts_in_an_import(0) && of(0, 1).counts_in_an_import(1));
        assert!(of(1, 0).counts_in_an_import(0) && !of(0, 0).counts_in_an_import(9));
    }
}
