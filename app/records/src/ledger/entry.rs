//! What stands in the ledger: its first line, its entries, and the chain that holds them together.

use crate::checksum::sha256;
use chrono::NaiveDate;
use policy::{Policy, RunId, Selection, UserNumber};
use serde::{Deserialize, Serialize};

/// The form of the file, in its first line. A later form gets another name.
pub(super) const FORMAT: &str = "lethe-ledger-1";

/// The end of a line before its chain, and after it.
const BEFORE_CHAIN: &[u8] = b",\"chain\":\"";
const AFTER_CHAIN: &[u8] = b"\"}";
/// Hexadecimal digits of a chain.
const DIGITS: usize = 64;
/// Hexadecimal digits of a fingerprint.
const FINGERPRINT: usize = 16;

/// A checksum over all that stands in the ledger up to some line: SHA-256 over the chain of the line before and
/// the line without its own chain.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct Chain(pub(super) String);

impl Chain {
    /// The chain at the beginning of the ledger of this library.
    pub(super) fn of_library(library: &str) -> Self {
        Self(sha256(&[FORMAT.as_bytes(), library.as_bytes()]))
    }

    fn after(&self, content: &[u8]) -> Self {
        Self(sha256(&[self.0.as_bytes(), content]))
    }
}

/// A place in the ledger: after an entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Place {
    /// The number of the entry; 0 before the first.
    pub(super) sequence: i64,
    /// The chain there.
    pub(super) chain: Chain,
}

/// The first line.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) format: String,
    /// The random name of the installation, which its database knows too.
    pub(super) library: String,
    /// The entry after which this file begins.
    pub(super) after: i64,
    /// The chain there.
    pub(super) chain: Chain,
}

impl Header {
    pub(super) fn new(library: String, begins: Place) -> Self {
        Self { format: FORMAT.to_owned(), library, after: begins.sequence, chain: begins.chain }
    }

    /// A new name for an installation, and where its ledger begins.
    pub(super) fn of_new_library() -> (String, Place) {
        let library = uuid::Uuid::new_v4().to_string();
        let begins = Place { sequence: 0, chain: Chain::of_library(&library) };
        (library, begins)
    }

    pub(super) fn begins(&self) -> Place {
        Place { sequence: self.after, chain: self.chain.clone() }
    }

    pub(super) fn line(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string(self)? + "\n")
    }
}

/// One entry.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Entry {
    /// Its number: one more than that of the entry before.
    pub(super) sequence: i64,
    #[serde(flatten)]
    pub(super) what: What,
}

/// What an entry says.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum What {
    /// A policy, before the first people who were anonymised by it: a restored database may not know it.
    Policy { policy: serde_json::Value },
    /// People who are about to be anonymised in one transaction.
    People(People),
    /// The transaction of these people was committed.
    Done { of: i64 },
    /// The transaction of these people was rolled back: nobody of them was changed.
    Void { of: i64 },
}

/// People who were anonymised in one transaction, named by what is random.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct People {
    /// The entry that the database followed before: if it still does, these people are unchanged.
    pub(super) after: i64,
    /// The entry of their policy.
    pub(super) policy: i64,
    pub(super) run: RunId,
    /// The day of the library.
    pub(super) day: NaiveDate,
    /// The version of the rules.
    pub(super) rules: i32,
    pub(super) selection: Selection,
    pub(super) who: Vec<Person>,
}

/// One person: the random key of the record, and a fingerprint that proves that a record with this key is the same.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Person(pub(super) String, pub(super) String);

impl Person {
    pub(super) fn new(key: &str, number: UserNumber) -> Self {
        Self(key.to_owned(), fingerprint(key, number))
    }

    /// Whether the record with this key and number is this person.
    pub(super) fn is(&self, key: &str, number: UserNumber) -> bool {
        self.0 == key && self.1 == fingerprint(key, number)
    }
}

fn fingerprint(key: &str, number: UserNumber) -> String {
    let mut sum = sha256(&[key.as_bytes(), b"/", number.to_string().as_bytes()]);
    sum.truncate(FINGERPRINT);
    sum
}

/// The text of a policy by which the same policies are known.
pub(super) fn policy_text(policy: &Policy) -> Result<String, serde_json::Error> {
    serde_json::to_string(policy)
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Flaw {
    /// It is no entry.
    Unreadable,
    /// Its chain does not fit: it, or something before it, was changed.
    Chain,
    /// Its number does not follow.
    Order,
}

impl Entry {
    /// The entry that follows a place, as a line of the file, and the place after it.
    pub(super) fn line(before: &Place, what: What) -> Result<(String, Self, Place), serde_json::Error> {
        let entry = Self { sequence: before.sequence + 1, what };
        let mut line = serde_json::to_string(&entry)?;
        let chain = before.chain.after(line.as_bytes());
        line.pop();
        line.push_str(",\"chain\":\"");
        line.push_str(&chain.0);
        line.push_str("\"}\n");
        let place = Place { sequence: entry.sequence, chain };
        Ok((line, entry, place))
    }

    /// Reads the line after a place, without its line break.
    pub(super) fn read(before: &Place, mut line: Vec<u8>) -> Result<(Self, Place), Flaw> {
        let tail = BEFORE_CHAIN.len() + DIGITS + AFTER_CHAIN.len();
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
        let place = Place { sequence: entry.sequence, chain };
        Ok((entry, place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Place {
        Place { sequence: 0, chain: Chain::of_library("a library") }
    }

    fn people() -> What {
        What::People(People {
            after: 0,
            policy: 1,
            run: RunId(7),
            day: NaiveDate::from_ymd_opt(2018, 1, 21).expect("a date"),
            rules: 1,
            selection: Selection::Bulk,
            who: vec![Person::new("a \"key\"", UserNumber(4))],
        })
    }

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let (line, _, place) = Entry::line(&start(), people()).expect("a line");
        let (entry, read) = Entry::read(&start(), line.trim_end().into()).expect("readable");
        assert_eq!(read, place);
        let What::People(read) = entry.what else { panic!("not people") };
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
        assert_eq!(Entry::read(&after, line.into()).err(), Some(Flaw::Chain), "in another place");
        let skipped = Place { sequence: 1, ..start() };
        assert_eq!(Entry::read(&skipped, line.into()).err(), Some(Flaw::Order));
    }
}
