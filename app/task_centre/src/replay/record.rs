//! The run of a replay, listed in the history like any other run.

use crate::new_run::{self, Basis};
use db::entity::{run_members, runs};
use db::{RecordsError, dialect};
use erasure::anonymise::Outcomes;
use erasure::ledger::people::FoundUser;
use erasure::ledger::receipt::Receipt;
use erasure::{certificate, run_counts};
use policy::personal_data::{RowOwner, TABLES};
use policy::{Outcome, Policy, Reason, Residue, RunId, RunKind, RunState, UserNumber};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait, QueryFilter, Set};
use std::collections::BTreeSet;
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// Returns the unfinished replay run, if there is one.
pub(super) async fn open(tx: &DatabaseTransaction) -> Result<Option<RunId>, DbErr> {
    let run = runs::Entity::find()
        .filter(runs::Column::Kind.eq(RunKind::Replay))
        .filter(runs::Column::FinishedAt.is_null())
        .one(tx)
        .await?;
    Ok(run.map(|run| RunId(run.id)))
}

/// Creates the replay run.
///
/// Its state is *failed* until the replay is verified. A restored database may contain an active run, and only one
/// run may be active.
pub(super) async fn begin(tx: &DatabaseTransaction, store: &Store) -> Result<RunId, RecordsError> {
    let more = runs::ActiveModel { started_at: Set(Some(store.clock.now())), ..Default::default() };
    let state = (RunKind::Replay, RunState::Failed);
    let basis = Basis::Policy(Policy::default());
    let run = new_run::insert(tx, (store, Actor::REPLAY), state, basis, more).await?;
    Ok(RunId(run.id))
}

/// Adds users and their outcomes to the run.
pub(super) async fn add(
    tx: &DatabaseTransaction,
    run: RunId,
    found: &[FoundUser],
    outcomes: &Outcomes,
) -> Result<(), DbErr> {
    let done: BTreeSet<UserNumber> = outcomes.done.iter().copied().collect();
    let members = found.iter().map(|person| {
        let (outcome, reason) = if done.contains(&person.number) {
            (Outcome::Done, None)
        } else {
            (Outcome::Skipped, Some(Reason::AlreadyAnonymised.number()))
        };
        run_members::ActiveModel {
            run_id: Set(run.0),
            user_number: Set(person.number.0),
            reason: Set(Reason::Eligible.number()),
            blockers: Set(0),
            outcome: Set(Some(outcome)),
            outcome_reason: Set(reason),
            ..Default::default()
        }
    });
    if !found.is_empty() {
        // A user named twice in the ledger keeps the first outcome.
        let twice = [run_members::Column::RunId, run_members::Column::UserNumber];
        run_members::Entity::insert_many(members)
            .on_conflict(OnConflict::columns(twice).do_nothing().to_owned())
            .exec_without_returning(tx)
            .await?;
    }
    let counts: Vec<(&str, &str, u64)> =
        outcomes.rows.iter().map(|(table, rows)| ("table", *table, *rows)).collect();
    run_counts::add_all(tx, run, &counts).await
}

/// Ends the run. Its state follows from the numbers of users stored for it.
pub(super) async fn end(
    tx: &DatabaseTransaction,
    store: &Store,
    run: RunId,
    receipt: &Receipt,
) -> Result<(), RecordsError> {
    // Old values are kept in memory only. An interrupted replay has lost them.
    run_members::Entity::update_many()
        .col_expr(run_members::Column::Residue, Expr::value(Residue::Undeterminable))
        .filter(run_members::Column::RunId.eq(run.0))
        .filter(run_members::Column::Outcome.eq(Outcome::Done))
        .filter(run_members::Column::Residue.is_null())
        .exec(tx)
        .await?;
    let [done, skipped] = [counted(tx, run, Outcome::Done).await?, counted(tx, run, Outcome::Skipped).await?];
    let state = RunState::of_counts(done + skipped, done, skipped, 0);
    let state = state.ok_or(RecordsError::Corrupt("counts of the run"))?;
    if skipped > 0 {
        let code = Reason::AlreadyAnonymised.code();
        run_counts::add(tx, run, "skipped", code, skipped.unsigned_abs()).await?;
    }
    runs::Entity::update_many()
        .col_expr(runs::Column::State, Expr::value(state))
        .col_expr(runs::Column::Users, Expr::value(done + skipped))
        .col_expr(runs::Column::Previewed, Expr::value(done + skipped))
        .col_expr(runs::Column::Done, Expr::value(done))
        .col_expr(runs::Column::Skipped, Expr::value(skipped))
        .col_expr(runs::Column::FinishedAt, Expr::value(store.clock.now()))
        .filter(runs::Column::Id.eq(run.0))
        .exec(tx)
        .await?;
    let detail = format!("entries={}-{}", receipt.from_sequence, receipt.to_sequence);
    let subject = Subject::Run(run.0);
    audit::record_event(
        tx,
        &store.clock,
        Actor::REPLAY,
        AuditAction::LedgerReplayed,
        subject,
        Some(run),
        &detail,
    )
    .await?;
    certificate::make(tx, store, run).await
}

async fn counted(tx: &DatabaseTransaction, run: RunId, outcome: Outcome) -> Result<i64, DbErr> {
    let count = run_members::Entity::find()
        .filter(run_members::Column::RunId.eq(run.0))
        .filter(run_members::Column::Outcome.eq(outcome))
        .count(tx)
        .await?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Removes the values that the backup brought back from the database files.
pub(super) async fn checkpoint(store: &Store) {
    let tables: Vec<&str> =
        TABLES.iter().filter(|table| table.owner != RowOwner::NoUser).map(|table| table.name).collect();
    if dialect::checkpoint(&store.db, &tables).await.is_err() {
        tracing::warn!("the database files could not be cleaned after the replay");
    }
}
