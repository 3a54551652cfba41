//! Phone numbers: the part common to all spellings, and the prefixes that may precede it.

use super::fold::Folded;
use zeroize::Zeroizing;

/// Minimum number of digits of one number in a field with several. Shorter parts are area codes or extensions.
const MIN_DIGITS: usize = 6;
/// Digits of a North American number, which may be preceded by a 1.
const NORTH_AMERICAN_DIGITS: usize = 10;
/// Maximum number of digits in a prefix: `00`, three of a country code and a zero.
const MAX_PREFIX_DIGITS: usize = 6;
/// Numbers of digits that indicate several numbers. One number has at most 15 digits; beyond 60 the text isn't a
/// list of numbers.
const SEVERAL: std::ops::RangeInclusive<usize> = 16..=60;
/// Digits of one number in a list separated only by spaces.
const ONE_OF_SEVERAL: std::ops::RangeInclusive<usize> = 8..=15;

/// A phone number.
pub(super) struct Number {
    /// Digits after the country code or the leading zero: the same from any country.
    pub(super) digits: Zeroizing<String>,
    /// The prefixes that may precede the digits.
    pub(super) prefixes: Prefixes,
}

/// The prefixes of a number, at most a hyphen or dot away from the digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Prefixes {
    /// Country code, or 0 if the number was written without one.
    country: u32,
    /// Whether the prefix can be a 1, as in North America.
    one: bool,
}

/// Returns the numbers in a phone field, which may contain several separated by words or punctuation.
pub(super) fn numbers(text: &str) -> Vec<Zeroizing<String>> {
    let mut numbers = Vec::new();
    let is_between = |c: char| matches!(c, ',' | ';' | '|' | '&' | '\n') || c.is_alphabetic();
    for part in text.split(is_between) {
        for (at, part) in part.split('+').enumerate() {
            let mut number = Zeroizing::new(String::with_capacity(part.len() + 1));
            // A plus sign before a zero means "and".
            if at > 0 && !part.trim_start_matches(|c: char| !c.is_numeric()).starts_with('0') {
                number.push('+');
            }
            for piece in part.split('/') {
                number.push_str(piece);
                if count_digits(&number) >= MIN_DIGITS {
                    add_number(&mut numbers, std::mem::take(&mut number));
                }
            }
            if !number.is_empty() {
                numbers.push(number);
            }
        }
    }
    numbers
}

fn count_digits(text: &str) -> usize {
    text.bytes().filter(u8::is_ascii_digit).count()
}

/// Adds a number. If it has too many digits for one, adds each sequence of groups that can be a number.
fn add_number(numbers: &mut Vec<Zeroizing<String>>, number: Zeroizing<String>) {
    if SEVERAL.contains(&count_digits(&number)) {
        let groups = number.split(|c: char| c != '+' && !c.is_numeric()).filter(|group| !group.is_empty());
        let groups: Vec<&str> = groups.collect();
        for from in 0..groups.len() {
            let mut run = Zeroizing::new(String::with_capacity(number.len()));
            for group in &groups[from..] {
                if !run.is_empty() {
                    run.push(' ');
                }
                run.push_str(group);
                let digits = count_digits(&run);
                if ONE_OF_SEVERAL.contains(&digits) {
                    numbers.push(run.clone());
                } else if digits > *ONE_OF_SEVERAL.end() {
                    break;
                }
            }
        }
    }
    numbers.push(number);
}

/// Returns the digits of a number, and whether a plus sign precedes them.
fn digits_of(text: &str, folded: &Folded) -> (Zeroizing<String>, bool) {
    let mut digits = Zeroizing::new(String::with_capacity(folded.letters().len()));
    for byte in folded.letters() {
        if byte.is_ascii_digit() {
            digits.push(char::from(*byte));
        } else if digits.len() >= MIN_DIGITS {
            // An extension or the name of its owner follows.
            break;
        }
    }
    let begins = text.find(|c: char| c == '+' || c.is_numeric());
    (digits, begins.is_some_and(|at| text[at..].starts_with('+')))
}

impl Number {
    /// Parses a number; `folded` is the folded `text`.
    pub(super) fn parse(text: &str, folded: &Folded) -> Self {
        let (digits, has_plus) = digits_of(text, folded);
        let international = if has_plus { Some(&digits[..]) } else { digits.strip_prefix("00") };
        let (country, local) = match international.map(|digits| digits.split_at(country_code(digits))) {
            Some((country, local)) => (country.parse().unwrap_or_default(), local),
            None => (0, &digits[..]),
        };
        let one = country == 0 && local.len() == NORTH_AMERICAN_DIGITS && !local.starts_with('0');
        let local = Zeroizing::new(local.trim_start_matches('0').to_owned());
        Self { digits: local, prefixes: Prefixes { country, one } }
    }
}

impl Prefixes {
    const ONE: u32 = 1 << 16;

    /// Packs the prefixes into a number.
    pub(super) const fn packed(self) -> u32 {
        self.country | if self.one { Self::ONE } else { 0 }
    }

    /// Unpacks the prefixes from a number.
    pub(super) const fn unpacked(packed: u32) -> Self {
        Self { country: packed & (Self::ONE - 1), one: packed & Self::ONE != 0 }
    }

    /// Returns whether the text before the digit at `start` can be a prefix of the number.
    ///
    /// With `as_word`, no letter may precede the prefix.
    pub(super) fn allow_before(self, text: &Folded, start: usize, as_word: bool) -> bool {
        let mut from = start;
        while text.is_inside_number(from) {
            from -= 1;
            if start - from > MAX_PREFIX_DIGITS {
                return false;
            }
        }
        (!as_word || text.is_edge(from)) && self.allow(&text.letters()[from..start], text.follows_plus(from))
    }

    /// Returns whether a phone field contains this complete number.
    pub(super) fn has_number(self, field: &str, number: &[u8]) -> bool {
        numbers(field).iter().any(|written| {
            let (digits, has_plus) = digits_of(written, &Folded::new(written));
            digits.as_bytes().strip_suffix(number).is_some_and(|prefix| self.allow(prefix, has_plus))
        })
    }

    fn allow(self, prefix: &[u8], has_plus: bool) -> bool {
        if prefix.is_empty() || prefix.len() > MAX_PREFIX_DIGITS {
            return prefix.is_empty();
        }
        let abroad = prefix.strip_prefix(b"00");
        let code = abroad.unwrap_or(prefix);
        if prefix == b"0" || self.one && prefix == b"1" {
            return true;
        }
        let number = |digits: &[u8]| digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        if code.is_empty() || code.starts_with(b"0") {
            return false;
        }
        let without_zero = code.strip_suffix(b"0").unwrap_or(code);
        if self.country > 0 {
            return number(code) == self.country || number(without_zero) == self.country;
        }
        (has_plus || abroad.is_some()) && (code.len() <= 3 || code.len() == 4 && without_zero.len() == 3)
    }
}

/// Returns the length of the country code at the start of these digits, as assigned by the ITU.
fn country_code(digits: &str) -> usize {
    let long = match digits.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [b'2', b'0' | b'7', ..]
        | [b'3', b'0'..=b'4' | b'6' | b'9', ..]
        | [b'4', b'0' | b'1' | b'3'..=b'9', ..]
        | [b'5', b'1'..=b'8', ..]
        | [b'6', b'0'..=b'6', ..]
        | [b'8', b'1' | b'2' | b'4' | b'6', ..]
        | [b'9', b'0'..=b'5' | b'8', ..] => 2,
        _ => 3,
    };
    long.min(digits.len())
}
