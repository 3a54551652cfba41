//! Reads the text of a user search, as staff type, paste or scan it.
//!
//! The page, the pickers, the users of a run and the command line read a search in this way. The result is compared
//! with the words of the search index ([`crate::search_words`]).

mod token;

use crate::UserNumber;
use crate::key_form;
use crate::letters::{fold, forms, typewritten};
use crate::marked_number::marked_user_number;
use crate::replacement::{self, is_replacement};
use crate::search_words::{MAX_LENGTH, Phone, compact};
use token::{Token, tokens};
use unicode_normalization::UnicodeNormalization as _;

/// The fewest characters of a key that is written in groups.
const MIN_GROUPED_KEY: usize = 5;

/// A search for users.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UserSearch {
    /// The parts of the text. A user must match all of them.
    pub terms: Vec<Term>,
    /// Meanings of the text as a whole. A user who matches one of them is found, too.
    pub whole: Vec<Test>,
    /// The words that are not searched for, as typed.
    pub ignored: Vec<String>,
    /// The possible keys, if the whole text is one key.
    pub exact: ExactKeys,
}

/// The meanings of a part of the text. A user must match one of them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Term {
    /// Each meaning has tests, all of which the user must pass.
    pub meanings: Vec<Vec<Test>>,
}

/// A comparison with the values of a user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Test {
    /// A word of the search index begins with this text.
    Begins(String),
    /// A word of the search index is this text.
    Is(String),
    /// The user number.
    Number(i64),
    /// The random name of an anonymised user.
    Replacement(String),
}

/// The keys that a text can be.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ExactKeys {
    /// Spellings of a `UserID`, barcode, external identifier or e-mail address.
    pub keys: Vec<String>,
    /// The user number.
    pub number: Option<i64>,
    /// Whether the text could also be a name, because it has neither a digit nor an `@`.
    pub may_be_name: bool,
}

impl ExactKeys {
    /// Returns whether the text can be a key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.number.is_none()
    }
}

impl UserSearch {
    /// Reads a text. Without any letter or digit, the search finds no user.
    pub fn parse(text: &str) -> Self {
        let text = cleaned(text);
        if let Some(search) = numbered(&text).or_else(|| addressed(&text)) {
            return search;
        }
        let tokens = tokens(&text);
        let mut search = Self { whole: whole(&text, &tokens), exact: exact(&text), ..Self::default() };
        let named = tokens.iter().filter(|token| !token.is_form_of_address()).count();
        let mut rest = &tokens[..];
        while let Some((token, others)) = rest.split_first() {
            rest = others;
            if named > 0 && token.is_form_of_address() {
                search.ignored.push(token.typed.clone());
                continue;
            }
            let grouped = 1 + others.iter().take_while(|other| other.has_digit && token.has_digit).count();
            if grouped > 1 {
                rest = &others[grouped - 1..];
                search.terms.push(group(&tokens[tokens.len() - others.len() - 1..][..grouped]));
            } else if let Some(next) = others.first().filter(|next| token.is_prefix_of_name(next)) {
                rest = &others[1..];
                search.terms.push(prefixed(token, next));
            } else {
                search.terms.push(Term { meanings: token.meanings() });
            }
        }
        search
    }

    /// Reads the words of a search for a title. All must match, each by its beginning.
    pub fn parse_title(text: &str) -> Self {
        let terms = tokens(&cleaned(text)).iter().map(|token| Term { meanings: token.words() }).collect();
        Self { terms, ..Self::default() }
    }

    /// Returns whether the search can find a user.
    pub fn can_find(&self) -> bool {
        !self.terms.is_empty() || !self.whole.is_empty()
    }
}

/// Returns the text without typographic signs and invisible characters, in compatible characters, with single spaces.
pub fn cleaned(text: &str) -> String {
    let text: String = typewritten(text).nfkc().collect();
    typewritten(&text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn begins(word: impl AsRef<str>) -> Test {
    Test::Begins(word.as_ref().chars().take(MAX_LENGTH).collect())
}

/// Reads `#301`, `user 301`, `Ana Ng (user 301)` and the name of an anonymised user, as Lethe itself writes them.
fn numbered(text: &str) -> Option<UserSearch> {
    if let Some(UserNumber(number)) = marked_user_number(text) {
        let term = Term { meanings: vec![vec![Test::Number(number)]] };
        let exact = ExactKeys { number: Some(number), ..ExactKeys::default() };
        return Some(UserSearch { terms: vec![term], exact, ..UserSearch::default() });
    }
    let lower = text.to_lowercase();
    let bare = lower.trim_matches(|c: char| "\"'().,;: ".contains(c));
    let code = bare.strip_prefix(&replacement::PREFIX.to_lowercase())?;
    let name = format!("{}{}", replacement::PREFIX, code.to_uppercase());
    let term = Term { meanings: vec![vec![Test::Replacement(name.clone())]] };
    is_replacement(&name).then(|| UserSearch { terms: vec![term], ..UserSearch::default() })
}

/// Returns the number of a text of digits alone.
fn user_number(digits: &str) -> Option<i64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// Reads addresses: `Name <a@x.org>`, `mailto:a@x.org`, `a@x.org; b@x.org`. The user needs one of them. A name beside an
/// address is not searched for, because the mail program chose it.
fn addressed(text: &str) -> Option<UserSearch> {
    let between = |c: char| c.is_whitespace() || "<>()[]{}\",;".contains(c);
    let parts = || text.split(between).filter(|part| !part.is_empty());
    let addresses: Vec<String> = parts().filter_map(address).collect();
    if addresses.is_empty() {
        return None;
    }
    let meanings =
        addresses.iter().flat_map(|address| forms(address)).map(|form| vec![begins(form)]).collect();
    let mut search = UserSearch { terms: vec![Term { meanings }], ..UserSearch::default() };
    let is_of_mail = text.contains('<') || text.to_lowercase().contains("mailto:");
    for token in parts().filter(|part| address(part).is_none()).flat_map(tokens) {
        if is_of_mail || token.is_form_of_address() {
            search.ignored.push(token.typed);
        } else {
            search.terms.push(Term { meanings: token.meanings() });
        }
    }
    if search.terms.len() == 1 && addresses.len() == 1 {
        search.exact.keys = addresses;
    }
    Some(search)
}

/// Returns the e-mail address in a part of a text.
fn address(part: &str) -> Option<String> {
    let lower = part.to_ascii_lowercase();
    let start = lower.find("mailto:").map_or(0, |at| at + "mailto:".len());
    let part = part.get(start..)?;
    let part = if start > 0 { part.split('?').next().unwrap_or_default() } else { part };
    let part = part.trim_matches(|c: char| ".:'*!?|".contains(c));
    key_form::email(part).ok().filter(|address| address.contains('@'))
}

/// Returns the meanings of the text as a whole: a key or a name in groups, or a phone number.
fn whole(text: &str, tokens: &[Token]) -> Vec<Test> {
    let lower = text.to_lowercase();
    let bare = ["tel.", "tel:", "phone:", "mobile:"].iter().find_map(|prefix| lower.strip_prefix(prefix));
    let phone = Phone::parse(bare.unwrap_or(&lower).trim_matches(|c: char| " :;,*\"".contains(c)));
    let mut whole: Vec<Test> = phone.iter().flat_map(Phone::wanted).map(Test::Is).collect();
    let letters = compact(&fold(text));
    if tokens.len() > 1 && letters.chars().count() >= MIN_GROUPED_KEY {
        whole.push(begins(letters));
    }
    whole
}

/// Returns the keys that the text can be.
fn exact(text: &str) -> ExactKeys {
    let bare = text.trim_matches(|c: char| "*\"'()[]<>,;:.! ".contains(c));
    let is_long = bare.chars().count() > crate::text::MAX_SHORT_CHARS;
    if bare.is_empty() || is_long {
        return ExactKeys::default();
    }
    let mut keys = vec![bare.to_owned()];
    let letters = compact(bare);
    if letters != bare && letters.chars().count() >= MIN_GROUPED_KEY {
        keys.push(letters);
    }
    keys.extend(token::without_codabar(bare).map(str::to_owned));
    let may_be_name = !bare.contains(|c: char| c.is_numeric() || c == '@');
    ExactKeys { number: user_number(bare), keys, may_be_name }
}

/// Returns the term of words with digits, which can be the groups of one key.
fn group(tokens: &[Token]) -> Term {
    let each = tokens.iter().filter_map(|token| token.meanings().into_iter().next()).flatten().collect();
    let joined: String = tokens.iter().map(|token| compact(&token.folded)).collect();
    Term { meanings: vec![each, vec![begins(joined)]] }
}

/// Returns the term of a short word and the next one, which can be one name: `Mc Donald` and `McDonald`.
fn prefixed(token: &Token, next: &Token) -> Term {
    let mut meanings = Vec::new();
    for second in next.meanings() {
        for first in token.meanings() {
            meanings.push(first.into_iter().chain(second.clone()).collect());
        }
    }
    meanings.push(vec![begins(format!("{}{}", compact(&token.folded), compact(&next.folded)))]);
    Term { meanings }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
