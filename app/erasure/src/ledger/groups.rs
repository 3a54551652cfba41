//! Reads the users in the ledger in groups that fit into one transaction.

use super::entry::{Entry, EntryKind, LedgerPosition, People, Person};
use super::file::{self, Damage};
use super::people::FoundUser;
use crate::anonymise::USERS_PER_BATCH;
use chrono::NaiveDate;
use policy::{Policy, RULES_VERSION, RunMode};
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Users anonymised with one policy on one day.
#[derive(Clone, Debug)]
pub struct Group {
    /// Their policy.
    pub policy: Arc<Policy>,
    /// Date in the library's time zone.
    pub day: NaiveDate,
    /// Whether these users were already anonymised and had newer rules applied.
    pub(crate) reapplied: bool,
    /// The users.
    pub people: Vec<Person>,
    /// Position after the last entry that names them.
    pub until: LedgerPosition,
}

/// Capacity of the channel in groups. It bounds the memory of a replay.
const MAX_WAITING_GROUPS: usize = 2;

/// Sends the users of the committed and in-doubt `entries` in order. The file is not locked meanwhile.
pub fn read(path: PathBuf, entries: RangeInclusive<i64>) -> mpsc::Receiver<Result<Group, Damage>> {
    let (sender, receiver) = mpsc::channel(MAX_WAITING_GROUPS);
    tokio::task::spawn_blocking(move || {
        let mut reader = Reader { sender, policies: HashMap::new(), held: None, group: None };
        if let Err(damage) = reader.read(path, &entries) {
            let _ = reader.sender.blocking_send(Err(damage));
        }
    });
    receiver
}

struct Reader {
    sender: mpsc::Sender<Result<Group, Damage>>,
    policies: HashMap<i64, Arc<Policy>>,
    /// The last `people` entry, until its `done` or `void` entry has been read.
    held: Option<(People, LedgerPosition)>,
    group: Option<Group>,
}

impl Reader {
    fn read(&mut self, path: PathBuf, entries: &RangeInclusive<i64>) -> Result<(), Damage> {
        let (_, mut lines) = file::read_unlocked(&path)?;
        while let Some((entry, position)) = lines.next()?.filter(|_| !self.sender.is_closed()) {
            let wanted = entries.contains(&entry.sequence);
            self.take(entry, position, wanted)?;
        }
        self.take_held()?;
        self.send();
        Ok(())
    }

    fn take(&mut self, entry: Entry, position: LedgerPosition, wanted: bool) -> Result<(), Damage> {
        match entry.what {
            EntryKind::Policy { policy } => {
                let policy = serde_json::from_value(policy)
                    .map_err(|_| Damage::Policy { sequence: entry.sequence })?;
                self.policies.insert(entry.sequence, Arc::new(policy));
            }
            EntryKind::People(people) if wanted => self.held = Some((people, position)),
            EntryKind::People(_) => {}
            EntryKind::Done { .. } => self.take_held()?,
            EntryKind::Void { .. } => self.held = None,
        }
        Ok(())
    }

    /// Adds the held entry to the current group, or starts a new group if it doesn't fit.
    fn take_held(&mut self) -> Result<(), Damage> {
        let Some((people, until)) = self.held.take() else { return Ok(()) };
        let policy = self.policies.get(&people.policy).cloned();
        let policy = policy.ok_or(Damage::Policy { sequence: until.sequence })?;
        let next = Group {
            policy,
            day: people.day,
            reapplied: people.mode == RunMode::Reapply,
            people: people.who,
            until,
        };
        match &mut self.group {
            Some(group) if group.takes(&next) => {
                group.people.extend(next.people);
                group.until = next.until;
            }
            _ => {
                self.send();
                self.group = Some(next);
            }
        }
        Ok(())
    }

    /// Sends the group. Ignores a closed channel: the receiver no longer needs it.
    fn send(&mut self) {
        if let Some(group) = self.group.take() {
            let _ = self.sender.blocking_send(Ok(group));
        }
    }
}

impl Group {
    /// Returns whether the user is anonymised with older rules than those that this group was brought up to.
    pub fn is_behind(&self, person: &FoundUser) -> bool {
        self.reapplied && person.anonymised && person.rules.is_none_or(|rules| rules < RULES_VERSION)
    }

    fn takes(&self, next: &Self) -> bool {
        Arc::ptr_eq(&self.policy, &next.policy)
            && (self.day, self.reapplied) == (next.day, next.reapplied)
            && (self.people.len() + next.people.len()) as u64 <= USERS_PER_BATCH
    }
}
