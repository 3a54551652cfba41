//! The comparison of a preview with the last run, and its warnings.

use super::read::Run;
use super::verdict_counts::{ACTIVE_RECENTLY, DATES, LEAVING_LATER};
use super::{approval_gate, safety};
use chrono::{DateTime, Utc};
use db::RecordsError;
use db::entity::{run_counts, runs, users};
use policy::preview_warning::PreviewFacts;
use policy::{RunId, TaskId};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use trail::Store;

/// The last complete run of a task, which a preview is compared with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LastRun {
    /// The run.
    pub id: RunId,
    /// When it started.
    pub created_at: DateTime<Utc>,
    /// Number of eligible users in its preview.
    pub previewed: i64,
    /// Number of users anonymised.
    pub done: i64,
    /// Number of users assessed.
    pub users: i64,
}

/// The comparison of a preview with the last run, and its warnings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Comparison {
    /// The last complete run of the task for all users. `None` if there is none.
    pub last: Option<LastRun>,
    /// The numbers that can warn.
    pub facts: PreviewFacts,
}

/// Reads the comparison of a preview that anonymises.
pub async fn comparison(store: &Store, preview: &Run) -> Result<Comparison, RecordsError> {
    let row = approval_gate::preview_row(&store.db, preview.id).await?;
    let task = TaskId(row.task_id.unwrap_or_default());
    let last = last_run(store, task, preview.id).await?;
    let recent = safety::last_runs(&store.db, task).await?;
    let safety_limit = safety::safety_limit_of(&store.db, store, &row, &recent).await?;
    let [leaving_later, active_recently] = dates(store, preview.id).await?;
    let users = match preview.listed {
        None => preview.users,
        Some(_) => i64::try_from(users::Entity::find().count(&store.db).await?).unwrap_or(i64::MAX),
    };
    // The users of a list say nothing about the usual number.
    let compared = last.filter(|_| preview.listed.is_none()).map(|last| last.previewed);
    let facts = PreviewFacts {
        eligible: preview.previewed,
        users,
        leaving_later,
        active_recently,
        last: compared,
        safety_limit,
    };
    Ok(Comparison { last, facts })
}

async fn last_run(store: &Store, task: TaskId, preview: RunId) -> Result<Option<LastRun>, RecordsError> {
    let before = safety::complete_runs(task).filter(runs::Column::Id.lt(preview.0));
    let row = before.one(&store.db).await?;
    Ok(row.map(|row| LastRun {
        id: RunId(row.id),
        created_at: row.created_at,
        previewed: row.previewed,
        done: row.done,
        users: row.users,
    }))
}

/// Returns the numbers of eligible users who leave later, and who were active recently.
async fn dates(store: &Store, preview: RunId) -> Result<[i64; 2], RecordsError> {
    let counts = run_counts::Entity::find()
        .filter(run_counts::Column::RunId.eq(preview.0))
        .filter(run_counts::Column::Kind.eq(DATES))
        .all(&store.db)
        .await?;
    let of = |code: &str| counts.iter().find(|count| count.code == code).map_or(0, |count| count.count);
    Ok([of(LEAVING_LATER), of(ACTIVE_RECENTLY)])
}
