//! Searches a text for all values of all users at once.
//!
//! An Aho-Corasick automaton with the first letters of all values runs through a text once. At each match, the
//! values with that prefix are looked up by length. An automaton of the complete values would need several hundred
//! megabytes for 20,000 users, and would spend most of its time on cache misses.

use super::erased_values::ErasedValues;
use super::fold::Folded;
use super::value::{Evidence, Value, Values};
use aho_corasick::automaton::Automaton as _;
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, MatchKind};
use db::RecordsError;
use hashbrown::{DefaultHashBuilder, HashTable};
use policy::UserNumber;
use std::collections::HashMap;
use std::hash::BuildHasher as _;
use zeroize::Zeroizing;

/// Maximum number of bytes in a prefix.
const HEAD: usize = 3;

/// The index of all values of all users.
pub(super) struct Search {
    people: Vec<(UserNumber, Values)>,
    by_number: HashMap<i64, u32>,
    needles: Needles,
    /// Holders, grouped by needle.
    holders: Vec<Holder>,
    automaton: DFA,
    /// Prefixes, by pattern number of the automaton.
    heads: Vec<Head>,
    /// Lengths of needles, grouped by prefix, shortest first.
    lengths: Vec<u32>,
}

/// The user who had a needle, and the kind of value.
#[derive(Clone, Copy)]
pub(super) struct Holder {
    pub(super) person: u32,
    pub(super) value: Value,
}

impl Holder {
    /// Returns whether the value counts in free text only.
    pub(super) fn is_weak(&self) -> bool {
        self.value.evidence == Evidence::Weak
    }
}

/// The letters to search for, sorted.
#[derive(Default)]
struct Needles {
    /// The letters of all needles, concatenated.
    letters: Zeroizing<Vec<u8>>,
    each: Vec<Needle>,
    by_letters: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

#[derive(Clone, Copy)]
struct Needle {
    /// Start of its letters. They end at the start of the next needle.
    start: u32,
    first_holder: u32,
}

/// A prefix shared by needles.
#[derive(Clone, Copy)]
struct Head {
    /// Index of the first of their lengths.
    from: u32,
    /// Index after the last of their lengths.
    until: u32,
    /// Whether all of them must be whole words.
    is_words: bool,
}

impl Search {
    /// Builds the search for all values in `memory`.
    pub(super) fn new(memory: ErasedValues) -> Result<Self, RecordsError> {
        let people: Vec<(UserNumber, Values)> =
            memory.people.into_iter().map(|person| (person.number, person.values)).collect();
        let (needles, holders) = needles(&people);
        let (beginnings, heads, lengths) = heads(&needles, &holders);
        let automaton = DFA::builder()
            .match_kind(MatchKind::Standard)
            .prefilter(false)
            .build(&beginnings)
            .map_err(|_| RecordsError::Corrupt("values to search for"))?;
        let by_number = (0..).zip(&people).map(|(person, (number, _))| (number.0, person)).collect();
        Ok(Self { people, by_number, needles, holders, automaton, heads, lengths })
    }

    /// Returns the number of needles. They are numbered from 0.
    pub(super) fn needles(&self) -> u32 {
        index(self.needles.each.len())
    }

    /// Returns the number of users.
    pub(super) fn people(&self) -> usize {
        self.people.len()
    }

    /// Returns the index of the user with this number.
    pub(super) fn person(&self, number: i64) -> Option<u32> {
        self.by_number.get(&number).copied()
    }

    /// Returns the number and the values of a user.
    pub(super) fn values_of(&self, person: u32) -> (UserNumber, &Values) {
        let (number, values) = &self.people[person as usize];
        (*number, values)
    }

    /// Returns the users who had this needle.
    pub(super) fn holders(&self, needle: u32) -> &[Holder] {
        self.needles.holders(needle, &self.holders)
    }

    /// Returns the needle with exactly these letters.
    pub(super) fn needle(&self, letters: &[u8]) -> Option<u32> {
        self.needles.find(letters)
    }

    /// Calls `found` with each needle in the text, its start and its end.
    pub(super) fn each(&self, text: &Folded, mut found: impl FnMut(u32, usize, usize)) {
        let Ok(mut state) = self.automaton.start_state(Anchored::No) else { return };
        for (at, byte) in text.letters().iter().enumerate() {
            state = self.automaton.next_state(Anchored::No, state, *byte);
            if self.automaton.is_special(state) && self.automaton.is_match(state) {
                for index in 0..self.automaton.match_len(state) {
                    let head = self.automaton.match_pattern(state, index);
                    let start = at + 1 - self.automaton.pattern_len(head);
                    self.each_from(text, self.heads[head.as_usize()], start, &mut found);
                }
            }
        }
    }

    /// Calls `found` with each needle that has this prefix and starts at `start`.
    fn each_from(&self, text: &Folded, head: Head, start: usize, found: &mut impl FnMut(u32, usize, usize)) {
        if head.is_words && !text.is_edge(start) {
            return;
        }
        for length in &self.lengths[head.from as usize..head.until as usize] {
            let end = start + *length as usize;
            let Some(letters) = text.letters().get(start..end) else { break };
            if head.is_words && !text.ends_word(end) {
                continue;
            }
            if let Some(needle) = self.needles.find(letters) {
                found(needle, start, end);
            }
        }
    }
}

impl Needles {
    /// Adds a needle. Calls must be in sorted order and may repeat a needle.
    fn add(&mut self, letters: &[u8], first_holder: u32) {
        if self.each.last().is_some_and(|last| self.letters[last.start as usize..] == *letters) {
            return;
        }
        let start = index(self.letters.len());
        self.letters.extend_from_slice(letters);
        self.each.push(Needle { start, first_holder });
    }

    fn get(&self, needle: u32) -> &[u8] {
        let start = self.each[needle as usize].start as usize;
        let end = self.each.get(needle as usize + 1).map(|next| next.start as usize);
        &self.letters[start..end.unwrap_or(self.letters.len())]
    }

    fn index(&mut self) {
        let hash = |needle: &u32| self.hasher.hash_one(self.get(*needle));
        let mut by_letters = HashTable::with_capacity(self.each.len());
        for needle in 0..index(self.each.len()) {
            by_letters.insert_unique(hash(&needle), needle, hash);
        }
        self.by_letters = by_letters;
    }

    fn find(&self, letters: &[u8]) -> Option<u32> {
        let is_it = |needle: &u32| self.get(*needle) == letters;
        self.by_letters.find(self.hasher.hash_one(letters), is_it).copied()
    }

    fn holders<'a>(&self, needle: u32, holders: &'a [Holder]) -> &'a [Holder] {
        let from = self.each[needle as usize].first_holder as usize;
        let until = self.each.get(needle as usize + 1).map(|next| next.first_holder as usize);
        &holders[from..until.unwrap_or(holders.len())]
    }
}

fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Returns the needles of all values that count outside the user's own rows, and their holders.
///
/// There are several hundred thousand values. Comparing their first seven letters is nearly always enough to sort
/// them.
fn needles(people: &[(UserNumber, Values)]) -> (Needles, Vec<Holder>) {
    let wanted = || {
        (0_u32..).zip(people).flat_map(|(person, (_, values))| {
            let values =
                (0_u32..).zip(values.iter()).map(move |(at, (value, letters))| (person, at, value, letters));
            values.filter(|(_, _, value, _)| value.evidence > Evidence::Own)
        })
    };
    let mut sorted: Vec<(u64, u32, u32)> = Vec::with_capacity(wanted().count());
    sorted.extend(wanted().map(|(person, at, _, letters)| (first_letters(letters), person, at)));
    let of = |person: u32, at: u32| people[person as usize].1.get(at as usize);
    sorted.sort_unstable_by(|one, other| {
        one.0.cmp(&other.0).then_with(|| {
            // Values of at most seven letters are equal here.
            let rest = |(first, person, at): &(u64, u32, u32)| (first & 0xFF > 7).then(|| of(*person, *at).1);
            (rest(one), one.1).cmp(&(rest(other), other.1))
        })
    });

    let mut needles = Needles::default();
    needles.letters.reserve_exact(wanted().map(|(_, _, _, letters)| letters.len()).sum());
    let mut holders = Vec::with_capacity(sorted.len());
    for (first_holder, (_, person, at)) in (0..).zip(&sorted) {
        let (value, letters) = of(*person, *at);
        needles.add(letters, first_holder);
        holders.push(Holder { person: *person, value: *value });
    }
    drop(sorted);
    needles.index();
    (needles, holders)
}

/// Returns the first seven bytes and the length as one integer with the same sort order.
fn first_letters(letters: &[u8]) -> u64 {
    let mut first = [0; 8];
    for (byte, letter) in first[..7].iter_mut().zip(letters) {
        *byte = *letter;
    }
    first[7] = u8::try_from(letters.len()).unwrap_or(u8::MAX);
    u64::from_be_bytes(first)
}

/// Returns the shortest set of prefixes of which none starts with another, with the needles for each.
fn heads<'a>(needles: &'a Needles, holders: &[Holder]) -> (Vec<&'a [u8]>, Vec<Head>, Vec<u32>) {
    let mut beginnings: Vec<&[u8]> = Vec::new();
    let mut heads: Vec<Head> = Vec::new();
    let mut lengths: Vec<u32> = Vec::new();
    for at in 0..index(needles.each.len()) {
        let letters = needles.get(at);
        let is_words = needles.holders(at, holders).iter().all(|holder| holder.value.is_words());
        let length = index(letters.len());
        match (beginnings.last(), heads.last_mut()) {
            (Some(beginning), Some(head)) if letters.starts_with(beginning) => {
                let known = &lengths[head.from as usize..];
                if let Err(gap) = known.binary_search(&length) {
                    lengths.insert(head.from as usize + gap, length);
                }
                head.until = index(lengths.len());
                head.is_words &= is_words;
            }
            _ => {
                beginnings.push(&letters[..letters.len().min(HEAD)]);
                let from = index(lengths.len());
                lengths.push(length);
                heads.push(Head { from, until: from + 1, is_words });
            }
        }
    }
    (beginnings, heads, lengths)
}

#[cfg(test)]
mod tests {
    use super::super::erased_values::Remembered;
    use super::super::value::Raw;
    use super::*;
    use policy::residue::ValueKind;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn search(values: &[String]) -> Search {
        let people = (1..)
            .zip(values)
            .map(|(number, value)| {
                let columns = vec![(ValueKind::UserId, Zeroizing::new(value.clone()))];
                Remembered { number: UserNumber(number), values: Raw { columns, ..Raw::default() }.values() }
            })
            .collect();
        Search::new(ErasedValues { people }).expect("a search")
    }

    /// Returns the users whose values match, with start and end.
    fn found(search: &Search, text: &str) -> BTreeSet<(i64, usize, usize)> {
        let text = Folded::new(text);
        let mut found = BTreeSet::new();
        search.each(&text, |needle, start, end| {
            for holder in search.holders(needle).iter().filter(|holder| holder.value.fits(&text, start, end))
            {
                found.insert((search.values_of(holder.person).0.0, start, end));
            }
        });
        found
    }

    #[test]
    fn a_search_without_values_finds_nothing() {
        assert_eq!(found(&search(&[]), "Ana Ng"), BTreeSet::new());
    }

    #[test]
    fn values_with_the_same_beginning_are_distinguished() {
        let values = ["ab1234", "ab12345", "ab123456", "AB-1234", "zz9999"].map(str::to_owned);
        let search = search(&values);
        let people = |text: &str| found(&search, text).into_iter().map(|(user, ..)| user).collect::<Vec<_>>();
        assert_eq!(people("card ab1234, lost"), [1, 4]);
        assert_eq!(people("card (AB 12345)"), [2]);
        assert_eq!(people("ab1234567"), [] as [i64; 0]);
        assert_eq!(people("zz9999 ab123456"), [3, 5]);
    }

    proptest! {
        /// Searching for all values at once finds the same as searching for each one separately.
        #[test]
        fn it_finds_what_a_plain_search_finds(
            values in proptest::collection::vec("[ab1]{3,7}", 0..12),
            text in "[ab1 ]{0,40}",
        ) {
            let search = search(&values);
            let folded = Folded::new(&text);
            let mut plain = BTreeSet::new();
            for (person, (number, of_person)) in search.people.iter().enumerate() {
                for (value, letters) in of_person.iter().filter(|(value, _)| value.evidence > Evidence::Own) {
                    for start in 0..folded.letters().len() {
                        let end = start + letters.len();
                        if folded.letters().get(start..end) == Some(letters) && value.fits(&folded, start, end) {
                            plain.insert((number.0, start, end));
                        }
                    }
                }
                prop_assert_eq!(number.0, i64::try_from(person).unwrap_or_default() + 1);
            }
            prop_assert_eq!(found(&search, &text), plain);
        }
    }
}
