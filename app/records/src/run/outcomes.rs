//! Writing into the run what was done with whom, in the transaction that did it.

use crate::anonymise::Outcomes;
use crate::clock::Clock;
use crate::dialect;
use crate::entity::{run_counts, run_members, runs};
use policy::{Outcome, Reason, RunId, UserNumber};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, Set};
use std::collections::BTreeMap;

/// Writes what a batch did: people, counts, a sign of life.
pub(super) async fn record(tx: &DatabaseTransaction, run: RunId, outcomes: &Outcomes) -> Result<(), DbErr> {
    outcome(tx, run, &outcomes.done, Outcome::Done, None, None).await?;
    let mut skipped: BTreeMap<Reason, Vec<UserNumber>> = BTreeMap::new();
    for (number, reason) in &outcomes.skipped {
        skipped.entry(*reason).or_default().push(*number);
    }
    for (reason, numbers) in &skipped {
        outcome(tx, run, numbers, Outcome::Skipped, Some(*reason), None).await?;
        count(tx, run, "skipped", reason.code(), numbers.len() as u64).await?;
    }
    for (table, rows) in &outcomes.rows {
        count(tx, run, "table", table, *rows).await?;
    }
    add(tx, run, [outcomes.done.len() as u64, outcomes.skipped.len() as u64, 0]).await
}

/// Writes that one person failed, and with which code: quarantined, the run goes on.
pub(super) async fn record_failure(
    tx: &DatabaseTransaction,
    run: RunId,
    number: UserNumber,
    code: &str,
) -> Result<(), DbErr> {
    outcome(tx, run, &[number], Outcome::Failed, None, Some(code)).await?;
    count(tx, run, "failed", code, 1).await?;
    add(tx, run, [0, 0, 1]).await
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
pub(crate) async fn count(
    tx: &impl ConnectionTrait,
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
async fn add(tx: &DatabaseTransaction, run: RunId, more: [u64; 3]) -> Result<(), DbErr> {
    let [done, skipped, failed] = more.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    let sum = |column: runs::Column, more: i64| Expr::col(column).add(more);
    let now = Clock::real();
    runs::Entity::update_many()
        .col_expr(runs::Column::Done, sum(runs::Column::Done, done))
        .col_expr(runs::Column::Skipped, sum(runs::Column::Skipped, skipped))
        .col_expr(runs::Column::Failed, sum(runs::Column::Failed, failed))
        .col_expr(runs::Column::HeartbeatAt, Expr::value(now))
        .col_expr(runs::Column::ProgressAt, Expr::value(now))
        .filter(runs::Column::Id.eq(run.0))
        .exec(tx)
        .await?;
    Ok(())
}

/// People of the run by outcome, counted where they stand: done, skipped, failed.
pub(super) async fn counted(tx: &DatabaseTransaction, run: RunId) -> Result<[i64; 3], DbErr> {
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
