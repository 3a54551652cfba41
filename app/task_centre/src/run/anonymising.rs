//! Executes a run of the task type *Anonymise user data*: in batches, one transaction each.

use super::ended::{Ended, must_stop};
use super::lease::{Lease, LeaseStatus};
use super::retries::{Retries, retrying};
use super::{finish, outcomes, reapply};
use db::entity::runs;
use db::{RecordsError, dialect};
use erasure::anonymise::{self, ErasureRequest, USERS_PER_BATCH};
use erasure::ledger;
use erasure::residue::{self, ErasedValues};
use policy::{Phase, Policy, RunId, RunKind, RunMode, RunState, UserNumber};
use sea_orm::DatabaseTransaction;
use tracing::{Instrument as _, debug_span};
use trail::{Actor, Store};

/// Maximum number of users whose old values are held in memory before they are searched for.
const MAX_REMEMBERED: usize = 12_000;

/// Anonymises the users of a run, searches for residue, cleans the database files and ends the run.
pub(super) async fn execute(
    store: &Store,
    lease: &Lease,
    run: &runs::Model,
    policy: &Policy,
) -> Result<RunState, RecordsError> {
    let request = ErasureRequest {
        run: lease.run,
        policy,
        today: run.today,
        mode: if run.kind == RunKind::Reapply { RunMode::Reapply } else { RunMode::Bulk },
        actor: Actor::unprivileged(run.actor_number.map(UserNumber), run.channel),
    };
    retrying(store, || lease.enter(store, Phase::Anonymising)).await?;
    let mut memory = ErasedValues::default();
    let stop = anonymise_all(store, lease, &request, &mut memory).await?;
    if stop == Ended::LeaseLost {
        return Ok(RunState::Interrupted);
    }
    // This also applies before a shutdown, which would lose the old values.
    retrying(store, || lease.enter(store, Phase::Scanning)).await?;
    scan(store, lease.run, &mut memory).await;
    drop(memory);
    if stop == Ended::ShuttingDown {
        lease.release(store).await?;
        return Ok(RunState::Interrupted);
    }
    let closed = residue::close_what_is_gone(store, request.actor, lease.run);
    if let Err(error) = closed.instrument(debug_span!("scan")).await {
        tracing::warn!(
            run = lease.run.0,
            code = error.code(),
            "findings whose text has disappeared could not be closed"
        );
    }
    retrying(store, || lease.enter(store, Phase::Maintaining)).await?;
    finish::finish(store, lease, &request).instrument(debug_span!("finish")).await
}

async fn anonymise_all(
    store: &Store,
    lease: &Lease,
    request: &ErasureRequest<'_>,
    memory: &mut ErasedValues,
) -> Result<Ended, RecordsError> {
    let mut retries = Retries::default();
    let mut after = UserNumber(i64::MIN);
    loop {
        if store.is_stopping() {
            return Ok(Ended::ShuttingDown);
        }
        match next_batch(store, lease, request, after, memory).await {
            Ok(Batch::Stop(stop)) => return Ok(stop),
            Ok(Batch::Done(last)) => (after, retries) = (last, Retries::default()),
            Err(error) if error.is_temporary() => retries.wait(store, error).await?,
            Err(error @ (RecordsError::Ledger(_) | RecordsError::Suppression(_))) => return Err(error),
            Err(_) => match one_by_one(store, lease, request, after, memory).await {
                Ok(Some(stop)) => return Ok(stop),
                Ok(None) => {}
                Err(error) if error.is_temporary() => retries.wait(store, error).await?,
                Err(error) => return Err(error),
            },
        }
        if memory.people() >= MAX_REMEMBERED {
            scan(store, request.run, memory).await;
        }
    }
}

/// Searches for residue. If the search fails, its users keep no result and are never reported as clean.
async fn scan(store: &Store, run: RunId, memory: &mut ErasedValues) {
    if let Err(error) = residue::scan(store, run, memory).instrument(debug_span!("scan")).await {
        tracing::warn!(run = run.0, code = error.code(), "the database could not be searched for residue");
        *memory = ErasedValues::default();
    }
}

/// The result of a batch.
enum Batch {
    /// All users up to this one have an outcome.
    Done(UserNumber),
    /// The run must stop.
    Stop(Ended),
}

/// Processes the next batch after `after`, completely or not at all.
///
/// Locks the run before it reads the batch, so that no user is processed or counted twice.
async fn next_batch(
    store: &Store,
    lease: &Lease,
    request: &ErasureRequest<'_>,
    after: UserNumber,
    memory: &mut ErasedValues,
) -> Result<Batch, RecordsError> {
    let tx = store.begin().await?;
    if let Some(stop) = must_stop(lease, &tx).await? {
        return Ok(Batch::Stop(stop));
    }
    let batch =
        outcomes::remaining(&tx, request.run, after, USERS_PER_BATCH).instrument(debug_span!("next")).await?;
    let Some(last) = batch.last().copied() else { return Ok(Batch::Stop(Ended::Completed)) };
    let all = in_one_transaction(store, tx, request, batch, memory).await?;
    Ok(Batch::Done(if all { last } else { after }))
}

/// Processes these users, all or none. Returns whether it took the whole batch.
///
/// A reapply run takes only users of one policy at a time.
async fn in_one_transaction(
    store: &Store,
    tx: DatabaseTransaction,
    request: &ErasureRequest<'_>,
    mut batch: Vec<UserNumber>,
    memory: &mut ErasedValues,
) -> Result<bool, RecordsError> {
    dialect::prefer_indexes(&tx).await?;
    let asked = batch.len();
    let policy_of_old;
    let mut request = request.clone();
    if request.mode == RunMode::Reapply {
        (policy_of_old, batch) = reapply::of_one_policy(&tx, &batch).await?;
        request.policy = &policy_of_old;
    }
    let read = ErasedValues::read(&tx, request.policy, &batch).instrument(debug_span!("remember")).await?;
    let outcomes =
        anonymise::anonymise(store, &tx, &request, &batch).instrument(debug_span!("anonymise")).await?;
    outcomes::record(&tx, request.run, &outcomes).instrument(debug_span!("record")).await?;
    ledger::commit(store, tx, &request, &outcomes).instrument(debug_span!("commit")).await?;
    memory.keep(read, &outcomes.done);
    Ok(batch.len() == asked)
}

/// Processes users one by one after a batch failed, so that one bad record doesn't stop the others.
async fn one_by_one(
    store: &Store,
    lease: &Lease,
    request: &ErasureRequest<'_>,
    after: UserNumber,
    memory: &mut ErasedValues,
) -> Result<Option<Ended>, RecordsError> {
    for number in outcomes::remaining(&store.db, request.run, after, USERS_PER_BATCH).await? {
        let tx = store.begin().await?;
        if let Some(stop) = must_stop(lease, &tx).await? {
            return Ok(Some(stop));
        }
        // This process holds the run, so no other process can have processed the user.
        let Err(error) = in_one_transaction(store, tx, request, vec![number], memory).await else { continue };
        match error {
            // The fault isn't specific to this user. The next batch includes the remaining users.
            error if error.is_temporary() => return Ok(None),
            error @ (RecordsError::Ledger(_) | RecordsError::Suppression(_)) => return Err(error),
            error => quarantine(store, lease, number, error.code()).await?,
        }
    }
    Ok(None)
}

/// Records that a user failed. The user is unchanged, and the next run tries again.
async fn quarantine(
    store: &Store,
    lease: &Lease,
    number: UserNumber,
    code: &'static str,
) -> Result<(), RecordsError> {
    tracing::warn!(run = lease.run.0, code, "a user could not be anonymised");
    let tx = store.begin().await?;
    if lease.status(&tx).await? == LeaseStatus::Lost {
        return Ok(());
    }
    outcomes::record_failure(&tx, lease.run, number, code).await?;
    store.commit(tx).await?;
    Ok(())
}
