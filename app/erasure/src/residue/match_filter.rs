//! The match filter: decides which matches are residue.
//!
//! - In rows of the anonymised user, every value counts.
//! - In other rows, strong values count anywhere. Weak values, which could be ordinary words, count only in free
//!   text, and only while few users have them and few fields contain them. A last name counts only if no other
//!   user has it.
//! - A value that another user currently has is ignored, but not a shorter value inside it. It is ignored only
//!   where it belongs: in the column for it, in the search words made from that column, and in messages to that
//!   user. Anywhere else it counts, e.g. in notes about that user.
//! - A name in a name column belongs to that user. A full name that another user has is ignored in all rows of
//!   that user, since names are shared.

use super::fold::Folded;
use super::negative_cache::NegativeCache;
use super::other_holders::{Has, OtherHolders, Spread};
use super::search::{Holder, Search};
use super::searched_tables::{Column, REDACTED_KEY, SearchedTable};
use super::value::{Evidence, NameParts};
use db::dialect::{Block, FIELD, RECORD};
use policy::letters::transcribed;
use policy::residue::ValueKind;
use policy::{NoteTreatment, UserNumber};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A match that counts as residue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Match {
    /// The user who had the value.
    pub(super) user: UserNumber,
    /// Kind of the value.
    pub(super) kind: ValueKind,
    pub(super) table: Arc<str>,
    pub(super) column: Arc<str>,
    /// Key of the row.
    pub(super) row: String,
}

/// A text shared by many rows that contains a value. Its rows must be read.
pub(super) struct SharedText {
    pub(super) searched: Arc<SearchedTable>,
    /// Index among the columns with few distinct values.
    pub(super) column: usize,
    pub(super) text: Zeroizing<String>,
}

/// The search and its findings so far.
pub(super) struct MatchFilter {
    search: Search,
    /// Indexed by needle.
    spread: Vec<Spread>,
    other_holders: OtherHolders,
    /// The table that is being read.
    table: Arc<str>,
    /// Highest user number. Rows of users created during the search are skipped, since their current values are
    /// unknown.
    newest: i64,
    /// The findings.
    kept: Vec<Kept>,
    /// Number of rows with findings.
    rows: u32,
    shared_texts: Vec<SharedText>,
    text: Folded,
    negative_cache: NegativeCache,
    /// Matches in the current row.
    found: Vec<Found>,
    /// Needles that the owner of the row has in the current field.
    noted: Vec<u32>,
}

/// A finding, until the end of the search.
struct Kept {
    found: Match,
    /// The needle, if it could be an ordinary word. Whether it counts is known only at the end.
    weak: Option<u32>,
    /// Number of the row, to tell rows apart.
    row: u32,
}

/// A match in the current row.
struct Found {
    /// Index of the column.
    column: usize,
    person: u32,
    kind: ValueKind,
    /// `None` if the row belongs to the user who had the value.
    needle: Option<u32>,
    /// Whether it could be an ordinary word.
    is_weak: bool,
    /// Start and end of its letters.
    span: (usize, usize),
}

impl Found {
    /// Returns whether it is a weak part of a strong match, e.g. the last name within a full name.
    fn is_part_of(&self, other: &Self) -> bool {
        self.is_weak
            && !other.is_weak
            && self.column == other.column
            && other.span.0 <= self.span.0
            && self.span.1 <= other.span.1
    }
}

/// The current row.
#[derive(Clone, Copy)]
struct Row {
    /// The owner of the row.
    owner: Option<i64>,
    /// Index of the owner, if the search is for that user.
    own: Option<u32>,
    /// Whether the row stores current values of another user.
    has_own_values: bool,
}

impl MatchFilter {
    pub(super) fn new(search: Search) -> Self {
        let spread = (0..search.needles()).map(|needle| Spread::count(search.holders(needle))).collect();
        Self {
            search,
            spread,
            other_holders: OtherHolders::default(),
            table: Arc::from(""),
            newest: i64::MIN,
            kept: Vec::new(),
            rows: 0,
            shared_texts: Vec::new(),
            text: Folded::default(),
            negative_cache: NegativeCache::default(),
            found: Vec::new(),
            noted: Vec::new(),
        }
    }

    /// Processes rows of a table: key, owner and columns.
    pub(super) fn rows(&mut self, searched: &Arc<SearchedTable>, block: &Block) {
        let (table, columns) = names(searched);
        if self.table != table {
            self.other_holders.sort();
            self.table = Arc::clone(&table);
        }
        let [is_users, is_custom] = ["users", "custom_values"].map(|table| searched.table == table);
        for record in records(block) {
            let mut fields = record.split(|byte| *byte == FIELD);
            let (Some(key), Some(owner)) = (fields.next(), fields.next()) else { continue };
            let owner: Option<i64> = std::str::from_utf8(owner).ok().and_then(|owner| owner.parse().ok());
            if is_users {
                self.newest = self.newest.max(owner.unwrap_or_default());
            } else if owner.is_some_and(|owner| owner > self.newest) {
                continue;
            }
            let own = owner.and_then(|owner| self.search.person(owner));
            let row = Row { owner, own, has_own_values: own.is_none() && (is_users || is_custom) };
            for (at, (column, text)) in searched.columns.iter().zip(fields.clone()).enumerate() {
                self.field(at, column, row, text);
            }
            if row.has_own_values && is_users {
                self.note_full_names(searched, row, fields);
            }
            if !self.found.is_empty() {
                self.drop_values_of_owner(row);
                let key = self.key_to_store(searched, key);
                self.keep(&columns, &key);
            }
        }
    }

    /// Processes the distinct rows of the columns with few distinct values.
    pub(super) fn different(&mut self, searched: &Arc<SearchedTable>, block: &Block) {
        for record in records(block) {
            for (at, text) in record.split(|byte| *byte == FIELD).enumerate() {
                if text.is_empty() {
                    continue;
                }
                self.text.fold(text);
                let mut is_found = false;
                let search = &self.search;
                search.each(&self.text, |needle, start, end| {
                    is_found |= search.holders(needle).iter().any(|holder| {
                        holder.value.evidence == Evidence::Strong && holder.value.fits(&self.text, start, end)
                    });
                });
                let text = Zeroizing::new(String::from_utf8_lossy(text).into_owned());
                let known = |shared: &SharedText| {
                    shared.searched.table == searched.table && shared.column == at && shared.text == text
                };
                if is_found && !self.shared_texts.iter().any(known) {
                    self.shared_texts.push(SharedText { searched: Arc::clone(searched), column: at, text });
                }
            }
        }
    }

    /// Returns the shared texts whose rows must be read, each once.
    pub(super) fn take_shared_texts(&mut self) -> Vec<SharedText> {
        std::mem::take(&mut self.shared_texts)
    }

    /// Returns the findings, without words that many users have or that turned out to be common.
    pub(super) fn into_matches(self) -> (Vec<Match>, Search) {
        let Self { search, spread, mut kept, .. } = self;
        kept.retain(|kept| {
            kept.weak.is_none_or(|needle| {
                let spread = &spread[needle as usize];
                spread.is_identifying(kept.found.kind) && spread.is_rare()
            })
        });
        // Of several words in one field, the first one has the highest evidence.
        kept.dedup_by(|next, kept| {
            next.row == kept.row
                && next.found.user == kept.found.user
                && next.found.column == kept.found.column
        });
        (kept.into_iter().map(|kept| kept.found).collect(), search)
    }

    /// Collects the matches in one field, and the current values of other users.
    fn field(&mut self, at: usize, column: &Column, row: Row, text: &[u8]) {
        if text.is_empty()
            || text == NoteTreatment::MARK.as_bytes()
            || row.own.is_none() && self.negative_cache.holds(text)
        {
            return;
        }
        self.text.fold(text);
        if let Some(own) = row.own {
            self.own_values(at, column, own);
        }
        self.noted.clear();
        let Self { search, text: folded, spread, other_holders, found, noted, .. } = self;
        let mut is_barren = true;
        search.each(folded, |needle, start, end| {
            is_barren = false;
            let (holders, spread) = (search.holders(needle), &mut spread[needle as usize]);
            let fitting = || holders.iter().filter(|holder| holder.value.fits(folded, start, end));
            let own = || fitting().filter(|holder| belongs_in(column, holder));
            let is_all = |holder: &&Holder| holder.value.is_all_of(text, folded, start, end);
            if let Some(owner) = row.owner.filter(|_| row.has_own_values) {
                if own().any(|holder| holder.value.kind != ValueKind::FullName) && !noted.contains(&needle) {
                    noted.push(needle);
                    spread.living = spread.living.saturating_add(1);
                }
                let whole = own().filter(|holder| holder.value.kind != ValueKind::LastName).find(is_all);
                if let Some(holder) = whole {
                    let has = if holder.value.kind.is_name() { Has::Name } else { Has::Whole };
                    other_holders.add(owner, needle, has);
                } else if column.identifies
                    && !spread.is_weak
                    && fitting().any(|holder| !holder.value.kind.is_name())
                {
                    other_holders.add(owner, needle, Has::Part);
                }
            }
            if spread.is_weak && !column.is_free {
                return;
            }
            if own().any(|holder| is_all(&holder)) {
                return;
            }
            let counting = fitting().filter(|holder| {
                counts(column, row, holder, *spread)
                    && !(holder.is_weak()
                        && holder.value.kind != ValueKind::LastName
                        && folded.is_in_address(start, end))
            });
            found.extend(counting.map(|holder| Found {
                column: at,
                person: holder.person,
                kind: holder.value.kind,
                needle: Some(needle),
                is_weak: holder.is_weak(),
                span: (start, end),
            }));
        });
        if is_barren {
            self.negative_cache.add(text);
        }
    }

    /// Records the full name of another user in each spelling.
    fn note_full_names<'a>(
        &mut self,
        searched: &SearchedTable,
        row: Row,
        fields: impl Iterator<Item = &'a [u8]>,
    ) {
        let Some(owner) = row.owner else { return };
        let mut names = NameParts::default();
        for (column, text) in searched.columns.iter().zip(fields) {
            let part = match column.kind {
                Some(ValueKind::FirstName) => &mut names.first,
                Some(ValueKind::MiddleName) => &mut names.middle,
                Some(ValueKind::PreferredName) => &mut names.preferred,
                Some(ValueKind::LastName) => &mut names.last,
                _ => continue,
            };
            *part = std::str::from_utf8(text).unwrap_or_default().trim();
        }
        self.noted.clear();
        let Self { search, text, spread, other_holders, noted, .. } = self;
        // Their search words have the transcribed forms of their names, too.
        for name in
            [names.first, names.middle, names.preferred, names.last].into_iter().filter_map(transcribed)
        {
            for word in name.split(|c: char| !c.is_alphanumeric()).chain([name.as_str()]) {
                text.fold(word.as_bytes());
                if let Some(needle) = search.needle(text.letters()) {
                    other_holders.add(owner, needle, Has::Part);
                }
            }
        }
        names.each_full_name(|name| {
            text.fold(name.as_bytes());
            let Some(needle) = search.needle(text.letters()) else { return };
            let belongs = |holder: &Holder| {
                holder.value.kind == ValueKind::FullName && holder.value.fits(text, 0, text.letters().len())
            };
            if !noted.contains(&needle) && search.holders(needle).iter().any(belongs) {
                noted.push(needle);
                let spread = &mut spread[needle as usize];
                spread.living = spread.living.saturating_add(1);
                other_holders.add(owner, needle, Has::Name);
            }
        });
    }

    /// Drops matches that are current values of the row's owner, where they belong.
    fn drop_values_of_owner(&mut self, row: Row) {
        let Some(owner) = row.owner.filter(|_| row.own.is_none()) else { return };
        let (is_index, is_message) = (&*self.table == "user_words", &*self.table == "messages");
        let other_holders = &self.other_holders;
        self.found.retain(|found| {
            let Some(needle) = found.needle else { return true };
            let is_of_owner = if found.kind.is_name() {
                other_holders.is_name(owner, needle)
            } else {
                is_index && other_holders.holds(owner, needle)
                    || is_message && other_holders.is_exactly(owner, needle)
            };
            !is_of_owner
        });
    }

    /// Matches a field of the user's own row. Weak values are skipped in codes and similar columns.
    fn own_values(&mut self, at: usize, column: &Column, own: u32) {
        let (_, values) = self.search.values_of(own);
        for (value, letters) in values.iter() {
            let anywhere = value.evidence == Evidence::Strong
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

    /// Returns the key of a row, or the redacted key if it contains a value.
    fn key_to_store(&mut self, searched: &SearchedTable, key: &[u8]) -> String {
        self.text.fold(key);
        let mut has_value = false;
        if searched.key_may_tell {
            let Self { search, text, .. } = self;
            search.each(text, |needle, start, end| {
                has_value |= search.holders(needle).iter().any(|holder| holder.value.fits(text, start, end));
            });
        }
        if has_value { REDACTED_KEY.to_owned() } else { String::from_utf8_lossy(key).into_owned() }
    }

    /// Keeps the matches of a row: for each field and user, the strongest value, or all weak ones.
    ///
    /// Some of the weak ones may be dropped at the end.
    fn keep(&mut self, columns: &[Arc<str>], key: &str) {
        let mut found = std::mem::take(&mut self.found);
        let parts: Vec<bool> =
            found.iter().map(|one| found.iter().any(|other| one.is_part_of(other))).collect();
        let mut parts = parts.into_iter();
        found.retain(|_| parts.next() == Some(false));
        found.sort_unstable_by_key(|found| (found.column, found.person, found.is_weak, found.kind));
        self.rows = self.rows.saturating_add(1);
        for (at, one) in found.iter().enumerate() {
            let mut before = found[..at]
                .iter()
                .rev()
                .take_while(|before| (before.column, before.person) == (one.column, one.person));
            if before.any(|before| !before.is_weak || before.needle == one.needle) {
                continue;
            }
            if let Some(needle) = one.needle
                && !self.spread[needle as usize].count_place(one.is_weak)
            {
                continue;
            }
            let (user, _) = self.search.values_of(one.person);
            let (table, column) = (Arc::clone(&self.table), Arc::clone(&columns[one.column]));
            let found = Match { user, kind: one.kind, table, column, row: key.to_owned() };
            self.kept.push(Kept { found, weak: one.needle.filter(|_| one.is_weak), row: self.rows });
        }
        found.clear();
        self.found = found;
    }
}

/// Returns whether the column is meant for this kind of value.
fn belongs_in(column: &Column, holder: &Holder) -> bool {
    column.kind.is_some_and(|kind| holder.value.kind.belongs_in(kind))
}

/// Returns whether a value counts in this column of this row, as far as its holder is concerned.
fn counts(column: &Column, row: Row, holder: &Holder, spread: Spread) -> bool {
    let kind = holder.value.kind;
    // The user's own rows are matched as a whole by `own_values`.
    let is_for_names = column.identifies && column.kind.is_none_or(ValueKind::is_name);
    if row.own == Some(holder.person) || kind.is_name() && is_for_names {
        return false;
    }
    match holder.value.evidence {
        Evidence::Own => false,
        Evidence::Weak => column.is_free && spread.is_identifying(kind),
        Evidence::Strong => true,
    }
}

fn records(block: &Block) -> impl Iterator<Item = &[u8]> {
    block.text.split(|byte| *byte == RECORD).filter(|record| !record.is_empty())
}

fn names(searched: &SearchedTable) -> (Arc<str>, Vec<Arc<str>>) {
    let columns = searched.columns.iter().map(|column| Arc::from(column.name.as_str()));
    (Arc::from(searched.table.as_str()), columns.collect())
}
