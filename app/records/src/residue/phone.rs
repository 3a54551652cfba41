//! Phone numbers: what is the same in all their spellings, and what may stand before that.

use super::fold::Folded;
use zeroize::Zeroizing;

/// A shorter part of a field with several numbers is an area code or an extension.
const SHORTEST: usize = 6;
/// The digits of a number in North America, which is written with a 1 before it, too.
const NORTH_AMERICAN: usize = 10;
/// The most digits before a number that can be a prefix: `00`, three of a country and a zero.
const LONGEST_PREFIX: usize = 6;
/// A number has at most 15 digits; more of them are several numbers, up to the point where they are no numbers at all.
const SEVERAL: std::ops::RangeInclusive<usize> = 16..=60;
/// How many digits one of several numbers has, between which there is nothing but a space.
const ONE_OF_SEVERAL: std::ops::RangeInclusive<usize> = 8..=15;

/// A phone number.
pub(super) struct Number {
    /// The digits behind the country code or the zero: they are the same from wherever one calls.
    pub(super) digits: Zeroizing<String>,
    /// What may stand before them.
    pub(super) prefixes: Prefixes,
}

/// What may stand before the digits of a number, with no more than a hyphen or dot between.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Prefixes {
    /// The country code; 0 if the number was written without.
    country: u32,
    /// Whether it can be a 1, as in North America.
    one: bool,
}

/// The numbers in a field for one: there can be several, with words or signs between them.
pub(super) fn numbers(text: &str) -> Vec<Zeroizing<String>> {
    let mut numbers = Vec::new();
    let is_between = |c: char| matches!(c, ',' | ';' | '|' | '&' | '\n') || c.is_alphabetic();
    for part in text.split(is_between) {
        for (at, part) in part.split('+').enumerate() {
            let mut number = Zeroizing::new(String::with_capacity(part.len() + 1));
            // A plus before a zero says "and".
            if at > 0 && !part.trim_start_matches(|c: char| !c.is_numeric()).starts_with('0') {
                number.push('+');
            }
            for piece in part.split('/') {
                number.push_str(piece);
                if count_digits(&number) >= SHORTEST {
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

/// Adds a number. What has more digits than one number is several: each run of groups can be one.
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

/// The digits of a number, and whether a plus is before them.
fn digits_of(text: &str, folded: &Folded) -> (Zeroizing<String>, bool) {
    let mut digits = Zeroizing::new(String::with_capacity(folded.letters().len()));
    for byte in folded.letters() {
        if byte.is_ascii_digit() {
            digits.push(char::from(*byte));
        } else if digits.len() >= SHORTEST {
            // An extension, or whose number it is.
            break;
        }
    }
    let begins = text.find(|c: char| c == '+' || c.is_numeric());
    (digits, begins.is_some_and(|at| text[at..].starts_with('+')))
}

impl Number {
    /// Reads a number; `folded` is the same text.
    pub(super) fn of(text: &str, folded: &Folded) -> Self {
        let (digits, has_plus) = digits_of(text, folded);
        let international = if has_plus { Some(&digits[..]) } else { digits.strip_prefix("00") };
        let (country, local) = match international.map(|digits| digits.split_at(country_code(digits))) {
            Some((country, local)) => (country.parse().unwrap_or_default(), local),
            None => (0, &digits[..]),
        };
        let one = country == 0 && local.len() == NORTH_AMERICAN && !local.starts_with('0');
        let local = Zeroizing::new(local.trim_start_matches('0').to_owned());
        Self { digits: local, prefixes: Prefixes { country, one } }
    }
}

impl Prefixes {
    const ONE: u32 = 1 << 16;

    /// The same as a number.
    pub(super) const fn packed(self) -> u32 {
        self.country | if self.one { Self::ONE } else { 0 }
    }

    /// The prefixes of such a number.
    pub(super) const fn unpacked(packed: u32) -> Self {
        Self { country: packed & (Self::ONE - 1), one: packed & Self::ONE != 0 }
    }

    /// Whether the text before the digit at `start` can precede the number; as a word, if no letter may
    /// stand before both.
    pub(super) fn allow_before(self, text: &Folded, start: usize, as_word: bool) -> bool {
        let mut from = start;
        while text.is_inside_number(from) {
            from -= 1;
            if start - from > LONGEST_PREFIX {
                return false;
            }
        }
        (!as_word || text.is_edge(from)) && self.allow(&text.letters()[from..start], text.follows_plus(from))
    }

    /// Whether a field for numbers has the number with these digits, whole.
    pub(super) fn has_number(self, field: &str, number: &[u8]) -> bool {
        numbers(field).iter().any(|written| {
            let (digits, has_plus) = digits_of(written, &Folded::of(written));
            digits.as_bytes().strip_suffix(number).is_some_and(|prefix| self.allow(prefix, has_plus))
        })
    }

    fn allow(self, prefix: &[u8], has_plus: bool) -> bool {
        if prefix.is_empty() || prefix.len() > LONGEST_PREFIX {
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

/// How many digits the country code has with which these begin, as the ITU has given them out.
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
