//! Findings of the residue search without a decision.

use super::{Condition, ConditionKind};
use chrono::{DateTime, Utc};
use db::RecordsError;
use db::entity::findings;
use policy::RunId;
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use trail::Store;

/// Returns a single condition for all open findings. A partial index covers them.
pub(super) async fn open(store: &Store) -> Result<Vec<Condition>, RecordsError> {
    use findings::Column::{Decision, FoundAt, RunId as Run};
    type Found = (i64, Option<DateTime<Utc>>, i64, Option<i64>, Option<i64>);
    let found: Option<Found> = findings::Entity::find()
        .select_only()
        .expr_as(Expr::col(Asterisk).count(), "findings")
        .column_as(FoundAt.min(), "since")
        .column_as(Run.count(), "of_runs")
        .column_as(Run.min(), "first")
        .column_as(Run.max(), "last")
        .filter(Decision.is_null())
        .into_tuple()
        .one(&store.db)
        .await?;
    let Some((findings, Some(since), of_runs, first, last)) = found else { return Ok(Vec::new()) };
    let run = first.filter(|_| first == last && of_runs == findings).map(RunId);
    Ok(vec![Condition { what: ConditionKind::FindingsOpen { findings }, task: None, run, since }])
}
