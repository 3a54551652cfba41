//! The counts that a run stores: changed rows by table, skipped users by reason, residue by result.

use db::entity::run_counts;
use policy::RunId;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, Set};

/// Increases a count of the run.
pub async fn add(
    tx: &impl ConnectionTrait,
    run: RunId,
    kind: &str,
    code: &str,
    count: u64,
) -> Result<(), DbErr> {
    add_all(tx, run, &[(kind, code, count)]).await
}

/// Increases several counts of the run, given as kind, code and increment.
pub async fn add_all(
    tx: &impl ConnectionTrait,
    run: RunId,
    counts: &[(&str, &str, u64)],
) -> Result<(), DbErr> {
    if counts.is_empty() {
        return Ok(());
    }
    let rows = counts.iter().map(|(kind, code, count)| run_counts::ActiveModel {
        run_id: Set(run.0),
        kind: Set((*kind).to_owned()),
        code: Set((*code).to_owned()),
        count: Set(i64::try_from(*count).unwrap_or(i64::MAX)),
    });
    let table = run_counts::Entity;
    let sum =
        Expr::col((table, run_counts::Column::Count)).add(Expr::col(("excluded", run_counts::Column::Count)));
    let key = [run_counts::Column::RunId, run_counts::Column::Kind, run_counts::Column::Code];
    run_counts::Entity::insert_many(rows)
        .on_conflict(OnConflict::columns(key).value(run_counts::Column::Count, sum).to_owned())
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
