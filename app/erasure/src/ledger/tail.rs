//! The state at the end of the ledger, cached so that a new entry doesn't require reading the whole file.

use super::entry::{Entry, EntryKind, Header, LedgerPosition, People, policy_text};
use super::file::{Damage, LedgerFile};
use policy::{Policy, RunId, RunMode};
use std::collections::HashMap;

/// The end of the ledger, as this process last saw it.
#[derive(Clone, Debug)]
pub struct Tail {
    pub(crate) library: String,
    /// Position at which the file starts.
    pub(crate) begins: LedgerPosition,
    /// End of the last complete line, in bytes.
    pub(crate) file_offset: u64,
    /// Position after the last entry.
    pub(crate) last: LedgerPosition,
    /// Position of the last committed `people` entry, to which the watermark of a matching database points.
    pub(crate) followed: LedgerPosition,
    /// Users of the last entry, if it is in doubt.
    pub(crate) in_doubt: Option<InDoubt>,
    /// Numbers of `people` entries (committed or in doubt) and of users in them.
    pub(crate) entries: i64,
    pub people: i64,
    /// Numbers of the policy entries by policy text.
    pub(crate) policies: HashMap<String, i64>,
    /// Whether an unfinished line follows.
    pub(crate) torn: bool,
}

/// Users whose transaction may or may not have committed: a process died, or lost its database, before it knew.
#[derive(Clone, Debug)]
pub(crate) struct InDoubt {
    pub position: LedgerPosition,
    /// The entry to which the watermark pointed before.
    pub after: i64,
    pub run: RunId,
    pub mode: RunMode,
    people: i64,
}

impl Tail {
    /// Returns the state of a ledger of which only the first line was read.
    pub(crate) fn new(header: &Header, file_offset: u64) -> Self {
        Self {
            library: header.library.clone(),
            begins: header.start_position(),
            file_offset,
            last: header.start_position(),
            followed: header.start_position(),
            in_doubt: None,
            entries: 0,
            people: 0,
            policies: HashMap::new(),
            torn: false,
        }
    }

    /// Reads the whole ledger and calls `each` for every entry.
    pub(crate) fn read(
        file: &mut LedgerFile,
        mut each: impl FnMut(&Self, &Entry, &LedgerPosition),
    ) -> Result<Self, Damage> {
        let (header, mut lines) = file.read()?;
        let mut tail = Self::new(&header, lines.file_offset);
        while let Some((entry, position)) = lines.next()? {
            tail.take(&entry, position.clone(), lines.file_offset)?;
            each(&tail, &entry, &position);
        }
        tail.torn = lines.torn;
        Ok(tail)
    }

    /// Reads the entries that other processes have added since.
    pub(crate) fn catch_up(&mut self, file: &mut LedgerFile) -> Result<(), Damage> {
        let mut lines = file.read_from(self.file_offset, self.last.clone())?;
        while let Some((entry, position)) = lines.next()? {
            self.take(&entry, position, lines.file_offset)?;
        }
        self.torn = lines.torn;
        Ok(())
    }

    /// Returns the position of the last `people` entry, committed or in doubt.
    pub fn last_people(&self) -> &LedgerPosition {
        self.in_doubt.as_ref().map_or(&self.followed, |in_doubt| &in_doubt.position)
    }

    /// Applies the next entry, which ends at byte `file_offset` and at `position`.
    pub(crate) fn take(
        &mut self,
        entry: &Entry,
        position: LedgerPosition,
        file_offset: u64,
    ) -> Result<(), Damage> {
        let strange = Damage::InDoubt { sequence: entry.sequence };
        match (&entry.what, self.in_doubt.take()) {
            (EntryKind::Policy { policy }, in_doubt) => {
                self.in_doubt = in_doubt;
                // A policy of a later version isn't recognised and gets written again.
                if let Some(text) = known_policy(policy) {
                    self.policies.insert(text, entry.sequence);
                }
            }
            (EntryKind::People(people), None) => {
                let in_doubt = InDoubt::new(people, position.clone());
                self.entries += 1;
                self.people += in_doubt.people;
                self.in_doubt = Some(in_doubt);
            }
            (EntryKind::Done { of }, Some(in_doubt)) if in_doubt.position.sequence == *of => {
                self.followed = in_doubt.position;
            }
            (EntryKind::Void { of }, Some(in_doubt)) if in_doubt.position.sequence == *of => {
                self.entries -= 1;
                self.people -= in_doubt.people;
            }
            _ => return Err(strange),
        }
        self.last = position;
        self.file_offset = file_offset;
        Ok(())
    }
}

fn known_policy(policy: &serde_json::Value) -> Option<String> {
    let policy: Policy = serde_json::from_value(policy.clone()).ok()?;
    policy_text(&policy).ok()
}

impl InDoubt {
    fn new(people: &People, position: LedgerPosition) -> Self {
        Self {
            position,
            after: people.after,
            run: people.run,
            mode: people.mode,
            people: i64::try_from(people.who.len()).unwrap_or(i64::MAX),
        }
    }

    /// Returns the number of users in the entry.
    pub(crate) const fn people(&self) -> i64 {
        self.people
    }
}
