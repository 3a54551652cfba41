//! The oracle: a slow and obvious definition of residue, to compare the fast search with.
//!
//! It shares no code with the search. It treats a text as a list of letters with the punctuation between them, and
//! tries every value at every position. It has three parts: a user's values ([`values`]), the positions of a value in a
//! text (here), and the positions that count ([`library`]). `examples.rs` lists the expected results.

pub mod library;
pub mod values;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use values::{Rule, Value, Weight};

/// A letter or digit in its plainest form, or the `@` of an address.
#[derive(Clone, Debug)]
pub struct Letter {
    pub plain: char,
    /// Punctuation and spaces between the previous letter and this one.
    pub signs: String,
    /// Whether it is a character of a script without spaces between words, and so a separate word.
    pub is_word: bool,
}

/// Returns the letters of a text.
pub fn letters(text: &str) -> Vec<Letter> {
    let mut letters = Vec::new();
    let mut signs = String::new();
    for char in text.chars() {
        if is_combining_mark(char)
            || "\u{AD}\u{200B}\u{200C}\u{200D}\u{200E}\u{200F}\u{2060}\u{FEFF}".contains(char)
        {
            continue;
        }
        let mut plain = String::new();
        for part in char.to_string().nfkd().filter(|part| !is_combining_mark(*part)) {
            for lower in part.to_lowercase().filter(|lower| !is_combining_mark(*lower)) {
                match lower {
                    'ß' => plain.push_str("ss"),
                    'æ' => plain.push_str("ae"),
                    'œ' => plain.push_str("oe"),
                    'þ' => plain.push_str("th"),
                    'ı' => plain.push('i'),
                    'ø' => plain.push('o'),
                    'ł' => plain.push('l'),
                    'đ' | 'ð' => plain.push('d'),
                    'ħ' => plain.push('h'),
                    'ŧ' => plain.push('t'),
                    'ς' => plain.push('σ'),
                    '@' => plain.push('@'),
                    lower if lower.is_alphanumeric() => plain.push(lower),
                    _ => {}
                }
            }
        }
        if plain.is_empty() {
            signs.push(char);
        }
        let is_word = matches!(u32::from(char), 0x0E00..=0x0EFF | 0x2E80..=0x9FFF | 0xF900..=0xFAFF);
        for plain in plain.chars() {
            letters.push(Letter { plain, signs: std::mem::take(&mut signs), is_word });
        }
    }
    letters
}

/// Returns the letters without punctuation.
pub fn plain(letters: &[Letter]) -> String {
    letters.iter().map(|letter| letter.plain).collect()
}

/// A text, with questions about the gap before the letter `at`.
pub struct Text<'a>(pub &'a [Letter]);

impl Text<'_> {
    fn is_inside(&self, at: usize) -> bool {
        at > 0 && at < self.0.len()
    }

    fn signs(&self, at: usize) -> &str {
        &self.0[at].signs
    }

    /// Returns whether both letters belong to one word.
    fn is_attached(&self, at: usize) -> bool {
        let beside = |letter: &Letter| letter.is_word || letter.plain == '@';
        self.is_inside(at) && self.signs(at).is_empty() && !beside(&self.0[at]) && !beside(&self.0[at - 1])
    }

    fn is_edge(&self, at: usize) -> bool {
        !self.is_attached(at)
    }

    /// Returns whether there is exactly one punctuation mark between the letters, and it is one of these.
    fn is_single(&self, at: usize, of: &str) -> bool {
        let mut signs = if self.is_inside(at) { self.signs(at).chars() } else { "".chars() };
        let is_one = signs.next().is_some_and(|sign| of.contains(sign)) && signs.next().is_none();
        is_one && !self.0[at].is_word && !self.0[at - 1].is_word && self.0[at - 1].plain != '@'
    }

    /// Returns whether there is at most one punctuation mark between the letters, and no space.
    fn is_tight(&self, at: usize) -> bool {
        let signs = if self.is_inside(at) { self.signs(at) } else { " " };
        let is_short = signs.chars().count() <= 1 && !signs.chars().any(char::is_whitespace);
        let after_at = self.is_inside(at) && self.0[at - 1].plain == '@' && !signs.is_empty();
        let words = self.is_inside(at) && (self.0[at].is_word || self.0[at - 1].is_word);
        is_short && !words && !after_at
    }

    fn digit(&self, at: usize) -> bool {
        self.0.get(at).is_some_and(|letter| letter.plain.is_ascii_digit())
    }

    /// Returns whether a number continues here.
    fn is_inside_number(&self, at: usize) -> bool {
        self.is_inside(at)
            && self.digit(at - 1)
            && self.digit(at)
            && (self.is_attached(at) || self.is_single(at, "-.\u{2010}\u{2011}"))
    }

    /// Returns whether an address continues before this letter.
    fn is_joined(&self, at: usize) -> bool {
        self.is_attached(at) || self.is_single(at, "-._%+\u{2010}\u{2011}")
    }

    fn is_joined_in_domain(&self, at: usize) -> bool {
        self.is_attached(at) || self.is_single(at, "-.\u{2010}\u{2011}")
    }

    /// Returns whether letters and digits meet here, or a word ends.
    fn turns(&self, at: usize) -> bool {
        self.is_edge(at) || self.digit(at - 1) != self.digit(at)
    }

    /// Returns whether the letters from `from` to `until` are part of an e-mail address.
    pub fn is_in_address(&self, from: usize, until: usize) -> bool {
        let is_at = |at: usize| self.0[at].plain == '@';
        let ties = |at: usize| {
            self.is_joined(at)
                || self.is_inside(at) && self.signs(at).is_empty() && (is_at(at) || is_at(at - 1))
        };
        let mut first = from;
        while ties(first) {
            first -= 1;
        }
        let mut end = until;
        while ties(end) {
            end += 1;
        }
        (first..from).chain(until..end).any(is_at)
    }
}

/// Returns the spans at which a value occurs in a text.
pub fn occurrences(value: &Value, text: &[Letter]) -> Vec<(usize, usize)> {
    let size = value.letters.len();
    let same = |from: &usize| {
        text[*from..].iter().zip(&value.letters).all(|(one, other)| one.plain == other.plain)
            && is_bounded(value, &Text(text), *from, *from + size)
    };
    (0..(text.len() + 1).saturating_sub(size)).filter(same).map(|from| (from, from + size)).collect()
}

/// Returns whether the value is delimited there by the rule of its kind, and not part of another word.
fn is_bounded(value: &Value, text: &Text<'_>, from: usize, until: usize) -> bool {
    let is_number = !text.is_inside_number(from) && !text.is_inside_number(until);
    let begins = |at: usize| Text(&value.letters).is_edge(at - from);
    match &value.rule {
        Rule::Words => text.is_edge(from) && text.is_edge(until),
        Rule::Number => text.is_edge(from) && text.is_edge(until) && is_number,
        Rule::LongKey => text.turns(from) && text.turns(until),
        Rule::LongNumber => text.turns(from) && text.turns(until) && is_number,
        Rule::Email => {
            text.is_edge(from)
                && !text.is_joined(from)
                && !text.is_joined_in_domain(until)
                && (from + 1..until).all(|at| text.is_attached(at) || begins(at))
        }
        Rule::Name => {
            let is_long = value.size >= 8;
            let genitive = until < text.0.len() && text.0[until].plain == 's' && text.is_edge(until + 1);
            text.is_edge(from)
                && (text.is_edge(until) || genitive)
                && (from + 1..until).all(|at| text.is_tight(at) || is_long || begins(at))
        }
        Rule::Phone { country, one } => {
            let mut first = from;
            while text.is_inside_number(first) {
                first -= 1;
            }
            let prefix = plain(&text.0[first..from]);
            let plus = text.signs_before(first).ends_with('+');
            // A short number must be a separate word.
            let is_word = text.is_edge(first) && text.is_edge(until);
            (value.weight == Weight::Strong || is_word)
                && !text.is_inside_number(until)
                && may_precede(&prefix, plus, country, *one)
        }
    }
}

impl Text<'_> {
    fn signs_before(&self, at: usize) -> &str {
        self.0.get(at).map_or("", |letter| &letter.signs)
    }
}

/// Returns whether a prefix is allowed before a phone number: none, the trunk zero, or the country code.
///
/// If the value has no country code, any code is allowed after `+` or `00`.
fn may_precede(prefix: &str, plus: bool, country: &str, one: bool) -> bool {
    if ["", "0"].contains(&prefix) || one && prefix == "1" {
        return true;
    }
    let abroad = prefix.strip_prefix("00");
    let code = abroad.unwrap_or(prefix);
    if country.is_empty() {
        let is_code = |code: &str| (1..=3).contains(&code.len());
        let is_one = !code.starts_with('0') && (is_code(code) || code.strip_suffix('0').is_some_and(is_code));
        return is_one && (plus || abroad.is_some());
    }
    code == country || code.strip_suffix('0') == Some(country)
}
