//! Commits anonymised users: writes them to the ledger on disk first, then commits the database transaction.

use super::entry::{EntryKind, People, Person};
use super::writer::Writer;
use super::{in_doubt, status, watermark};
use crate::anonymise::{ErasureRequest, Outcomes};
use db::{RecordsError, Storage, dialect};
use policy::{Policy, RULES_VERSION, RunMode};
use sea_orm::DatabaseTransaction;
use trail::{Store, audit, chain};

/// Records the audit event, writes the ledger entry and commits `tx`.
///
/// On an error, the transaction was rolled back or its outcome is unknown. In the second case, the next process
/// that opens the ledger resolves the entry.
pub async fn commit(
    store: &Store,
    tx: DatabaseTransaction,
    request: &ErasureRequest<'_>,
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
        run: request.run,
        day: request.today,
        rules: RULES_VERSION,
        mode: request.mode,
        who: std::iter::zip(&outcomes.keys, &outcomes.done)
            .map(|(key, number)| Person::new(key, *number))
            .collect(),
    };
    // Lock order: row locks first, then the head of the audit chain, then the ledger file.
    audit::note_people(store, &tx, (request.actor, request.run), &outcomes.done, &outcomes.codes).await?;
    let store = store.clone();
    let policy = request.policy.clone();
    // A separate task finishes the commit even if the caller is dropped, e.g. when the browser disconnects.
    tokio::spawn(async move { commit_recorded(&store, tx, &policy, people).await })
        .await
        .map_err(|_| RecordsError::Ledger("The update of the ledger was interrupted. Try again".to_owned()))?
}

#[allow(clippy::disallowed_methods, reason = "the events were chained before the ledger was opened")]
async fn commit_recorded(
    store: &Store,
    tx: DatabaseTransaction,
    policy: &Policy,
    people: People,
) -> Result<(), RecordsError> {
    // A single user's success is reported at once, so `done` must be durable. A run reports success only at its
    // end.
    let durable = people.mode == RunMode::Single;
    chain::chain(&store.chain_key, &tx).await?;
    let writer = Writer::enter(store).await?;
    let writer = before_commit(writer, &tx, policy, people).await?;
    store.vitals.written(Storage::Ledger);
    let of = writer.tail.last.sequence;
    let committed = tx.commit().await;
    let what = match &committed {
        Ok(()) => EntryKind::Done { of },
        Err(error) if dialect::is_rolled_back(error) => EntryKind::Void { of },
        // The outcome is unknown. The next process that opens the ledger checks the database.
        Err(_) => return Ok(committed?),
    };
    let mut draft = writer.draft();
    draft.add(what)?;
    match writer.write(draft, durable).await {
        Ok(writer) => writer.leave(),
        Err(error) => {
            tracing::warn!(
                code = error.code(),
                "the ledger could not be updated after a commit; the next process that opens it does so"
            );
        }
    }
    Ok(committed?)
}

/// Does all work before the commit: resolves an earlier entry in doubt, advances the watermark and writes the
/// users.
pub async fn before_commit(
    writer: Writer,
    tx: &DatabaseTransaction,
    policy: &Policy,
    mut people: People,
) -> Result<Writer, RecordsError> {
    let mut draft = writer.draft();
    if writer.tail.in_doubt.is_some() {
        let mark = watermark::read_settled(tx).await?.ok_or_else(status::apart)?;
        let settled = in_doubt::settled(tx, &writer.tail, &mark.position).await?;
        draft.add(settled.ok_or_else(status::apart)?)?;
    }
    people.policy = draft.policy(policy)?;
    let follows = draft.tail.followed.clone();
    people.after = follows.sequence;
    draft.add(EntryKind::People(people))?;
    if !watermark::advance(tx, &follows, &draft.tail.last).await? {
        return Err(status::apart());
    }
    writer.write(draft, true).await
}
