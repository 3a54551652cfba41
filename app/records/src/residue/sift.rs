//! Sifting: which of the places where letters of a value stand really are residue.
//!
//! - In rows of the person everything counts.
//! - What another user has now, in the place for it, is theirs: login names, barcodes and addresses are free again at once,
//!   names are shared, families share street and phone. In the rows of that user it is theirs too.
//! - Distinctive values count anywhere else; what could be a word only in free text, and only while few people have it
//!   and few rows hold it; a last name alone only while nobody else has it.

use super::fold::Folded;
use super::kind::ValueKind;
use super::places::{Column, Place, UNTOLD};
use super::search::{Bearer, Search};
use super::value::{Names, Weight};
use crate::dialect::{Block, FIELD, RECORD};
use policy::{LoanText, UserNumber};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Of how many people at most a word may be an identifier, so that it still points to one.
const MOST_BEARERS: usize = 20;
/// In how many rows at most such a word may stand: one that stands in more is a word of the language.
const MOST_WEAK_PLACES: usize = 20;
/// How many places are noted of one value.
const MOST_PLACES: usize = 200;

/// A place where a value of somebody stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Hit {
    /// Whose value it was.
    pub(super) user: UserNumber,
    /// Its kind.
    pub(super) kind: ValueKind,
    pub(super) table: Arc<str>,
    pub(super) column: Arc<str>,
    /// The key of the row.
    pub(super) row: String,
}

/// A text that many rows have in common, in which a value stands: the rows must be looked at.
pub(super) struct Alike {
    pub(super) place: Arc<Place>,
    /// Which of the columns with few different values.
    pub(super) column: usize,
    pub(super) text: Zeroizing<String>,
}

/// What is known of a needle besides its bearers.
#[derive(Clone, Copy, Default)]
struct Known {
    /// Whether it counts in free text only, whoever's it is.
    is_weak: bool,
    /// How many other users have it now.
    living: u16,
    /// How many findings there are of it: places times the people to whom it points.
    places: u16,
}

/// The search with all that it has found.
pub(super) struct Sift {
    search: Search,
    known: Vec<Known>,
    /// Needles that other users have now, with their numbers; sorted when `users` is through.
    theirs: Vec<(i64, u32)>,
    theirs_is_sorted: bool,
    /// The greatest user number there is. Who comes while the search is under way is not known with what is theirs.
    newest: i64,
    /// What was found; for words that can turn out to stand everywhere with the needle.
    hits: Vec<(Hit, Option<u32>)>,
    alike: Vec<Alike>,
    text: Folded,
    barren: Barren,
    /// What was found in the row at hand.
    found: Vec<Found>,
}

/// A value that was found in the row at hand.
struct Found {
    /// Which of the columns.
    column: usize,
    person: u32,
    kind: ValueKind,
    /// None where the row belongs to the person.
    needle: Option<u32>,
    /// Whether it could be a word.
    is_weak: bool,
    /// From where to where its letters stand.
    span: (usize, usize),
}

impl Found {
    /// Whether it is only part of something that says more: the last name of a full name is about nobody else.
    fn is_part_of(&self, other: &Self) -> bool {
        self.is_weak
            && !other.is_weak
            && self.column == other.column
            && other.span.0 <= self.span.0
            && self.span.1 <= other.span.1
    }
}

/// The row at hand.
#[derive(Clone, Copy)]
struct Row {
    /// The user to whom it belongs.
    owner: Option<i64>,
    /// The same, if the search is for that user.
    own: Option<u32>,
}

impl Sift {
    pub(super) fn of(search: Search) -> Self {
        let is_weak = |bearer: &Bearer| bearer.value.weight == Weight::Weak;
        let known = (0..search.needles())
            .map(|needle| Known { is_weak: search.bearers(needle).iter().all(is_weak), ..Known::default() })
            .collect();
        Self {
            search,
            known,
            theirs: Vec::new(),
            theirs_is_sorted: false,
            newest: i64::MIN,
            hits: Vec::new(),
            alike: Vec::new(),
            text: Folded::default(),
            barren: Barren::default(),
            found: Vec::new(),
        }
    }

    /// Sifts rows of a place: key, owner and its columns.
    pub(super) fn rows(&mut self, place: &Arc<Place>, block: &Block) {
        let [is_users, is_custom] = ["users", "custom_values"].map(|table| place.table == table);
        if !is_users && !self.theirs_is_sorted {
            self.theirs.sort_unstable();
            self.theirs_is_sorted = true;
        }
        let (table, columns) = names(place);
        for record in records(block) {
            let mut fields = record.split(|byte| *byte == FIELD);
            let (Some(key), Some(owner)) = (fields.next(), fields.next()) else { continue };
            let owner: Option<i64> = std::str::from_utf8(owner).ok().and_then(|owner| owner.parse().ok());
            if is_users {
                self.newest = self.newest.max(owner.unwrap_or_default());
            } else if owner.is_some_and(|owner| owner > self.newest) {
                continue;
            }
            let row = Row { owner, own: owner.and_then(|owner| self.search.person(owner)) };
            let notes = row.own.is_none() && (is_users || is_custom);
            for (at, (column, text)) in place.columns.iter().zip(fields.clone()).enumerate() {
                self.field(at, column, row, text, notes);
            }
            if row.own.is_none() && is_users {
                self.note_full_names(place, row, fields);
            }
            if !self.found.is_empty() {
                let key = self.told(place, key);
                self.keep(row, &table, &columns, &key);
            }
        }
    }

    /// Sifts the different rows of the columns with few different values.
    pub(super) fn different(&mut self, place: &Arc<Place>, block: &Block) {
        for record in records(block) {
            for (at, text) in record.split(|byte| *byte == FIELD).enumerate() {
                if text.is_empty() {
                    continue;
                }
                self.text.fold(text);
                let mut stands = false;
                let search = &self.search;
                search.each(&self.text, |needle, start, end| {
                    stands |= search.bearers(needle).iter().any(|bearer| {
                        bearer.value.weight == Weight::Strong && bearer.value.fits(&self.text, start, end)
                    });
                });
                let text = Zeroizing::new(String::from_utf8_lossy(text).into_owned());
                let known = |alike: &Alike| {
                    alike.place.table == place.table && alike.column == at && alike.text == text
                };
                if stands && !self.alike.iter().any(known) {
                    self.alike.push(Alike { place: Arc::clone(place), column: at, text });
                }
            }
        }
    }

    /// Texts whose rows must be looked at, each once.
    pub(super) fn take_alike(&mut self) -> Vec<Alike> {
        std::mem::take(&mut self.alike)
    }

    /// Everything that was found, without the words that turned out to stand everywhere.
    pub(super) fn into_hits(self) -> (Vec<Hit>, Search) {
        let (known, search) = (&self.known, &self.search);
        let is_rare = |weak: &Option<u32>| {
            weak.is_none_or(|needle| {
                let most = MOST_WEAK_PLACES * search.bearers(needle).len();
                usize::from(known[needle as usize].places) <= most
            })
        };
        let hits = self.hits.into_iter().filter(|(_, weak)| is_rare(weak));
        (hits.map(|(hit, _)| hit).collect(), self.search)
    }

    /// Finds in one field what counts there, and notes what others have there now.
    fn field(&mut self, at: usize, column: &Column, row: Row, text: &[u8], notes: bool) {
        if text.is_empty()
            || text == LoanText::MARK.as_bytes()
            || row.own.is_none() && self.barren.holds(text)
        {
            return;
        }
        self.text.fold(text);
        if let Some(own) = row.own {
            self.own_values(at, column, own);
        }
        let notes = column.kind.filter(|_| notes);
        let Self { search, text: folded, known, theirs, theirs_is_sorted, found, .. } = self;
        let mut is_barren = true;
        search.each(folded, |needle, start, end| {
            is_barren = false;
            let (bearers, known) = (search.bearers(needle), &mut known[needle as usize]);
            let fits = |bearer: &&Bearer| bearer.value.fits(folded, start, end);
            if let Some(kind) = notes
                && bearers.iter().filter(fits).any(|bearer| bearer.value.kind.belongs_in(kind))
            {
                let owner = row.owner.filter(|_| !*theirs_is_sorted);
                return note(theirs, known, bearers, owner, needle);
            }
            if known.is_weak && !(column.is_free && points_to_somebody(bearers, *known)) {
                return;
            }
            if *theirs_is_sorted
                && row.owner.is_some_and(|owner| theirs.binary_search(&(owner, needle)).is_ok())
            {
                return;
            }
            let fitting =
                bearers.iter().filter(|bearer| counts(column, row, bearer, bearers, *known)).filter(fits);
            found.extend(fitting.map(|bearer| Found {
                column: at,
                person: bearer.person,
                kind: bearer.value.kind,
                needle: Some(needle),
                is_weak: bearer.value.weight == Weight::Weak,
                span: (start, end),
            }));
        });
        if is_barren {
            self.barren.add(text);
        }
    }

    /// Notes the full name of somebody else.
    fn note_full_names<'a>(&mut self, place: &Place, row: Row, fields: impl Iterator<Item = &'a [u8]>) {
        let mut names = Names::default();
        for (column, text) in place.columns.iter().zip(fields) {
            let part = match column.kind {
                Some(ValueKind::FirstName) => &mut names.first,
                Some(ValueKind::MiddleName) => &mut names.middle,
                Some(ValueKind::PreferredName) => &mut names.preferred,
                Some(ValueKind::LastName) => &mut names.last,
                _ => continue,
            };
            *part = std::str::from_utf8(text).unwrap_or_default().trim();
        }
        let Self { search, text, known, theirs, .. } = self;
        names.each_full_name(|name| {
            text.fold(name.as_bytes());
            search.each(text, |needle, start, end| {
                let belongs =
                    |bearer: &Bearer| bearer.value.kind.is_name() && bearer.value.fits(text, start, end);
                let bearers = search.bearers(needle);
                if bearers.iter().any(belongs) {
                    note(theirs, &mut known[needle as usize], bearers, row.owner, needle);
                }
            });
        });
    }

    /// In rows of the person everything counts; a name only where a name can stand, not in a code or a city.
    fn own_values(&mut self, at: usize, column: &Column, own: u32) {
        let (_, values) = self.search.values_of(own);
        for (value, letters) in values.iter() {
            let anywhere = value.weight == Weight::Strong
                || column.is_free
                || column.identifies
                || column.kind.is_some();
            if anywhere && value.stands_in(letters, &self.text) {
                self.found.push(Found {
                    column: at,
                    person: own,
                    kind: value.kind,
                    needle: None,
                    is_weak: false,
                    span: (0, 0),
                });
            }
        }
    }

    /// The key of a row as it is noted: never with a value in it.
    fn told(&mut self, place: &Place, key: &[u8]) -> String {
        self.text.fold(key);
        let mut tells = false;
        if place.key_may_tell {
            let Self { search, text, .. } = self;
            search.each(text, |needle, start, end| {
                tells |= search.bearers(needle).iter().any(|bearer| bearer.value.fits(text, start, end));
            });
        }
        if tells { UNTOLD.to_owned() } else { String::from_utf8_lossy(key).into_owned() }
    }

    /// Keeps what was found in a row: in each field for each person the value that proves most.
    fn keep(&mut self, row: Row, table: &Arc<str>, columns: &[Arc<str>], key: &str) {
        let mut found = std::mem::take(&mut self.found);
        if !self.theirs_is_sorted
            && let Some(owner) = row.owner
        {
            found
                .retain(|found| found.needle.is_none_or(|needle| !noted_last(&self.theirs, (owner, needle))));
        }
        let parts: Vec<bool> =
            found.iter().map(|one| found.iter().any(|other| one.is_part_of(other))).collect();
        let mut parts = parts.into_iter();
        found.retain(|_| parts.next() == Some(false));
        found.sort_unstable_by_key(|found| (found.column, found.person, found.is_weak, found.kind));
        found.dedup_by_key(|found| (found.column, found.person));
        for Found { column, person, kind, needle, is_weak, .. } in found.drain(..) {
            if let Some(needle) = needle {
                let known = &mut self.known[needle as usize];
                known.places = known.places.saturating_add(1);
                if usize::from(known.places) > MOST_PLACES * self.search.bearers(needle).len() {
                    continue;
                }
            }
            let (user, _) = self.search.values_of(person);
            let (table, column) = (Arc::clone(table), Arc::clone(&columns[column]));
            let hit = Hit { user, kind, table, column, row: key.to_owned() };
            self.hits.push((hit, needle.filter(|_| is_weak)));
        }
        self.found = found;
    }
}

/// Notes that somebody else has the value of a needle now; under the user number, where it is asked for later. That is
/// never the case of a word that so many people have that it counts nowhere.
fn note(
    theirs: &mut Vec<(i64, u32)>,
    known: &mut Known,
    bearers: &[Bearer],
    number: Option<i64>,
    needle: u32,
) {
    if known.is_weak && !points_to_somebody(bearers, *known) {
        return;
    }
    if let Some(number) = number {
        if noted_last(theirs, (number, needle)) {
            return;
        }
        theirs.push((number, needle));
    }
    known.living = known.living.saturating_add(1);
}

/// Whether a value counts in this column of this row, as far as the person goes to whom it belonged.
fn counts(column: &Column, row: Row, bearer: &Bearer, bearers: &[Bearer], known: Known) -> bool {
    let value = &bearer.value;
    // What belongs to the person is looked at as a whole, and what belongs to another one who has it is theirs.
    if row.own.is_some_and(|own| bearers.iter().any(|bearer| bearer.person == own)) {
        return false;
    }
    if column.kind.is_some_and(|kind| value.kind.belongs_in(kind)) {
        return false;
    }
    if value.kind.is_name() && column.identifies || value.kind.is_shared() && known.living > 0 {
        return false;
    }
    match value.weight {
        Weight::Own => false,
        Weight::Weak if value.kind == ValueKind::LastName => {
            column.is_free && is_only_bearer(bearer, bearers, known)
        }
        Weight::Weak => column.is_free && points_to_somebody(bearers, known),
        Weight::Strong => true,
    }
}

/// Whether nobody else has it: a last name that two people share is that of the other one as well.
fn is_only_bearer(bearer: &Bearer, bearers: &[Bearer], known: Known) -> bool {
    known.living == 0 && bearers.iter().all(|other| other.person == bearer.person)
}

/// Whether so few people have it that it still points to one of them.
fn points_to_somebody(bearers: &[Bearer], known: Known) -> bool {
    bearers.len() + usize::from(known.living) <= MOST_BEARERS
}

/// Whether this was noted for the row at hand: its notes are the last ones.
fn noted_last(theirs: &[(i64, u32)], sought: (i64, u32)) -> bool {
    theirs.iter().rev().take_while(|(number, _)| *number == sought.0).any(|noted| *noted == sought)
}

fn records(block: &Block) -> impl Iterator<Item = &[u8]> {
    block.text.split(|byte| *byte == RECORD).filter(|record| !record.is_empty())
}

fn names(place: &Place) -> (Arc<str>, Vec<Arc<str>>) {
    let columns = place.columns.iter().map(|column| Arc::from(column.name.as_str()));
    (Arc::from(place.table.as_str()), columns.collect())
}

/// Short texts in which no letters of any value stand, whoever's they are: the codes and first names that occur in
/// thousands of rows are looked at once.
struct Barren {
    texts: Vec<([u8; Self::LONGEST], u8)>,
}

impl Default for Barren {
    fn default() -> Self {
        Self { texts: vec![([0; Self::LONGEST], 0); Self::SIZE] }
    }
}

impl Barren {
    const LONGEST: usize = 31;
    const SIZE: usize = 4_096;

    fn place(text: &[u8]) -> usize {
        // FNV: few instructions for few bytes.
        let hash = text.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
        });
        usize::try_from(hash >> 52).unwrap_or_default() % Self::SIZE
    }

    fn holds(&self, text: &[u8]) -> bool {
        if text.len() > Self::LONGEST {
            return false;
        }
        let (known, length) = &self.texts[Self::place(text)];
        known.get(..usize::from(*length)) == Some(text)
    }

    fn add(&mut self, text: &[u8]) {
        if let (Ok(length), Some(place)) =
            (u8::try_from(text.len()), self.texts[Self::place(text)].0.get_mut(..text.len()))
        {
            place.copy_from_slice(text);
            self.texts[Self::place(text)].1 = length;
        }
    }
}
