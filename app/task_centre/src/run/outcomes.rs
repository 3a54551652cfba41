//! Records the outcomes of users in the transaction that processed them.

use db::entity::{run_members, runs};
use db::{Clock, dialect};
use erasure::anonymise::Outcomes;
use erasure::run_counts;
use policy::{Outcome, Reason, RunId, UserNumber};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use std::collections::BTreeMap;

/// Returns at most `limit` users of the run after `after` that have no outcome.
pub(super) async fn remaining(
    db: &impl ConnectionTrait,
    run: RunId,
    after: UserNumber,
    limit: u64,
) -> Result<Vec<UserNumber>, DbErr> {
    let numbers: Vec<i64> = run_members::Entity::find()
        .select_only()
        .column(run_members::Column::UserNumber)
        .filter(run_members::Column::RunId.eq(run.0))
        .filter(run_members::Column::UserNumber.gt(after.0))
        .filter(run_members::Column::Outcome.is_null())
        .order_by_asc(run_members::Column::UserNumber)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    Ok(numbers.into_iter().map(UserNumber).collect())
}

/// Records the outcomes and counts of a batch, and a heartbeat.
pub(super) async fn record(tx: &DatabaseTransaction, run: RunId, outcomes: &Outcomes) -> Result<(), DbErr> {
    outcome(tx, run, &outcomes.done, Outcome::Done, None, None).await?;
    let mut skipped: BTreeMap<Reason, Vec<UserNumber>> = BTreeMap::new();
    for (number, reason) in &outcomes.skipped {
        skipped.entry(*reason).or_default().push(*number);
    }
    for (reason, numbers) in &skipped {
        outcome(tx, run, numbers, Outcome::Skipped, Some(*reason), None).await?;
    }
    let skipped = skipped.iter().map(|(reason, numbers)| ("skipped", reason.code(), numbers.len() as u64));
    let tables = outcomes.rows.iter().map(|(table, rows)| ("table", *table, *rows));
    let counts: Vec<_> = skipped.chain(tables).collect();
    run_counts::add_all(tx, run, &counts).await?;
    add(tx, run, [outcomes.done.len() as u64, outcomes.skipped.len() as u64, 0]).await
}

/// Records that one user failed, with the error code. The run continues.
pub(super) async fn record_failure(
    tx: &DatabaseTransaction,
    run: RunId,
    number: UserNumber,
    code: &str,
) -> Result<(), DbErr> {
    outcome(tx, run, &[number], Outcome::Failed, None, Some(code)).await?;
    run_counts::add(tx, run, "failed", code, 1).await?;
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
    let backend = tx.get_database_backend();
    // Raw SQL: one UPDATE for a batch, whose users `dialect::in_list` takes as one value.
    let sql = format!(
        "UPDATE run_members SET outcome = ?, outcome_reason = ?, failure = ? WHERE run_id = ? AND {}",
        dialect::in_list(backend, "user_number")
    );
    let values = vec![
        outcome.into(),
        reason.map(Reason::number).into(),
        failure.map(str::to_owned).into(),
        run.0.into(),
        dialect::id_list(backend, numbers.iter().map(|number| number.0)),
    ];
    tx.execute_raw(dialect::bind(backend, &sql, values)).await?;
    Ok(())
}

/// Increases the run's done, skipped and failed counts, and writes a heartbeat.
async fn add(tx: &DatabaseTransaction, run: RunId, more: [u64; 3]) -> Result<(), DbErr> {
    let [done, skipped, failed] = more.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    let sum = |column: runs::Column, more: i64| Expr::col(column).add(more);
    let now = Clock::system_now();
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

/// Counts the users of the run by outcome: done, skipped, failed.
pub(super) async fn counted(tx: &DatabaseTransaction, run: RunId) -> Result<[i64; 3], DbErr> {
    let counted: Vec<(Outcome, i64)> = run_members::Entity::find()
        .select_only()
        .column(run_members::Column::Outcome)
        .column_as(run_members::Column::UserNumber.count(), "n")
        .filter(run_members::Column::RunId.eq(run.0))
        .filter(run_members::Column::Outcome.is_not_null())
        .group_by(run_members::Column::Outcome)
        .into_tuple()
        .all(tx)
        .await?;
    let of = |wanted| counted.iter().find(|(outcome, _)| *outcome == wanted).map_or(0, |(_, n)| *n);
    Ok(Outcome::ALL.map(of))
}
