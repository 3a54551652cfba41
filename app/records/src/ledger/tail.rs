//! What is known of the ledger up to its end, so that nobody reads it again for every entry.

use super::entry::{Entry, Header, People, Place, What, policy_text};
use super::file::{Damage, LedgerFile};
use policy::{Policy, RunId, Selection};
use std::collections::HashMap;

/// The end of the ledger, as it was when this process last had it open.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    pub(super) library: String,
    /// Where the file begins.
    pub(super) begins: Place,
    /// Where its last whole line ends, in bytes.
    pub(super) position: u64,
    /// Its last entry.
    pub(super) last: Place,
    /// The last entry of people that holds: the database that goes with this ledger follows it up to here.
    pub(super) followed: Place,
    /// People whose transaction may have been committed or not.
    pub(super) unsettled: Option<Unsettled>,
    /// Entries of people that hold or are unsettled, and people in them.
    pub(super) entries: i64,
    pub(super) people: i64,
    /// The entries of policies, by their text.
    pub(super) policies: HashMap<String, i64>,
    /// Whether a line that was never finished follows.
    pub(super) torn: bool,
}

/// People whose transaction may have been committed or not: a process died, or lost its database, on the way.
#[derive(Clone, Debug)]
pub(super) struct Unsettled {
    pub(super) place: Place,
    /// What the database followed before.
    pub(super) after: i64,
    pub(super) run: RunId,
    pub(super) selection: Selection,
    people: i64,
}

impl Tail {
    /// A ledger of which nothing but the first line was read.
    pub(super) fn of(header: &Header, position: u64) -> Self {
        Self {
            library: header.library.clone(),
            begins: header.begins(),
            position,
            last: header.begins(),
            followed: header.begins(),
            unsettled: None,
            entries: 0,
            people: 0,
            policies: HashMap::new(),
            torn: false,
        }
    }

    /// Reads the whole ledger; `each` sees every entry.
    pub(super) fn read(
        file: &mut LedgerFile,
        mut each: impl FnMut(&Self, &Entry, &Place),
    ) -> Result<Self, Damage> {
        let (header, mut lines) = file.read()?;
        let mut tail = Self::of(&header, lines.position);
        while let Some((entry, place)) = lines.next()? {
            tail.take(&entry, place.clone(), lines.position)?;
            each(&tail, &entry, &place);
        }
        tail.torn = lines.torn;
        Ok(tail)
    }

    /// Reads what others have added since.
    pub(super) fn catch_up(&mut self, file: &mut LedgerFile) -> Result<(), Damage> {
        let mut lines = file.read_from(self.position, self.last.clone())?;
        while let Some((entry, place)) = lines.next()? {
            self.take(&entry, place, lines.position)?;
        }
        self.torn = lines.torn;
        Ok(())
    }

    /// The last entry of people, whether it is settled or not.
    pub(super) fn last_people(&self) -> &Place {
        self.unsettled.as_ref().map_or(&self.followed, |unsettled| &unsettled.place)
    }

    /// Takes over the next entry, which ends at a position and a place.
    pub(super) fn take(&mut self, entry: &Entry, place: Place, position: u64) -> Result<(), Damage> {
        let strange = Damage::Unsettled { sequence: entry.sequence };
        match (&entry.what, self.unsettled.take()) {
            (What::Policy { policy }, unsettled) => {
                self.unsettled = unsettled;
                // A policy of a later version is not known again, and written once more.
                if let Some(text) = known_policy(policy) {
                    self.policies.insert(text, entry.sequence);
                }
            }
            (What::People(people), None) => {
                let unsettled = Unsettled::of(people, place.clone());
                self.entries += 1;
                self.people += unsettled.people;
                self.unsettled = Some(unsettled);
            }
            (What::Done { of }, Some(unsettled)) if unsettled.place.sequence == *of => {
                self.followed = unsettled.place;
            }
            (What::Void { of }, Some(unsettled)) if unsettled.place.sequence == *of => {
                self.entries -= 1;
                self.people -= unsettled.people;
            }
            _ => return Err(strange),
        }
        self.last = place;
        self.position = position;
        Ok(())
    }
}

fn known_policy(policy: &serde_json::Value) -> Option<String> {
    let policy: Policy = serde_json::from_value(policy.clone()).ok()?;
    policy_text(&policy).ok()
}

impl Unsettled {
    fn of(people: &People, place: Place) -> Self {
        Self {
            place,
            after: people.after,
            run: people.run,
            selection: people.selection,
            people: i64::try_from(people.who.len()).unwrap_or(i64::MAX),
        }
    }

    /// How many people it names.
    pub(super) const fn people(&self) -> i64 {
        self.people
    }
}
