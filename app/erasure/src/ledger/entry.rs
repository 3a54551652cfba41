//! The lines of the ledger: header, entries and the checksum chain.

use chrono::NaiveDate;
use db::checksum::sha256;
use policy::{Policy, RunId, RunMode, UserNumber};
use serde::{Deserialize, Serialize};

/// Version of the file format, written to the first line.
pub(crate) const FORMAT: &str = "lethe-ledger-1";

/// Text before and after the chain checksum at the end of a line.
const BEFORE_CHAIN: &[u8] = b",\"chain\":\"";
const AFTER_CHAIN: &[u8] = b"\"}";
/// Length of a chain checksum in hexadecimal digits.
const CHAIN_DIGITS: usize = 64;
/// Length of a record fingerprint in hexadecimal digits.
const FINGERPRINT_DIGITS: usize = 16;

/// A chain checksum: SHA-256 over the checksum of the previous line and the line without its own checksum.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Chain(pub(crate) String);

impl Chain {
    /// Returns the checksum with which the ledger of `library` starts.
    pub(crate) fn of_library(library: &str) -> Self {
        Self(sha256(&[FORMAT.as_bytes(), library.as_bytes()]))
    }

    fn after(&self, content: &[u8]) -> Self {
        Self(sha256(&[self.0.as_bytes(), content]))
    }
}

/// A position in the ledger: after one entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LedgerPosition {
    /// Number of the entry; 0 before the first.
    pub sequence: i64,
    /// Chain checksum after the entry.
    pub(crate) chain: Chain,
}

/// The first line.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) format: String,
    /// Random name of the installation, also stored in its database.
    pub(crate) library: String,
    /// Number of the entry after which this file starts.
    pub after: i64,
    /// Chain checksum after that entry.
    pub(crate) chain: Chain,
}

impl Header {
    pub(crate) fn new(library: String, begins: LedgerPosition) -> Self {
        Self { format: FORMAT.to_owned(), library, after: begins.sequence, chain: begins.chain }
    }

    /// Returns a random name for a new installation and the start position of its ledger.
    pub(crate) fn of_new_library() -> (String, LedgerPosition) {
        let library = uuid::Uuid::new_v4().to_string();
        let begins = LedgerPosition { sequence: 0, chain: Chain::of_library(&library) };
        (library, begins)
    }

    pub(crate) fn start_position(&self) -> LedgerPosition {
        LedgerPosition { sequence: self.after, chain: self.chain.clone() }
    }

    pub(crate) fn line(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string(self)? + "\n")
    }
}

/// One line after the header.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Entry {
    /// Number of the entry: one more than the previous entry.
    pub sequence: i64,
    #[serde(flatten)]
    pub(crate) what: EntryKind,
}

/// The content of an entry.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum EntryKind {
    /// A policy, written before the first users anonymised with it. A restored database may not contain it.
    Policy { policy: serde_json::Value },
    /// Users who are about to be anonymised in one transaction.
    People(People),
    /// The transaction of entry `of` was committed.
    Done { of: i64 },
    /// The transaction of entry `of` was rolled back; none of its users was changed.
    Void { of: i64 },
}

/// Users anonymised in one transaction, identified by random values only.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct People {
    /// The entry to which the watermark pointed before. If it still does, these users are unchanged.
    pub after: i64,
    /// Number of the entry with their policy.
    pub policy: i64,
    /// The run that anonymised them.
    pub run: RunId,
    /// Date in the library's time zone.
    pub day: NaiveDate,
    /// Version of the anonymisation rules.
    pub rules: i32,
    /// Mode in which the run selected them.
    pub mode: RunMode,
    /// The users.
    pub who: Vec<Person>,
}

/// One user: the random key of the record, and a fingerprint of that key and the user number.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Person(pub(crate) String, pub(crate) String);

impl Person {
    /// Creates the entry of a user from the random key of the record.
    pub fn new(key: &str, number: UserNumber) -> Self {
        Self(key.to_owned(), fingerprint(key, number))
    }

    /// Returns whether the record with this key and number is this user's.
    pub(crate) fn is(&self, key: &str, number: UserNumber) -> bool {
        self.0 == key && self.1 == fingerprint(key, number)
    }
}

fn fingerprint(key: &str, number: UserNumber) -> String {
    let mut sum = sha256(&[key.as_bytes(), b"/", number.to_string().as_bytes()]);
    sum.truncate(FINGERPRINT_DIGITS);
    sum
}

/// Returns the canonical text of a policy, by which equal policies are found.
pub(crate) fn policy_text(policy: &Policy) -> Result<String, serde_json::Error> {
    serde_json::to_string(policy)
}

/// Why a line was rejected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flaw {
    /// The line isn't a valid entry.
    Unreadable,
    /// The chain checksum doesn't match: this line or an earlier one was changed.
    Chain,
    /// The entry number isn't the next one.
    Order,
}

impl Entry {
    /// Returns the entry after `before`, its line and the new position.
    pub(crate) fn line(
        before: &LedgerPosition,
        what: EntryKind,
    ) -> Result<(String, Self, LedgerPosition), serde_json::Error> {
        let entry = Self { sequence: before.sequence + 1, what };
        let mut line = serde_json::to_string(&entry)?;
        let chain = before.chain.after(line.as_bytes());
        line.pop();
        line.push_str(",\"chain\":\"");
        line.push_str(&chain.0);
        line.push_str("\"}\n");
        let position = LedgerPosition { sequence: entry.sequence, chain };
        Ok((line, entry, position))
    }

    /// Parses the line after `before`, given without its line break.
    pub(crate) fn read(before: &LedgerPosition, mut line: Vec<u8>) -> Result<(Self, LedgerPosition), Flaw> {
        let tail = BEFORE_CHAIN.len() + CHAIN_DIGITS + AFTER_CHAIN.len();
        let at = line.len().checked_sub(tail).ok_or(Flaw::Unreadable)?;
        let chain = line[at..]
            .strip_prefix(BEFORE_CHAIN)
            .and_then(|rest| rest.strip_suffix(AFTER_CHAIN))
            .and_then(|digits| String::from_utf8(digits.to_vec()).ok())
            .map(Chain)
            .ok_or(Flaw::Unreadable)?;
        line.truncate(at);
        line.push(b'}');
        if before.chain.after(&line) != chain {
            return Err(Flaw::Chain);
        }
        let entry: Self = serde_json::from_slice(&line).map_err(|_| Flaw::Unreadable)?;
        if entry.sequence != before.sequence + 1 {
            return Err(Flaw::Order);
        }
        let position = LedgerPosition { sequence: entry.sequence, chain };
        Ok((entry, position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> LedgerPosition {
        LedgerPosition { sequence: 0, chain: Chain::of_library("a library") }
    }

    fn people() -> EntryKind {
        EntryKind::People(People {
            after: 0,
            policy: 1,
            run: RunId(7),
            day: NaiveDate::from_ymd_opt(2018, 1, 21).expect("a date"),
            rules: 1,
            mode: RunMode::Bulk,
            who: vec![Person::new("a \"key\"", UserNumber(4))],
        })
    }

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let (line, _, position) = Entry::line(&start(), people()).expect("a line");
        let (entry, read) = Entry::read(&start(), line.trim_end().into()).expect("readable");
        assert_eq!(read, position);
        let EntryKind::People(read) = entry.what else { panic!("not people") };
        assert!(read.who[0].is("a \"key\"", UserNumber(4)));
        assert!(!read.who[0].is("a \"key\"", UserNumber(5)), "the same key under another number");
        assert_eq!(read.run, RunId(7));
    }

    #[test]
    fn whatever_is_changed_is_seen() {
        let (line, _, after) = Entry::line(&start(), people()).expect("a line");
        let line = line.trim_end();
        for (from, to) in [("\"run\":7", "\"run\":8"), ("bulk", "single"), ("2018-01-21", "2018-01-22")] {
            let changed = line.replace(from, to);
            assert_ne!(changed, line, "{from}");
            assert_eq!(Entry::read(&start(), changed.into()).err(), Some(Flaw::Chain), "{from}");
        }
        for cut in 1..line.len() {
            assert!(Entry::read(&start(), line[..cut].into()).is_err(), "cut after {cut}");
        }
        assert_eq!(Entry::read(&after, line.into()).err(), Some(Flaw::Chain), "in another position");
        let skipped = LedgerPosition { sequence: 1, ..start() };
        assert_eq!(Entry::read(&skipped, line.into()).err(), Some(Flaw::Order));
    }
}
