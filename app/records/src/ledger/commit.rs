//! Committing people: first they stand in the ledger, on the disk, then in the database.

use super::entry::{People, Person, What};
use super::writer::Writer;
use super::{mark, settle, standing};
use crate::anonymise::{Job, Outcomes};
use crate::audit;
use crate::dialect;
use crate::error::{Place, RecordsError};
use crate::store::Store;
use policy::{Policy, RULES_VERSION, Selection};
use sea_orm::DatabaseTransaction;

/// Notes and commits what was done, after it stands in the ledger. When this fails, the transaction was rolled back, or
/// nobody can tell: then whoever opens the ledger next finds out.
pub(crate) async fn commit(
    store: &Store,
    tx: DatabaseTransaction,
    job: &Job<'_>,
    outcomes: &Outcomes,
) -> Result<(), RecordsError> {
    if outcomes.done.is_empty() {
        return store.commit(tx).await;
    }
    if outcomes.keys.len() != outcomes.done.len() {
        return Err(RecordsError::Corrupt("key of a user"));
    }
    let people = People {
        after: 0,
        policy: 0,
        run: job.run,
        day: job.today,
        rules: RULES_VERSION,
        selection: job.selection,
        who: std::iter::zip(&outcomes.keys, &outcomes.done)
            .map(|(key, number)| Person::new(key, *number))
            .collect(),
    };
    // Whoever waits for more than one thing takes the end of the audit after all rows, and before the ledger.
    audit::note_people(store, &tx, job, &outcomes.done).await?;
    let store = store.clone();
    let policy = job.policy.clone();
    // It goes on when whoever asked for it goes away: a browser that is closed leaves nothing open.
    tokio::spawn(async move { noted(&store, tx, &policy, people).await })
        .await
        .map_err(|_| RecordsError::Ledger("Work on the ledger was broken off. Try again".to_owned()))?
}

#[allow(clippy::disallowed_methods, reason = "the events were chained before the ledger was opened")]
async fn noted(
    store: &Store,
    tx: DatabaseTransaction,
    policy: &Policy,
    people: People,
) -> Result<(), RecordsError> {
    // One user has somebody who waits for the answer and believes it; the people of a run are told when it ends.
    let durable = people.selection == Selection::Single;
    audit::chain(store, &tx).await?;
    let writer = Writer::enter(store).await?;
    let writer = before_commit(writer, &tx, policy, people).await?;
    store.vitals.written(Place::Ledger);
    let of = writer.tail.last.sequence;
    let committed = tx.commit().await;
    let what = match &committed {
        Ok(()) => What::Done { of },
        Err(error) if dialect::is_rolled_back(error) => What::Void { of },
        // Nobody can tell. The next one who opens the ledger looks at the database.
        Err(_) => return Ok(committed?),
    };
    let mut draft = writer.draft();
    draft.add(what)?;
    match writer.write(draft, durable).await {
        Ok(writer) => writer.leave(),
        Err(error) => {
            tracing::warn!(code = error.code(), "the ledger could not be settled; it will be later");
        }
    }
    Ok(committed?)
}

/// Everything before the commit: settles what an earlier process left open, moves the mark of the database, and
/// writes the people.
pub(super) async fn before_commit(
    writer: Writer,
    tx: &DatabaseTransaction,
    policy: &Policy,
    mut people: People,
) -> Result<Writer, RecordsError> {
    let mut draft = writer.draft();
    if writer.tail.unsettled.is_some() {
        let mark = mark::read_settled(tx).await?.ok_or_else(standing::apart)?;
        let settled = settle::settled(tx, &writer.tail, &mark.place).await?;
        draft.add(settled.ok_or_else(standing::apart)?)?;
    }
    people.policy = draft.policy(policy)?;
    let follows = draft.tail.followed.clone();
    people.after = follows.sequence;
    draft.add(What::People(people))?;
    if !mark::advance(tx, &follows, &draft.tail.last).await? {
        return Err(standing::apart());
    }
    writer.write(draft, true).await
}
