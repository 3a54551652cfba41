//! Whether an edit removes what identifies a person: emptied fields, junk in their place, or several of them replaced.

use std::collections::BTreeSet;

/// An edit that replaces this many identifying values of a user counts as removing them: what stands there now may be
/// random.
pub const REPLACED_FIELDS: usize = 3;

/// The same in an import, which replaces values of many users at once. One value can be another way to write it, or
/// another mail server, for all users of a library.
pub const REPLACED_BY_IMPORT: usize = 2;

/// Words that stand for no value.
const PLACEHOLDERS: [&str; 26] = [
    "na",
    "none",
    "null",
    "nil",
    "nobody",
    "noone",
    "unknown",
    "unnamed",
    "deleted",
    "removed",
    "erased",
    "redacted",
    "anonymous",
    "anonymised",
    "anonymized",
    "anon",
    "former",
    "formeruser",
    "formermemberofstaff",
    "user",
    "test",
    "dummy",
    "junk",
    "empty",
    "invalid",
    "void",
];

/// Whether a text says nothing about a person although it is not empty: `-`, `x`, `xxx`, `n/a`, `unknown`.
pub fn is_placeholder(text: &str) -> bool {
    // Of an e-mail address the part before the sign names the person.
    let named = text.split_once('@').map_or(text, |(before, _)| before);
    let letters: String = named.chars().filter(|char| char.is_alphanumeric()).collect();
    let letters = letters.to_lowercase();
    let distinct: BTreeSet<char> = letters.chars().collect();
    distinct.len() <= 1 || PLACEHOLDERS.contains(&letters.as_str())
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
        for text in
            ["-", "x", "X", ".", "---", "xxx", "n/a", "N.A.", "Unknown", "x@x.x", "-@example.org", "000", "–"]
        {
            assert!(is_placeholder(text), "{text}");
        }
        for text in ["Ng", "Li", "Bo", "O'Neill", "42 Mill Lane", "edith@example.org", "2018-01-15"] {
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
