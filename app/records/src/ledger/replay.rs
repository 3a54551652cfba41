//! The replay: after a backup was restored, everybody whom the ledger names beyond it is anonymised again.

use super::entry::Place;
use super::groups::{self, Group};
use super::people::{self, Found};
use super::receipt::{self, Counts, Receipt};
use super::writer::Writer;
use super::{Standing, mark, record, standing, survey, verify};
use crate::actor::Actor;
use crate::anonymise::{self, Job, Outcomes};
use crate::audit;
use crate::dialect;
use crate::error::RecordsError;
use crate::residue::{self, Memory};
use crate::store::Store;
use policy::{RULES_VERSION, RunId, Selection, UserNumber};
use sea_orm::DatabaseTransaction;
use std::time::Duration;

/// How long a replay waits for another writer or for another process that replays.
const WAIT: Duration = Duration::from_secs(1);
/// Of how many people old values are held in memory, at most, until they are searched for.
const MOST_REMEMBERED: usize = 12_000;

/// What became of a group of people, their old values, and who was anonymised.
type Again = (Counts, Memory, Vec<UserNumber>);

/// A replay that has begun.
struct Replay<'a> {
    store: &'a Store,
    receipt: Receipt,
    run: RunId,
    memory: Memory,
}

/// Anonymises again everybody whom the ledger names and this restored database does not know to be anonymised,
/// verifies that, and gives the receipt; None when there is nothing to do. A replay that was cut off goes on where
/// it stood. `told` hears how many people of the ledger were dealt with.
pub async fn replay(store: &Store, told: impl Fn(i64)) -> Result<Option<Receipt>, RecordsError> {
    let standing = survey::standing(store).await?;
    if !matches!(standing, Standing::Ahead { .. }) {
        return standing.refuse_unless_level().map(|()| None);
    }
    let mut replay = patiently(async || Replay::begin(store).await).await?;
    told(replay.receipt.people);
    while !replay.follow(&told).await? {
        // Another process replays too: who comes too late for some people goes on after them.
        tokio::time::sleep(WAIT).await;
    }
    replay.scan().await?;
    patiently(async || replay.end().await).await.map(Some)
}

/// Does what another writer of the database may keep from being done, until it is.
async fn patiently<T>(work: impl AsyncFn() -> Result<T, RecordsError>) -> Result<T, RecordsError> {
    loop {
        match work().await {
            Err(error) if dialect::is_passing(&error) => {
                tracing::warn!("the replay of the ledger waits for another program that holds the database");
                tokio::time::sleep(WAIT).await;
            }
            result => return result,
        }
    }
}

impl<'a> Replay<'a> {
    /// Begins, or goes on with what another process began.
    async fn begin(store: &'a Store) -> Result<Self, RecordsError> {
        let tx = store.begin().await?;
        let writer = Writer::enter(store).await?;
        let mark = mark::read_settled(&tx).await?.ok_or_else(standing::apart)?;
        let receipt = match receipt::open(&tx).await? {
            Some(receipt) => receipt,
            None => receipt::begin(&tx, store, mark.place.sequence, writer.tail.last_people()).await?,
        };
        let run = match record::open(&tx).await? {
            Some(run) => run,
            None => record::begin(&tx, store).await?,
        };
        store.commit(tx).await?;
        writer.leave();
        Ok(Self { store, receipt, run, memory: Memory::default() })
    }

    /// Anonymises everybody from the mark on. False where another process was quicker on the way.
    async fn follow(&mut self, told: &impl Fn(i64)) -> Result<bool, RecordsError> {
        let mark = mark::read(&self.store.db).await?.ok_or_else(standing::apart)?;
        let mut at = mark.place;
        let entries = at.sequence + 1..=self.receipt.to_sequence;
        let mut groups = groups::read(self.store.settings.ledger.clone(), entries);
        while let Some(group) = groups.recv().await {
            let group = group?;
            let done = patiently(async || self.anonymise(&at, &group).await).await?;
            let Some((counts, read, done)) = done else { return Ok(false) };
            self.memory.keep(read, &done);
            self.receipt.people += counts.anonymised + counts.already + counts.absent;
            told(self.receipt.people);
            at = group.until;
            if self.memory.people() >= MOST_REMEMBERED {
                self.scan().await?;
            }
        }
        Ok(true)
    }

    /// Anonymises a group and moves the mark, in one transaction. Gives what became of whom, and the old values. None
    /// where the mark is not where it was.
    async fn anonymise(&self, at: &Place, group: &Group) -> Result<Option<Again>, RecordsError> {
        let tx = self.store.begin().await?;
        if !mark::advance(&tx, at, &group.until).await? {
            return Ok(None);
        }
        let found = people::find(&tx, &group.people).await?;
        let read = Memory::read(&tx, &group.policy, &numbers(&found, |person| !person.anonymised)).await?;
        let outcomes = self.everybody(&tx, group, &found).await?;
        record::add(&tx, self.run, &found, &outcomes).await?;
        let count = |people: usize| i64::try_from(people).unwrap_or(i64::MAX);
        let counts = Counts {
            anonymised: count(outcomes.done.len()),
            already: count(found.len() - outcomes.done.len()),
            absent: count(group.people.len() - found.len()),
        };
        receipt::add(&tx, self.receipt.id, counts).await?;
        audit::note_people(self.store, &tx, &self.job(group, Selection::Replay), &outcomes.done).await?;
        self.store.commit(tx).await?;
        Ok(Some((counts, read, outcomes.done)))
    }

    async fn everybody(
        &self,
        tx: &DatabaseTransaction,
        group: &Group,
        found: &[Found],
    ) -> Result<Outcomes, RecordsError> {
        let restored = numbers(found, |person| !person.anonymised);
        let mut outcomes = anonymise::anonymise(tx, &self.job(group, Selection::Replay), &restored).await?;
        let older = numbers(found, |person| group.is_behind(person));
        if !older.is_empty() {
            let again = anonymise::anonymise(tx, &self.job(group, Selection::Reapply), &older).await?;
            outcomes.done.extend(again.done);
            for (table, rows) in again.rows {
                *outcomes.rows.entry(table).or_default() += rows;
            }
        }
        Ok(outcomes)
    }

    fn job<'g>(&self, group: &'g Group, selection: Selection) -> Job<'g> {
        Job { run: self.run, policy: &group.policy, today: group.day, selection, actor: Actor::REPLAY }
    }

    /// Searches for old values of those who were anonymised, and forgets these.
    async fn scan(&mut self) -> Result<(), RecordsError> {
        residue::scan(self.store, self.run, &mut self.memory).await
    }

    /// Verifies everybody, and writes receipt, state and certificate.
    async fn end(&self) -> Result<Receipt, RecordsError> {
        let Self { store, run, receipt, .. } = self;
        verify::everybody(store, receipt).await?;
        let tx = store.begin().await?;
        if receipt::end(&tx, store, receipt.id).await? {
            record::end(&tx, store, *run, receipt).await?;
            store.commit(tx).await?;
        }
        settle(store).await?;
        record::sweep(store).await;
        receipt::read(&store.db, receipt.id).await
    }
}

impl Group {
    /// Whether somebody was anonymised, but not yet under the rules to which this group was brought up.
    pub(super) fn is_behind(&self, person: &Found) -> bool {
        self.reapplied && person.anonymised && person.rules.is_none_or(|rules| rules < RULES_VERSION)
    }
}

fn numbers(found: &[Found], which: impl Fn(&Found) -> bool) -> Vec<UserNumber> {
    found.iter().filter(|person| which(person)).map(|person| person.number).collect()
}

/// The last people may have been unsettled. They are done now.
async fn settle(store: &Store) -> Result<(), RecordsError> {
    let writer = Writer::enter(store).await?;
    let mark = mark::read_settled(&store.db).await?.ok_or_else(standing::apart)?;
    survey::settle_and_tidy(store, writer, &mark.place).await?.leave();
    Ok(())
}
