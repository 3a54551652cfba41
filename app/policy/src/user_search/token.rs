//! The words of a search.

use super::{Test, begins, user_number};
use crate::letters::{fold, forms};
use crate::search_words::{compact, is_sign};

/// Words before a name that no record has as a name.
const FORMS_OF_ADDRESS: [&str; 22] = [
    "dr", "prof", "mr", "mrs", "ms", "mx", "miss", "sir", "madam", "herr", "frau", "mme", "mlle", "monsieur",
    "madame", "sr", "sra", "srta", "sig", "dhr", "mevr", "fru",
];
/// The maximum number of letters of a word that can be the beginning of the next one: `O`, `Mc`, `van`.
const MAX_PREFIX: usize = 3;
/// The maximum number of parts of a word.
const MAX_PARTS: usize = 6;
/// The fewest digits between the start and stop letters of a Codabar code.
const MIN_CODABAR: usize = 5;

/// A word of a search.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Token {
    /// The word as typed.
    pub(super) typed: String,
    /// The word as the index has it, with its signs.
    pub(super) folded: String,
    /// Whether the word has a digit.
    pub(super) has_digit: bool,
    /// Whether the word was followed by a dot or a comma.
    ends_part: bool,
}

/// Returns the words of a text. Brackets, quotes, commas and semicolons separate words.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let is_end = |c: char| c.is_whitespace() || ",;".contains(c);
    let between = |c: char| "()[]{}<>\"".contains(c);
    text.split_inclusive(is_end)
        .flat_map(|part| {
            let ends_part = part.ends_with([',', ';']);
            part.trim_end_matches(is_end).split(between).map(move |word| (word, ends_part))
        })
        .filter_map(|(word, ends_part)| {
            let bare = word.trim_matches(|c: char| is_sign(c) && c != '_');
            let folded = fold(bare);
            let has_letters = !compact(&folded).is_empty();
            has_letters.then(|| Token {
                typed: bare.to_owned(),
                has_digit: folded.contains(char::is_numeric),
                folded,
                ends_part: ends_part || word.ends_with('.'),
            })
        })
        .collect()
}

impl Token {
    /// Returns whether the word is a form of address such as `Dr` or `Frau`.
    pub(super) fn is_form_of_address(&self) -> bool {
        FORMS_OF_ADDRESS.contains(&self.folded.as_str())
    }

    /// Returns whether the word can be the beginning of the next one.
    pub(super) fn is_prefix_of_name(&self, next: &Self) -> bool {
        let is_short = self.folded.chars().count() <= MAX_PREFIX;
        is_short && !self.ends_part && !self.has_digit && !next.has_digit && !next.is_form_of_address()
    }

    /// Returns the meanings of the word, the simplest first.
    pub(super) fn meanings(&self) -> Vec<Vec<Test>> {
        let mut meanings = self.words();
        meanings.extend(without_codabar(&self.folded).map(|digits| vec![begins(digits)]));
        meanings.extend(user_number(&self.folded).map(|number| vec![Test::Number(number)]));
        meanings
    }

    /// Returns the meanings of the word as a part of a text.
    pub(super) fn words(&self) -> Vec<Vec<Test>> {
        let mut meanings = Vec::new();
        for form in forms(&self.typed) {
            let letters = compact(&form);
            if letters != form {
                let parts: Vec<&str> = form.split(is_sign).filter(|part| !part.is_empty()).collect();
                if parts.len() <= MAX_PARTS {
                    meanings.push(parts.into_iter().map(begins).collect());
                }
                meanings.push(vec![begins(letters)]);
            }
            meanings.push(vec![begins(form)]);
        }
        meanings
    }
}

/// Returns the digits of a Codabar code that was scanned with its start and stop letters: `A2900123B`.
pub(super) fn without_codabar(text: &str) -> Option<&str> {
    let is_stop = |c: char| matches!(c.to_ascii_lowercase(), 'a'..='d');
    let digits = text.strip_prefix(is_stop)?.strip_suffix(is_stop)?;
    let is_code = digits.len() >= MIN_CODABAR && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then_some(digits)
}
