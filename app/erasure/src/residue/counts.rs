//! Counts the findings of runs, in total and open.

use db::entity::findings;
use policy::RunId;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};
use std::collections::HashMap;
use trail::Store;

/// Returns the numbers of all findings and of open findings of a run.
pub async fn count_findings(store: &Store, run: RunId) -> Result<(i64, i64), DbErr> {
    let counts: Option<(i64, i64)> = findings::Entity::find()
        .select_only()
        .column_as(findings::Column::Id.count(), "n")
        .column_as(findings::Column::Decision.count(), "decided")
        .filter(findings::Column::RunId.eq(run.0))
        .into_tuple()
        .one(&store.db)
        .await?;
    let (all, decided) = counts.unwrap_or_default();
    Ok((all, all - decided))
}

/// Returns the number of open findings for each of these runs that has any.
pub async fn open_findings(db: &impl ConnectionTrait, runs: &[i64]) -> Result<HashMap<i64, i64>, DbErr> {
    if runs.is_empty() {
        return Ok(HashMap::new());
    }
    let open: Vec<(i64, i64)> = findings::Entity::find()
        .select_only()
        .column(findings::Column::RunId)
        .column_as(findings::Column::Id.count(), "n")
        .filter(findings::Column::Decision.is_null())
        .filter(findings::Column::RunId.is_in(runs.iter().copied()))
        .group_by(findings::Column::RunId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(open.into_iter().collect())
}
