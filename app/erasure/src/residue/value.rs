//! The values to search for, and how strong their evidence is.

use super::fold::{Folded, Gap};
use super::phone::{Number, Prefixes, numbers};
use memchr::memmem;
use policy::letters::transcribed;
use policy::residue::ValueKind;
use zeroize::Zeroizing;

/// Where a match counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Evidence {
    /// Only in the user's own rows, because the value is too common.
    Own,
    /// In free text: it could be an ordinary word or another person.
    Weak,
    /// Anywhere.
    Strong,
}

/// The required delimitation of a value in a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum MatchRule {
    /// Whole words.
    Words,
    /// Whole words, with an optional genitive `s`. Other word boundaries don't match: `an der` isn't `Ander`.
    Name,
    /// A long key, delimited by word boundaries or by a change between letters and digits.
    LongKey,
    /// A whole number. Adjacent digits, at most a hyphen or dot away, make it part of a longer number.
    Number,
    /// The same for a long number, which may be adjacent to letters.
    LongNumber,
    /// Digits of a phone number after the country code. A matching country code or zero may precede them.
    ///
    /// A short number must be a whole word.
    Phone,
    /// An e-mail address. It continues if letters, digits or address characters follow.
    Email,
}

/// Minimum size of a name that isn't formed by other words by chance.
const MIN_LONG_NAME_CHARS: usize = 8;

/// The properties of a folded value. Kept at eight bytes, since there are many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    /// Bit set of word starts in the first 32 bytes. For a phone number, its packed prefixes.
    words: u32,
    pub(super) kind: ValueKind,
    pub(super) evidence: Evidence,
    fit: MatchRule,
    long: bool,
}

/// The values of one user, without duplicates. They are overwritten when dropped.
#[derive(Default)]
pub(super) struct Values {
    letters: Zeroizing<Vec<u8>>,
    each: Vec<Lettered>,
}

/// A value and the end of its letters. They start at the end of the previous value.
#[derive(Clone, Copy)]
struct Lettered {
    end: u32,
    value: Value,
}

impl Values {
    /// Returns each value with its letters.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Value, &[u8])> {
        let mut start = 0;
        self.each.iter().map(move |Lettered { end, value }| {
            let letters = &self.letters[start..*end as usize];
            start = *end as usize;
            (value, letters)
        })
    }

    /// Returns the value at this index with its letters.
    pub(super) fn get(&self, at: usize) -> (&Value, &[u8]) {
        let start = at.checked_sub(1).map_or(0, |before| self.each[before].end as usize);
        let Lettered { end, value } = &self.each[at];
        (value, &self.letters[start..*end as usize])
    }

    /// Returns a copy without excess memory. The original buffer is overwritten.
    fn compact(self) -> Self {
        Self { letters: Zeroizing::new(self.letters.to_vec()), each: self.each.as_slice().to_vec() }
    }

    /// Adds a value, and its transcription without umlauts.
    fn add(&mut self, kind: ValueKind, text: &str) {
        self.add_as_it_is(kind, text);
        if let Some(text) = transcribed(text).map(Zeroizing::new) {
            self.add_as_it_is(kind, &text);
        }
    }

    /// Adds a value, unless it is too short to search for even in the user's own rows.
    fn add_as_it_is(&mut self, kind: ValueKind, text: &str) {
        let mut folded = Folded::new(text);
        let number = (kind == ValueKind::Phone).then(|| Number::parse(text, &folded));
        if let Some(number) = &number {
            folded = Folded::new(&number.digits);
        }
        let letters = folded.letters();
        let Some((evidence, fit)) = weigh(kind, &folded) else { return };
        let begins_word = (0..letters.len().min(32)).filter(|at| folded.is_edge(*at));
        let words = number.map_or_else(
            || begins_word.fold(0, |words, at| words | 1 << at),
            |number| number.prefixes.packed(),
        );
        if self.iter().any(|(known, known_letters)| {
            known.kind == kind && known.words == words && known_letters == letters
        }) {
            return;
        }
        self.letters.extend_from_slice(letters);
        let end = u32::try_from(self.letters.len()).unwrap_or(u32::MAX);
        let long = folded.size() >= MIN_LONG_NAME_CHARS;
        self.each.push(Lettered { end, value: Value { words, kind, evidence, fit, long } });
    }
}

/// Returns the evidence of a value and its match rule, by kind and size, or `None` if it is too short.
fn weigh(kind: ValueKind, folded: &Folded) -> Option<(Evidence, MatchRule)> {
    let size = folded.size();
    let (digits, others) = folded.digits_and_others();
    let strong_if = |strong: bool, otherwise: Evidence| if strong { Evidence::Strong } else { otherwise };
    if size >= 6 && kind.may_be_address() && is_address(folded.letters()) {
        return Some((Evidence::Strong, MatchRule::Email));
    }
    match kind {
        ValueKind::UserId | ValueKind::Barcode | ValueKind::ExternalId | ValueKind::Identifier => {
            let enough = match (digits, others) {
                (true, true) => 5,
                (true, false) => 7,
                _ => 8,
            };
            let fit = match (others, size >= 10) {
                (true, true) => MatchRule::LongKey,
                (true, false) => MatchRule::Words,
                (false, true) => MatchRule::LongNumber,
                (false, false) => MatchRule::Number,
            };
            (size >= 3).then(|| (strong_if(size >= enough, Evidence::Weak), fit))
        }
        ValueKind::Email => (size >= 3).then_some((Evidence::Own, MatchRule::Words)),
        ValueKind::Phone => (size >= 5).then(|| (strong_if(size >= 7, Evidence::Weak), MatchRule::Phone)),
        ValueKind::FullName => (size >= 3).then(|| (strong_if(size >= 5, Evidence::Weak), MatchRule::Name)),
        ValueKind::LastName => {
            let letters = folded.letters().iter().filter(|byte| **byte & 0xC0 != 0x80).count();
            (letters >= 2).then_some((Evidence::Weak, MatchRule::Name))
        }
        ValueKind::Street | ValueKind::Address => {
            let whole = digits && others && size >= 6;
            (size >= 4).then(|| (strong_if(whole, Evidence::Own), MatchRule::Words))
        }
        ValueKind::CustomValue => {
            let evidence = if size >= 8 || digits { Evidence::Weak } else { Evidence::Own };
            (size >= 4).then_some((evidence, if others { MatchRule::Words } else { MatchRule::Number }))
        }
        ValueKind::FirstName | ValueKind::MiddleName | ValueKind::PreferredName => {
            (size >= 2).then_some((Evidence::Own, MatchRule::Name))
        }
        ValueKind::Postcode => (size >= 4).then_some((Evidence::Own, MatchRule::Words)),
    }
}

/// Returns whether these letters are an e-mail address: text on both sides of an `@`.
fn is_address(letters: &[u8]) -> bool {
    let at = memchr::memchr(b'@', letters);
    at.is_some_and(|at| at > 0 && at + 1 < letters.len())
}

/// Returns the e-mail addresses in a field, which may contain several, or names. Without any, returns the whole
/// field.
fn addresses(text: &str) -> Vec<&str> {
    let around = |c: char| c.is_whitespace() || ",;<>()\"".contains(c);
    let parts: Vec<&str> =
        text.split(around).filter(|part| is_address(part.trim_matches('.').as_bytes())).collect();
    if parts.is_empty() { vec![text] } else { parts }
}

impl Value {
    /// Returns whether the letters from `start` to `end` are a match under this value's rule.
    pub(super) fn fits(self, text: &Folded, start: usize, end: usize) -> bool {
        let letters = text.letters();
        let digit = |at: usize| letters.get(at).is_some_and(u8::is_ascii_digit);
        let turns = |at: usize| text.is_edge(at) || digit(at - 1) != digit(at);
        let is_whole_number = || !text.is_inside_number(start) && !text.is_inside_number(end);
        let begins_word = |at: usize| self.words & 1 << at != 0;
        match self.fit {
            MatchRule::Words => text.is_edge(start) && text.is_edge(end),
            MatchRule::Name => {
                text.is_edge(start)
                    && text.ends_word(end)
                    && (start + 1..end).all(|at| match text.gap(at) {
                        Gap::None | Gap::Tight => true,
                        Gap::Loose => self.long || at - start < 32 && begins_word(at - start),
                    })
            }
            MatchRule::LongKey => turns(start) && turns(end),
            MatchRule::Number => text.is_edge(start) && text.is_edge(end) && is_whole_number(),
            MatchRule::LongNumber => turns(start) && turns(end) && is_whole_number(),
            MatchRule::Phone => {
                let as_word = self.evidence < Evidence::Strong;
                !text.is_inside_number(end)
                    && (!as_word || text.is_edge(end))
                    && Prefixes::unpacked(self.words).allow_before(text, start, as_word)
            }
            MatchRule::Email => {
                text.is_edge(start)
                    && !text.is_joined(start)
                    && !text.is_joined_in_domain(end)
                    && (start + 1..end)
                        .all(|at| text.gap(at) == Gap::None || at - start >= 32 || begins_word(at - start))
            }
        }
    }

    /// Returns whether the match is a whole field, or one of several addresses or numbers in it.
    pub(super) fn is_all_of(self, field: &[u8], text: &Folded, start: usize, end: usize) -> bool {
        let letters = text.letters();
        match self.kind {
            ValueKind::Email => true,
            ValueKind::Phone => {
                let prefixes = Prefixes::unpacked(self.words);
                std::str::from_utf8(field).is_ok_and(|field| prefixes.has_number(field, &letters[start..end]))
            }
            _ => start == 0 && end == letters.len(),
        }
    }

    /// Returns whether the value must be whole words.
    pub(super) fn is_words(self) -> bool {
        matches!(self.fit, MatchRule::Words | MatchRule::Name | MatchRule::Number | MatchRule::Email)
    }

    /// Returns whether a text about the user contains the value.
    pub(super) fn stands_in(self, own_letters: &[u8], text: &Folded) -> bool {
        memmem::find_iter(text.letters(), own_letters)
            .any(|start| self.fits(text, start, start + own_letters.len()))
    }
}

/// The parts of a name; empty if there is none.
#[derive(Clone, Copy, Default)]
pub(super) struct NameParts<'a> {
    pub(super) first: &'a str,
    pub(super) middle: &'a str,
    pub(super) preferred: &'a str,
    pub(super) last: &'a str,
}

impl NameParts<'_> {
    /// Calls `each` with the spellings of the full name in letters, lists and notes.
    pub(super) fn each_full_name(&self, mut each: impl FnMut(String)) {
        let Self { first, middle, preferred, last } = *self;
        if last.is_empty() {
            return;
        }
        let mut both_ways = |given: &str| {
            each(format!("{given} {last}"));
            each(format!("{last}, {given}"));
        };
        let preferred = if preferred == first { "" } else { preferred };
        if !preferred.is_empty() {
            both_ways(preferred);
        }
        if first.is_empty() {
            return;
        }
        both_ways(first);
        if let Some(initial) = middle.chars().next() {
            both_ways(&format!("{first} {middle}"));
            both_ways(&format!("{first} {initial}."));
        }
        if !preferred.is_empty() {
            both_ways(&format!("{first} ({preferred})"));
        }
    }
}

/// The values of a user, as stored in the database.
#[derive(Default)]
pub(super) struct Raw {
    /// Values of the identifying columns, by kind.
    pub(super) columns: Vec<(ValueKind, Zeroizing<String>)>,
    /// Name parts that the policy keeps. Alone they are not residue, but the full name is.
    pub(super) kept_names: Vec<(ValueKind, Zeroizing<String>)>,
    /// Addresses to which messages were sent.
    pub(super) addresses: Vec<Zeroizing<String>>,
    /// Values of custom fields.
    pub(super) custom: Vec<Zeroizing<String>>,
}

impl Raw {
    /// Returns all values to search for.
    pub(super) fn values(&self) -> Values {
        let mut values =
            Values { letters: Zeroizing::new(Vec::with_capacity(384)), each: Vec::with_capacity(16) };
        for (kind, text) in &self.columns {
            match kind {
                ValueKind::Phone => {
                    for number in numbers(text) {
                        values.add(ValueKind::Phone, &number);
                    }
                }
                ValueKind::Email => {
                    for address in addresses(text) {
                        values.add(ValueKind::Email, address);
                    }
                }
                kind => values.add(*kind, text),
            }
        }
        for name in self.full_names() {
            values.add(ValueKind::FullName, &name);
        }
        for text in &self.custom {
            values.add(ValueKind::CustomValue, text);
        }
        for text in &self.addresses {
            Self::add_address(&mut values, text);
        }
        values.compact()
    }

    fn part(&self, kind: ValueKind) -> Option<&str> {
        let mut parts = self.columns.iter().chain(&self.kept_names);
        parts.find(|(found, _)| *found == kind).map(|(_, text)| text.trim()).filter(|text| !text.is_empty())
    }

    fn full_names(&self) -> Vec<Zeroizing<String>> {
        let part = |kind| self.part(kind).unwrap_or_default();
        let mut names = Vec::new();
        let parts = NameParts {
            first: part(ValueKind::FirstName),
            middle: part(ValueKind::MiddleName),
            preferred: part(ValueKind::PreferredName),
            last: part(ValueKind::LastName),
        };
        parts.each_full_name(|name| names.push(Zeroizing::new(name)));
        names
    }

    /// Adds an address of a message, unless a strong value already covers it.
    fn add_address(values: &mut Values, text: &str) {
        let folded = Folded::new(text);
        let digits = folded.letters().iter().filter(|byte| byte.is_ascii_digit()).count();
        let kind = if text.contains('@') {
            ValueKind::Email
        } else if digits >= 7 && digits + 2 >= folded.letters().len() {
            ValueKind::Phone
        } else {
            ValueKind::Address
        };
        let known = values.iter().any(|(value, letters)| {
            value.evidence == Evidence::Strong
                && value.kind != ValueKind::FullName
                && value.stands_in(letters, &folded)
        });
        if known {
            return;
        }
        match kind {
            ValueKind::Email => addresses(text).into_iter().for_each(|address| values.add(kind, address)),
            ValueKind::Phone => numbers(text).iter().for_each(|number| values.add(kind, number)),
            kind => values.add(kind, text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(columns: &[(ValueKind, &str)]) -> Raw {
        let columns = columns.iter().map(|(kind, text)| (*kind, Zeroizing::new((*text).to_owned())));
        Raw { columns: columns.collect(), ..Raw::default() }
    }

    /// Returns the kinds of the values that match in a text.
    fn kinds(raw: &Raw, text: &str) -> Vec<ValueKind> {
        let text = Folded::new(text);
        let values = raw.values();
        let mut kinds: Vec<ValueKind> = values
            .iter()
            .filter(|(value, letters)| value.stands_in(letters, &text))
            .map(|(value, _)| value.kind)
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    fn ana() -> Raw {
        raw(&[
            (ValueKind::FirstName, "Ana María"),
            (ValueKind::MiddleName, "Lucía"),
            (ValueKind::LastName, "Müller"),
            (ValueKind::Email, "ana.mueller@example.org"),
            (ValueKind::Phone, "+44 1632 960123"),
            (ValueKind::Street, "12 Abbey Lane"),
        ])
    }

    #[test]
    fn names_are_found_as_people_write_them() {
        use ValueKind::{FirstName, FullName, LastName};
        for text in [
            "called Ana María Müller",
            "MULLER, ANA MARIA",
            "Mueller, Ana-Maria",
            "Ana María Lucía Müller",
            "Müller, Ana María L.",
        ] {
            assert!(kinds(&ana(), text).contains(&FullName), "{text}");
        }
        assert_eq!(kinds(&ana(), "Frau Müllers Buch"), [LastName]);
        assert_eq!(kinds(&ana(), "Müllerin"), []);
        assert_eq!(kinds(&ana(), "ana maria"), [FirstName]);
        // Other word boundaries make other words.
        let ander = raw(&[(ValueKind::LastName, "Ander")]);
        assert_eq!(kinds(&ander, "an der Tür"), []);
        assert_eq!(kinds(&ander, "(Ander)"), [LastName]);
        let brien = raw(&[(ValueKind::LastName, "OBrien")]);
        assert_eq!(kinds(&brien, "O\u{2019}Brien"), [LastName]);
    }

    #[test]
    fn keys_and_addresses_are_whole() {
        use ValueKind::{Email, Phone, Street};
        for text in ["from abroad 0044 (0)1632 960 123", "01632-960123", "44 1632 960123."] {
            assert!(kinds(&ana(), text).contains(&Phone), "{text}");
        }
        assert_eq!(kinds(&ana(), "01632 9601234"), []);
        assert_eq!(kinds(&ana(), "lives at 12,  ABBEY\nlane"), [Street]);
        assert_eq!(kinds(&ana(), "112 Abbey Lane"), []);
        assert!(kinds(&ana(), "<ana.mueller@example.org>").contains(&Email));
        assert!(!kinds(&ana(), "joana.mueller@example.org").contains(&Email));
        assert!(!kinds(&ana(), "ana.mueller@example.organic").contains(&Email));
    }

    #[test]
    fn common_values_are_weak_evidence() {
        let evidence = |kind: ValueKind, text: &str| {
            let values = raw(&[(kind, text)]).values();
            values.iter().next().map(|(value, _)| value.evidence)
        };
        assert_eq!(evidence(ValueKind::UserId, "ab10001"), Some(Evidence::Strong));
        assert_eq!(evidence(ValueKind::UserId, "main"), Some(Evidence::Weak));
        assert_eq!(evidence(ValueKind::Barcode, "1234"), Some(Evidence::Weak));
        assert_eq!(evidence(ValueKind::Phone, "12345"), Some(Evidence::Weak));
        assert_eq!(evidence(ValueKind::CustomValue, "K-4711"), Some(Evidence::Weak));
        assert_eq!(evidence(ValueKind::CustomValue, "cello"), Some(Evidence::Own));
        assert_eq!(evidence(ValueKind::Street, "Mill Hill"), Some(Evidence::Own));
        assert_eq!(evidence(ValueKind::FirstName, "Alexander"), Some(Evidence::Own));
        assert_eq!(evidence(ValueKind::LastName, "王"), None);
        assert_eq!(evidence(ValueKind::LastName, "Ng"), Some(Evidence::Weak));
    }

    #[test]
    fn an_address_of_a_message_counts_only_where_it_is_new() {
        let mut ana = ana();
        let address = |text: &str| Zeroizing::new(text.to_owned());
        ana.addresses = vec![address("12 Abbey Lane\nLN1 2AB Lincoln"), address("old@example.org")];
        let values = ana.values();
        let kinds: Vec<ValueKind> = values.iter().map(|(value, _)| value.kind).collect();
        assert!(!kinds.contains(&ValueKind::Address));
        assert_eq!(kinds.iter().filter(|kind| **kind == ValueKind::Email).count(), 2);
    }
}
