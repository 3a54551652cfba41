//! The replay: after a restore, Lethe again anonymises every user that the ledger names beyond the watermark.

mod record;

use db::RecordsError;
use erasure::anonymise::{self, ErasureRequest, Outcomes};
use erasure::ledger::entry::LedgerPosition;
use erasure::ledger::groups::{self, Group};
use erasure::ledger::people::{self, FoundUser};
use erasure::ledger::receipt::{self, Counts, Receipt};
use erasure::ledger::writer::Writer;
use erasure::ledger::{LedgerStatus, status, survey, verify, watermark};
use erasure::residue::{self, ErasedValues};
use policy::{RunId, RunMode, UserNumber};
use sea_orm::DatabaseTransaction;
use std::time::Duration;
use trail::{Actor, Store, audit};

/// Pause before the replay retries after another process held the database.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// Maximum number of users whose old values are held in memory before they are searched for.
const MAX_REMEMBERED: usize = 12_000;

/// The counts of a group, the users' old values, and the users who were anonymised.
type Again = (Counts, ErasedValues, Vec<UserNumber>);

/// A replay in progress.
struct Replay<'a> {
    store: &'a Store,
    receipt: Receipt,
    run: RunId,
    memory: ErasedValues,
}

/// Anonymises every user that the ledger names and this restored database doesn't have as anonymised.
///
/// Verifies the result and returns the receipt, or `None` if there is nothing to replay. Continues an interrupted
/// replay. Calls `report` with the number of processed users.
pub async fn replay(store: &Store, report: impl Fn(i64)) -> Result<Option<Receipt>, RecordsError> {
    let status = survey::status(store).await?;
    if !matches!(status, LedgerStatus::Ahead { .. }) {
        return status.refuse_unless_level().map(|()| None);
    }
    let mut replay = retrying(async || Replay::begin(store).await).await?;
    report(replay.receipt.people);
    while !replay.follow(&report).await? {
        // Another process is replaying too. Continue after the users that it has processed.
        tokio::time::sleep(RETRY_INTERVAL).await;
    }
    replay.scan().await?;
    retrying(async || replay.end().await).await.map(Some)
}

/// Retries `work` while another process holds the database.
async fn retrying<T>(work: impl AsyncFn() -> Result<T, RecordsError>) -> Result<T, RecordsError> {
    loop {
        match work().await {
            Err(error) if error.is_temporary() => {
                tracing::warn!(
                    "the replay of the ledger is waiting for another program that has locked the database"
                );
                tokio::time::sleep(RETRY_INTERVAL).await;
            }
            result => return result,
        }
    }
}

impl<'a> Replay<'a> {
    /// Starts a replay, or continues an unfinished one.
    async fn begin(store: &'a Store) -> Result<Self, RecordsError> {
        let tx = store.begin().await?;
        let writer = Writer::enter(store).await?;
        let mark = watermark::read_settled(&tx).await?.ok_or_else(status::apart)?;
        let receipt = match receipt::open(&tx).await? {
            Some(receipt) => receipt,
            None => receipt::begin(&tx, store, mark.position.sequence, writer.tail.last_people()).await?,
        };
        let run = match record::open(&tx).await? {
            Some(run) => run,
            None => record::begin(&tx, store).await?,
        };
        store.commit(tx).await?;
        writer.leave();
        Ok(Self { store, receipt, run, memory: ErasedValues::default() })
    }

    /// Anonymises all users after the watermark. Returns false if another process moved the watermark.
    async fn follow(&mut self, report: &impl Fn(i64)) -> Result<bool, RecordsError> {
        let mark = watermark::read(&self.store.db).await?.ok_or_else(status::apart)?;
        let mut at = mark.position;
        let entries = at.sequence + 1..=self.receipt.to_sequence;
        let mut groups = groups::read(self.store.settings.ledger.clone(), entries);
        while let Some(group) = groups.recv().await {
            let group = group?;
            let done = retrying(async || self.anonymise(&at, &group).await).await?;
            let Some((counts, read, done)) = done else { return Ok(false) };
            self.memory.keep(read, &done);
            self.receipt.people += counts.anonymised + counts.already + counts.absent;
            report(self.receipt.people);
            at = group.until;
            if self.memory.people() >= MAX_REMEMBERED {
                self.scan().await?;
            }
        }
        Ok(true)
    }

    /// Anonymises a group and moves the watermark in one transaction.
    ///
    /// Returns the counts, the old values and the anonymised users, or `None` if the watermark isn't at `at`.
    async fn anonymise(&self, at: &LedgerPosition, group: &Group) -> Result<Option<Again>, RecordsError> {
        let tx = self.store.begin().await?;
        if !watermark::advance(&tx, at, &group.until).await? {
            return Ok(None);
        }
        let found = people::find(&tx, &group.people).await?;
        let read =
            ErasedValues::read(&tx, &group.policy, &numbers(&found, |person| !person.anonymised)).await?;
        let outcomes = self.anonymise_all(&tx, group, &found).await?;
        record::add(&tx, self.run, &found, &outcomes).await?;
        let count = |people: usize| i64::try_from(people).unwrap_or(i64::MAX);
        let counts = Counts {
            anonymised: count(outcomes.done.len()),
            already: count(found.len() - outcomes.done.len()),
            absent: count(group.people.len() - found.len()),
        };
        receipt::add(&tx, self.receipt.id, counts).await?;
        audit::note_people(self.store, &tx, (Actor::REPLAY, self.run), &outcomes.done, &outcomes.codes)
            .await?;
        self.store.commit(tx).await?;
        Ok(Some((counts, read, outcomes.done)))
    }

    async fn anonymise_all(
        &self,
        tx: &DatabaseTransaction,
        group: &Group,
        found: &[FoundUser],
    ) -> Result<Outcomes, RecordsError> {
        let restored = numbers(found, |person| !person.anonymised);
        let mut outcomes =
            anonymise::anonymise(self.store, tx, &self.request(group, RunMode::Replay), &restored).await?;
        let older = numbers(found, |person| group.is_behind(person));
        if !older.is_empty() {
            let again =
                anonymise::anonymise(self.store, tx, &self.request(group, RunMode::Reapply), &older).await?;
            outcomes.done.extend(again.done);
            for (table, rows) in again.rows {
                *outcomes.rows.entry(table).or_default() += rows;
            }
        }
        Ok(outcomes)
    }

    fn request<'g>(&self, group: &'g Group, mode: RunMode) -> ErasureRequest<'g> {
        ErasureRequest { run: self.run, policy: &group.policy, today: group.day, mode, actor: Actor::REPLAY }
    }

    /// Searches for old values of the anonymised users, then drops these values.
    async fn scan(&mut self) -> Result<(), RecordsError> {
        residue::scan(self.store, self.run, &mut self.memory).await
    }

    /// Verifies all users and writes the receipt, the run's state and the certificate.
    async fn end(&self) -> Result<Receipt, RecordsError> {
        let Self { store, run, receipt, .. } = self;
        verify::all_anonymised(store, receipt).await?;
        let tx = store.begin().await?;
        if receipt::end(&tx, store, receipt.id).await? {
            record::end(&tx, store, *run, receipt).await?;
            store.commit(tx).await?;
        }
        settle(store).await?;
        record::checkpoint(store).await;
        receipt::read(&store.db, receipt.id).await
    }
}

fn numbers(found: &[FoundUser], which: impl Fn(&FoundUser) -> bool) -> Vec<UserNumber> {
    found.iter().filter(|person| which(person)).map(|person| person.number).collect()
}

/// Resolves the last entry if it was in doubt: its users have been anonymised by now.
async fn settle(store: &Store) -> Result<(), RecordsError> {
    let writer = Writer::enter(store).await?;
    let mark = watermark::read_settled(&store.db).await?.ok_or_else(status::apart)?;
    survey::repair_tail(store, writer, &mark.position).await?.leave();
    Ok(())
}
