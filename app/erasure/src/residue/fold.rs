//! Folding: reduces values and texts to letters and digits, without case, accents, spaces and punctuation.
//!
//! This goes further than [`policy::letters::fold`], which serves the search index. No separators remain.
//! The original gaps are stored beside the letters.

use policy::letters;
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// The separator before a letter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Gap {
    /// None: the previous letter is adjacent.
    None,
    /// One punctuation character, such as an apostrophe, hyphen or dot.
    Tight,
    /// A space, several characters, or the start of the text.
    Loose,
}

/// A folded text. Reuse one value for many texts to avoid allocations.
#[derive(Clone, Debug, Default)]
pub(super) struct Folded {
    letters: Vec<u8>,
    /// The gap before each byte.
    gaps: Vec<u8>,
    memo: Memo,
}

impl Folded {
    /// Folds a text. Invalid UTF-8 counts as a gap.
    pub(super) fn fold(&mut self, text: &[u8]) {
        self.letters.clear();
        self.gaps.clear();
        let mut writer = Writer { folded: self, gap: LOOSE };
        if let Ok(text) = std::str::from_utf8(text) {
            return writer.text(text);
        }
        for chunk in text.utf8_chunks() {
            writer.text(chunk.valid());
            if !chunk.invalid().is_empty() {
                writer.gap = LOOSE;
            }
        }
    }

    /// Returns the folded form of one text.
    pub(super) fn new(text: &str) -> Self {
        let mut folded = Self::default();
        folded.fold(text.as_bytes());
        folded
    }

    /// Returns the letters and digits.
    pub(super) fn letters(&self) -> &[u8] {
        &self.letters
    }

    /// Returns whether the text on both sides of this byte is one identifier.
    ///
    /// That is so if no gap, or a single character allowed in e-mail addresses and keys (`-`, `.`, `_`, `+`, `%`),
    /// separates them. False at both ends of the text.
    pub(super) fn is_joined(&self, at: usize) -> bool {
        matches!(self.gaps.get(at), Some(&(0 | LINK | MARK | PLUS)))
    }

    /// The same for a domain name, in which only `-` and `.` are allowed.
    pub(super) fn is_joined_in_domain(&self, at: usize) -> bool {
        matches!(self.gaps.get(at), Some(&(0 | LINK)))
    }

    /// Returns whether both sides of this byte belong to one number: digits, at most one `-` or `.` between them.
    pub(super) fn is_inside_number(&self, at: usize) -> bool {
        let digit = |at: usize| self.letters.get(at).is_some_and(u8::is_ascii_digit);
        at > 0 && digit(at - 1) && digit(at) && self.is_joined_in_domain(at)
    }

    /// Returns whether the last character before this byte was a plus sign.
    pub(super) fn follows_plus(&self, at: usize) -> bool {
        matches!(self.gaps.get(at), Some(&(PLUS | LOOSE_PLUS)))
    }

    /// Returns whether the letters from `start` to `end` are part of an e-mail address.
    pub(super) fn is_in_address(&self, start: usize, end: usize) -> bool {
        let is_at = |at: usize| self.letters.get(at) == Some(&b'@');
        let ties = |at: usize| self.is_joined(at) || self.gaps.get(at) == Some(&AT);
        let before = (1..=start).rev().take_while(|at| ties(*at)).any(|at| is_at(at - 1));
        before || (end..self.letters.len()).take_while(|at| ties(*at)).any(is_at)
    }

    /// Returns whether a word starts or the text ends at this byte.
    pub(super) fn is_edge(&self, at: usize) -> bool {
        self.gaps.get(at).is_none_or(|gap| *gap != 0)
    }

    /// Returns whether a word ends before this byte, possibly followed by a genitive `s`.
    pub(super) fn ends_word(&self, at: usize) -> bool {
        self.is_edge(at) || self.letters.get(at) == Some(&b's') && self.is_edge(at + 1)
    }

    /// Returns the gap before the letter at this byte.
    pub(super) fn gap(&self, at: usize) -> Gap {
        match self.gaps.get(at) {
            Some(0) => Gap::None,
            Some(&(TIGHT | LINK | MARK | PLUS | AT)) => Gap::Tight,
            _ => Gap::Loose,
        }
    }

    /// Returns the amount of information in letters. A character of a script without word spaces counts twice.
    pub(super) fn size(&self) -> usize {
        let letters = self.letters.iter().filter(|byte| is_first_byte(**byte)).count();
        letters + memchr::memchr_iter(WORD, &self.gaps).count()
    }

    /// Returns whether the text contains digits, and whether it contains other letters.
    pub(super) fn digits_and_others(&self) -> (bool, bool) {
        let digit = |byte: &u8| byte.is_ascii_digit();
        (self.letters.iter().any(digit), !self.letters.iter().all(digit))
    }
}

const TIGHT: u8 = 1;
const LOOSE: u8 = 2;
/// The character is a separate word: Chinese and Japanese are written without spaces.
const WORD: u8 = 3;
/// A single hyphen or dot.
const LINK: u8 = 4;
/// A single underscore or percent sign.
const MARK: u8 = 5;
/// A single plus sign.
const PLUS: u8 = 6;
/// Several characters or the start of the text, then a plus sign.
const LOOSE_PLUS: u8 = 7;
/// The letter is the `@` of an address, or follows it.
const AT: u8 = 8;

const fn is_first_byte(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

struct Writer<'a> {
    folded: &'a mut Folded,
    gap: u8,
}

impl Writer<'_> {
    fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if byte.is_ascii() {
                self.ascii(*byte);
                at += 1;
            } else {
                let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else { return };
                self.other(c);
                at += c.len_utf8();
            }
        }
    }

    fn ascii(&mut self, byte: u8) {
        if byte.is_ascii_alphanumeric() {
            self.folded.letters.push(byte.to_ascii_lowercase());
            self.folded.gaps.push(self.gap);
            self.gap = 0;
        } else if byte == b'@' {
            // The `@` is kept because it distinguishes e-mail addresses.
            self.folded.letters.push(byte);
            self.folded.gaps.push(if self.gap == 0 { AT } else { self.gap });
            self.gap = AT;
        } else if self.gap == 0 && !byte.is_ascii_whitespace() {
            self.gap = match byte {
                b'-' | b'.' => LINK,
                b'_' | b'%' => MARK,
                b'+' => PLUS,
                _ => TIGHT,
            };
        } else {
            self.gap = if byte == b'+' { LOOSE_PLUS } else { LOOSE };
        }
    }

    fn other(&mut self, c: char) {
        if matches!(c, '\u{FE6B}' | '\u{FF20}') {
            return self.ascii(b'@');
        }
        let plain = self.folded.memo.plain(c);
        match plain.is {
            Is::Nothing => {}
            Is::Hyphen if self.gap == 0 => self.gap = LINK,
            Is::Sign if self.gap == 0 => self.gap = TIGHT,
            Is::Hyphen | Is::Sign | Is::Space => self.gap = LOOSE,
            Is::Letters | Is::Word => {
                let (before, after) = if plain.is == Is::Word { (WORD, LOOSE) } else { (self.gap, 0) };
                let letters = &plain.letters[..plain.length];
                self.folded.gaps.push(before);
                self.folded.letters.extend_from_slice(letters);
                self.folded.gaps.resize(self.folded.letters.len(), 0);
                self.gap = after;
            }
        }
    }
}

/// The class of a folded character.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Is {
    /// Dropped: invisible, or an accent.
    Nothing,
    Sign,
    /// A hyphen other than the ASCII one.
    Hyphen,
    Space,
    Letters,
    /// A separate word.
    Word,
}

/// Maximum number of bytes that one character becomes: the Arabic ligature U+FDFA, a whole phrase, has 30.
const MAX_BYTES: usize = 32;

/// A folded character.
#[derive(Clone, Copy, Debug)]
struct Plain {
    c: char,
    is: Is,
    length: usize,
    letters: [u8; MAX_BYTES],
}

impl Plain {
    fn new(c: char) -> Self {
        let mut plain = Self { c, is: Is::Nothing, length: 0, letters: [0; MAX_BYTES] };
        if is_unseen(c) || is_combining_mark(c) {
            return plain;
        }
        plain.is = match c {
            '\u{2010}' | '\u{2011}' => Is::Hyphen,
            c if c.is_whitespace() => Is::Space,
            _ => Is::Sign,
        };
        decompose_compatible(c, |part| {
            for lower in part.to_lowercase().filter(|lower| !is_combining_mark(*lower)) {
                match letters::plain(lower) {
                    Some(letters) => plain.push(letters.as_bytes()),
                    None if lower.is_alphanumeric() => {
                        plain.push(lower.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                    None => {}
                }
            }
        });
        if plain.length > 0 {
            plain.is = if is_word_by_itself(c) { Is::Word } else { Is::Letters };
        }
        plain
    }

    fn push(&mut self, letters: &[u8]) {
        if let Some(free) = self.letters.get_mut(self.length..self.length + letters.len()) {
            free.copy_from_slice(letters);
            self.length += letters.len();
        }
    }
}

/// Cache of recently folded characters, since a text contains few different ones.
#[derive(Clone, Debug, Default)]
struct Memo {
    known: Vec<Plain>,
}

impl Memo {
    const SIZE: usize = 512;

    fn plain(&mut self, c: char) -> Plain {
        if self.known.is_empty() {
            self.known = vec![Plain::new('\0'); Self::SIZE];
        }
        let slot = &mut self.known[c as usize % Self::SIZE];
        if slot.c != c {
            *slot = Plain::new(c);
        }
        *slot
    }
}

/// Returns whether the character is invisible, so that it doesn't separate words.
const fn is_unseen(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

/// Returns whether the character's script is written without spaces between words.
const fn is_word_by_itself(c: char) -> bool {
    matches!(
        c,
        '\u{E00}'..='\u{EFF}'
            | '\u{1000}'..='\u{109F}'
            | '\u{1780}'..='\u{17FF}'
            | '\u{2E80}'..='\u{9FFF}'
            | '\u{F900}'..='\u{FAFF}'
            | '\u{FF66}'..='\u{FF9F}'
            | '\u{20000}'..='\u{3FFFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn folded(text: &str) -> String {
        String::from_utf8(Folded::new(text).letters().to_vec()).expect("text")
    }

    #[test]
    fn case_accents_spaces_and_signs_do_not_matter() {
        for (one, other) in [
            ("Müller-Lüdenscheid", "MULLER  LUDENSCHEID"),
            ("O\u{2019}Brien", "o'brien"),
            ("Groß", "GROSS"),
            ("Żółkiewski", "zolkiewski"),
            ("Yıldız", "YILDIZ"),
            ("İbrahim", "ibrahim"),
            ("Ζαχαρίας", "ΖΑΧΑΡΙΑΣ"),
            ("Шевчук", "шевчук"),
            ("Mu\u{308}ller", "M\u{AD}üller"),
            ("ＡＢ１２", "ab12"),
            ("+44 1632 960123", "+44-1632-960-123"),
            ("12\u{A0}Abbey\nLane", "12, abbey lane"),
        ] {
            assert_eq!(folded(one), folded(other), "{one}");
        }
        assert_ne!(folded("ana@example.org"), folded("ana.example.org"));
    }

    #[test]
    fn gaps_are_where_words_begin() {
        let text = Folded::new("O'Brien, Ana");
        let gaps: Vec<Gap> = (0..=9).map(|at| text.gap(at)).collect();
        assert_eq!(gaps[..2], [Gap::Loose, Gap::Tight]);
        assert_eq!(gaps[6], Gap::Loose);
        assert!(gaps[2..6].iter().all(|gap| *gap == Gap::None));
        assert!(text.is_edge(0) && text.is_edge(6) && text.is_edge(9) && !text.is_edge(5));
        let chinese = Folded::new("王小明来");
        assert!((0..4).all(|at| chinese.is_edge(at * 3)));
        assert_eq!((chinese.size(), Folded::new("Ana Ng").size()), (8, 5));
        assert_eq!(Folded::new("21 000-1").digits_and_others(), (true, false));
    }

    #[test]
    fn bytes_that_are_no_text_are_gaps() {
        let mut text = Folded::default();
        text.fold(b"Ana\xFF\xFENg");
        assert_eq!(text.letters(), b"anang");
        assert!(text.is_edge(3));
    }

    #[test]
    fn no_character_is_cut_off() {
        let (mut of_word, mut of_char) = (Folded::default(), Folded::default());
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            of_word.fold(policy::letters::fold(&text).as_bytes());
            of_char.fold(text.as_bytes());
            assert_eq!(of_word.letters(), of_char.letters(), "{c:?}");
        }
    }

    proptest! {
        /// Texts that are equal in the search index are equal here too.
        #[test]
        fn it_goes_further_than_the_fold_of_search_words(text in "\\PC{0,40}") {
            prop_assert_eq!(folded(&policy::letters::fold(&text)), folded(&text));
        }

        #[test]
        fn letters_and_gaps_go_together(text in "\\PC{0,40}") {
            let text = Folded::new(&text);
            prop_assert_eq!(text.letters.len(), text.gaps.len());
            prop_assert!(text.letters.iter().zip(&text.gaps).all(|(byte, gap)| is_first_byte(*byte) || *gap == 0));
        }
    }
}
