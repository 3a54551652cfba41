//! The effects of merging two records, for the page that asks for confirmation.

use super::keys::{self, MergedKey};
use super::{Pair, moving, require_two, why_not};
use crate::task::default_task;
use db::entity::users;
use db::{RecordsError, dialect};
use policy::{Policy, TaskId, UserNumber, personal_data};
use sea_orm::{DatabaseTransaction, EntityTrait};
use trail::Store;
use trail::task_name::TaskName;

/// The rows of one table that would move.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MovedRows {
    /// The label of the table.
    pub label: &'static str,
    /// The number of rows.
    pub rows: i64,
}

/// The effects of merging two records.
#[derive(Clone, Debug)]
pub struct MergePlan {
    /// Why the records can't be merged. `None` if they can.
    pub why_not: Option<String>,
    /// The rows that would move, by table.
    pub moves: Vec<MovedRows>,
    /// The keys of the record that would be anonymised.
    pub keys: Vec<MergedKey>,
    /// The task whose field settings apply, or `None` if there is no such task.
    pub task: Option<(TaskId, TaskName)>,
    /// Version of that task, to detect a change after the page was shown.
    pub version: i32,
    /// Policy of that task.
    pub policy: Policy,
}

/// Returns the effects of merging two records. Changes and locks nothing; [`super::merge`] checks again.
pub async fn plan_merge(store: &Store, pair: Pair) -> Result<MergePlan, RecordsError> {
    require_two(pair)?;
    let tx = dialect::begin_reading(&store.db).await?;
    let (staying, losing) = (user(&tx, pair.staying).await?, user(&tx, pair.losing).await?);
    let why_not = why_not(&tx, &staying, &losing).await?;
    let moves = moving(&tx, pair.losing).await?;
    let task = default_task(&tx).await?;
    tx.rollback().await?;
    let moves = moves.into_iter().filter_map(|(name, rows)| {
        // The former keys are part of the record.
        let label = personal_data::table(name).filter(|table| table.name != "key_periods")?.label;
        Some(MovedRows { label: if name == "users" { "Users whose guarantor this is" } else { label }, rows })
    });
    Ok(MergePlan {
        why_not,
        moves: moves.collect(),
        keys: keys::fates(&staying, &losing),
        version: task.as_ref().map_or(0, |task| task.version),
        policy: task.as_ref().and_then(|task| task.settings.policy()).cloned().unwrap_or_default(),
        task: task.map(|task| (TaskId(task.id), TaskName::new(&task))),
    })
}

async fn user(tx: &DatabaseTransaction, number: UserNumber) -> Result<users::Model, RecordsError> {
    users::Entity::find_by_id(number.0).one(tx).await?.ok_or(RecordsError::NotFound("user"))
}
