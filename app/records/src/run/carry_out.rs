//! Carrying out a run: batch by batch, each in a transaction of its own.

use super::stored_policy;
use crate::actor::{Actor, Channel};
use crate::anonymise::{self, BATCH, Job, Outcomes};
use crate::audit::{self, Deed, Subject};
use crate::dialect;
use crate::entity::{run_counts, run_members, runs};
use crate::error::RecordsError;
use crate::store::Store;
use policy::register::{Owner, TABLES};
use policy::{Outcome, Reason, RunId, RunState, Selection, UserNumber};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a run waits before it tries a batch again that another writer has kept from it.
const WAIT: Duration = Duration::from_secs(1);
/// How often it waits for the same batch: with the time that the database itself waits, more than an hour.
const MOST_WAITS: u32 = 600;

/// Carries out a run to its end and gives its state. A run that was cut off is taken up where it stood: who has
/// an outcome is not touched again.
pub async fn carry_out(store: &Store, run: RunId) -> Result<RunState, RecordsError> {
    let run = runs::Entity::find_by_id(run.0)
        .one(&store.db)
        .await?
        .filter(|run| run.state == RunState::Running.code())
        .ok_or(RecordsError::NotFound("run that is under way"))?;
    let policy = stored_policy(&run.policy)?;
    let job = Job {
        run: RunId(run.id),
        policy: &policy,
        today: run.today,
        selection: Selection::Bulk,
        actor: Actor { staff: run.actor_number.map(UserNumber), channel: channel(&run.channel) },
    };
    let mut waits = 0;
    loop {
        let batch = remaining(store, job.run).await?;
        if batch.is_empty() {
            break;
        }
        match in_one_transaction(store, &job, &batch).await {
            Err(error) if dialect::is_busy(&error) => wait_for_the_others(&mut waits).await?,
            Err(_) => one_by_one(store, &job, &batch).await?,
            Ok(()) => waits = 0,
        }
    }
    finish(store, &job).await
}

/// Another writer holds the database: that is nobody's failure, and the batch is tried again later.
async fn wait_for_the_others(waits: &mut u32) -> Result<(), RecordsError> {
    *waits += 1;
    if *waits > MOST_WAITS {
        return Err(RecordsError::Refused(
            "Another program holds the database. The run goes on later".to_owned(),
        ));
    }
    tokio::time::sleep(WAIT).await;
    Ok(())
}

fn channel(code: &str) -> Channel {
    [Channel::CommandLine, Channel::Schedule]
        .into_iter()
        .find(|channel| channel.code() == code)
        .unwrap_or(Channel::Desk)
}

/// The next people of the run that have no outcome.
async fn remaining(store: &Store, run: RunId) -> Result<Vec<UserNumber>, DbErr> {
    let numbers: Vec<i64> = run_members::Entity::find()
        .select_only()
        .column(run_members::Column::UserNumber)
        .filter(run_members::Column::RunId.eq(run.0))
        .filter(run_members::Column::Outcome.is_null())
        .order_by_asc(run_members::Column::UserNumber)
        .limit(BATCH)
        .into_tuple()
        .all(&store.db)
        .await?;
    Ok(numbers.into_iter().map(UserNumber).collect())
}

async fn in_one_transaction(store: &Store, job: &Job<'_>, batch: &[UserNumber]) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    let batch = untouched(&tx, job.run, batch).await?;
    let outcomes = anonymise::anonymise(&tx, &store.clock, job, &batch).await?;
    record(&tx, store, job, &outcomes).await?;
    crate::ledger::commit(store, tx, job, &outcomes).await
}

/// Those of a batch that still have no outcome. The run is locked meanwhile: two processes that carry out the same
/// run never do the same person, and never count anybody twice.
async fn untouched(
    tx: &DatabaseTransaction,
    run: RunId,
    batch: &[UserNumber],
) -> Result<Vec<UserNumber>, DbErr> {
    let backend = tx.get_database_backend();
    let lock = format!("SELECT id FROM runs WHERE id = ?{}", dialect::for_update(backend));
    tx.query_all_raw(dialect::statement(backend, &lock, vec![run.0.into()])).await?;
    let numbers: Vec<i64> = run_members::Entity::find()
        .select_only()
        .column(run_members::Column::UserNumber)
        .filter(run_members::Column::RunId.eq(run.0))
        .filter(run_members::Column::UserNumber.is_in(batch.iter().map(|number| number.0)))
        .filter(run_members::Column::Outcome.is_null())
        .order_by_asc(run_members::Column::UserNumber)
        .into_tuple()
        .all(tx)
        .await?;
    Ok(numbers.into_iter().map(UserNumber).collect())
}

/// After a batch failed: each person alone, so that one bad record does not stop the others.
async fn one_by_one(store: &Store, job: &Job<'_>, batch: &[UserNumber]) -> Result<(), RecordsError> {
    for number in batch {
        let Err(error) = in_one_transaction(store, job, &[*number]).await else { continue };
        if dialect::is_busy(&error) {
            // Not this person's failure: the rest comes again with the next batch.
            return Ok(());
        }
        tracing::warn!(
            run = job.run.0,
            user = number.0,
            code = error.code(),
            "a person could not be anonymised"
        );
        let tx = store.begin().await?;
        outcome(&tx, job.run, &[*number], Outcome::Failed, None, Some(error.code())).await?;
        add(&tx, store, job.run, [0, 0, 1]).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Writes what was done into the run, in the same transaction.
async fn record(
    tx: &DatabaseTransaction,
    store: &Store,
    job: &Job<'_>,
    outcomes: &Outcomes,
) -> Result<(), DbErr> {
    outcome(tx, job.run, &outcomes.done, Outcome::Done, None, None).await?;
    let mut skipped: BTreeMap<Reason, Vec<UserNumber>> = BTreeMap::new();
    for (number, reason) in &outcomes.skipped {
        skipped.entry(*reason).or_default().push(*number);
    }
    for (reason, numbers) in &skipped {
        outcome(tx, job.run, numbers, Outcome::Skipped, Some(*reason), None).await?;
        count(tx, job.run, "skipped", reason.code(), numbers.len() as u64).await?;
    }
    for (table, rows) in &outcomes.rows {
        count(tx, job.run, "table", table, *rows).await?;
    }
    add(tx, store, job.run, [outcomes.done.len() as u64, outcomes.skipped.len() as u64, 0]).await
}

async fn outcome(
    tx: &DatabaseTransaction,
    run: RunId,
    numbers: &[UserNumber],
    outcome: Outcome,
    reason: Option<Reason>,
    failure: Option<&str>,
) -> Result<(), DbErr> {
    if numbers.is_empty() {
        return Ok(());
    }
    run_members::Entity::update_many()
        .col_expr(run_members::Column::Outcome, outcome.code().into())
        .col_expr(run_members::Column::OutcomeReason, Expr::value(reason.map(Reason::number)))
        .col_expr(run_members::Column::Failure, Expr::value(failure.map(str::to_owned)))
        .filter(run_members::Column::RunId.eq(run.0))
        .filter(run_members::Column::UserNumber.is_in(numbers.iter().map(|number| number.0)))
        .exec(tx)
        .await?;
    Ok(())
}

/// Adds to a count of the run.
pub(super) async fn count(
    tx: &DatabaseTransaction,
    run: RunId,
    kind: &str,
    code: &str,
    count: u64,
) -> Result<(), DbErr> {
    let added = i64::try_from(count).unwrap_or(i64::MAX);
    let row = run_counts::ActiveModel {
        run_id: Set(run.0),
        kind: Set(kind.to_owned()),
        code: Set(code.to_owned()),
        count: Set(added),
    };
    let more = Expr::col((run_counts::Entity, run_counts::Column::Count)).add(added);
    run_counts::Entity::insert(row)
        .on_conflict(
            OnConflict::columns([
                run_counts::Column::RunId,
                run_counts::Column::Kind,
                run_counts::Column::Code,
            ])
            .value(run_counts::Column::Count, more)
            .to_owned(),
        )
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Adds to done, skipped and failed of the run, with a sign of life.
async fn add(tx: &DatabaseTransaction, store: &Store, run: RunId, more: [u64; 3]) -> Result<(), DbErr> {
    let [done, skipped, failed] = more.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    let sum = |column: runs::Column, more: i64| Expr::col(column).add(more);
    runs::Entity::update_many()
        .col_expr(runs::Column::Done, sum(runs::Column::Done, done))
        .col_expr(runs::Column::Skipped, sum(runs::Column::Skipped, skipped))
        .col_expr(runs::Column::Failed, sum(runs::Column::Failed, failed))
        .col_expr(runs::Column::HeartbeatAt, Expr::value(store.clock.now()))
        .filter(runs::Column::Id.eq(run.0))
        .exec(tx)
        .await?;
    Ok(())
}

/// Ends the run with the state that its counted people prove, and makes removed values vanish from the files.
async fn finish(store: &Store, job: &Job<'_>) -> Result<RunState, RecordsError> {
    let tx = store.begin().await?;
    let counted = counted(&tx, job.run).await?;
    let run = runs::Entity::find_by_id(job.run.0).lock_exclusive().one(&tx).await?;
    let run = run.ok_or(RecordsError::NotFound("run"))?;
    if let Some(ended) = RunState::from_code(&run.state).filter(|state| *state != RunState::Running) {
        return Ok(ended);
    }
    let previewed = run.previewed;
    let [done, skipped, failed] = counted;
    let state = RunState::of_counts(previewed, done, skipped, failed)
        .ok_or(RecordsError::Corrupt("counts of the run"))?;
    runs::ActiveModel {
        id: Set(job.run.0),
        state: Set(state.code().to_owned()),
        done: Set(done),
        skipped: Set(skipped),
        failed: Set(failed),
        finished_at: Set(Some(store.clock.now())),
        ..Default::default()
    }
    .update(&tx)
    .await?;
    let subject = Subject::Run(job.run.0);
    audit::note(&tx, &store.clock, job.actor, Deed::RunFinished, subject, Some(job.run), state.code())
        .await?;
    crate::certificate::make(&tx, store, job.run).await?;
    tx.commit().await?;
    sweep(store).await;
    Ok(state)
}

/// People of the run by outcome, counted where they stand.
async fn counted(tx: &DatabaseTransaction, run: RunId) -> Result<[i64; 3], DbErr> {
    let sql = "SELECT outcome, COUNT(*) AS n FROM run_members WHERE run_id = ? AND outcome IS NOT NULL \
               GROUP BY outcome";
    let mut counts = [0; 3];
    for row in
        tx.query_all_raw(dialect::statement(tx.get_database_backend(), sql, vec![run.0.into()])).await?
    {
        let code: String = row.try_get("", "outcome")?;
        if let Some(place) = Outcome::ALL.iter().position(|outcome| outcome.code() == code) {
            counts[place] = row.try_get("", "n")?;
        }
    }
    Ok(counts)
}

/// The people are done by now: a database that cannot be swept is noted, and the run stays what it is.
pub(super) async fn sweep(store: &Store) {
    let tables: Vec<&str> =
        TABLES.iter().filter(|table| table.owner != Owner::Nobody).map(|table| table.name).collect();
    if dialect::sweep(&store.db, &tables).await.is_err() {
        tracing::warn!("the database files could not be swept after the run");
    }
}
