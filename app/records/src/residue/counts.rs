//! Counts the findings of runs, in total and open.

use crate::entity::residue_hits;
use crate::store::Store;
use policy::RunId;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};
use std::collections::HashMap;

/// Returns the numbers of all findings and of open findings of a run.
pub(crate) async fn count_findings(store: &Store, run: RunId) -> Result<(i64, i64), DbErr> {
    let all =
        residue_hits::Entity::find().filter(residue_hits::Column::RunId.eq(run.0)).count(&store.db).await?;
    let open = open_findings(&store.db, &[run.0]).await?;
    Ok((i64::try_from(all).unwrap_or(i64::MAX), open.get(&run.0).copied().unwrap_or_default()))
}

/// Returns the number of open findings for each of these runs that has any.
pub(crate) async fn open_findings(
    db: &impl ConnectionTrait,
    runs: &[i64],
) -> Result<HashMap<i64, i64>, DbErr> {
    if runs.is_empty() {
        return Ok(HashMap::new());
    }
    let open: Vec<(i64, i64)> = residue_hits::Entity::find()
        .select_only()
        .column(residue_hits::Column::RunId)
        .column_as(residue_hits::Column::Id.count(), "n")
        .filter(residue_hits::Column::Decision.is_null())
        .filter(residue_hits::Column::RunId.is_in(runs.iter().copied()))
        .group_by(residue_hits::Column::RunId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(open.into_iter().collect())
}
