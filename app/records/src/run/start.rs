//! Starting a run from a preview.

use crate::actor::Actor;
use crate::audit::{self, Deed, Subject};
use crate::dialect;
use crate::entity::runs;
use crate::error::RecordsError;
use crate::store::Store;
use crate::task;
use policy::form::Problem;
use policy::numbers::grouped;
use policy::{RULES_VERSION, Reason, RunId, RunKind, RunState, TaskId};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set, SqlErr};

/// Starts the run of a preview; `typed` is the number of people, typed to confirm. The run then waits for
/// [`super::carry_out`]. It touches only those who were eligible in the preview.
pub async fn start(store: &Store, actor: Actor, preview: RunId, typed: &str) -> Result<RunId, RecordsError> {
    let tx = store.begin().await?;
    let preview = usable_preview(&tx, store, preview).await?;
    let digits: String = typed.chars().filter(|c| !c.is_whitespace() && *c != ',').collect();
    if digits.parse() != Ok(preview.previewed) {
        let expected = grouped(preview.previewed);
        return Err(RecordsError::field("confirm", Problem::ConfirmationDiffers { expected }));
    }
    let now = store.clock.now();
    let run = runs::ActiveModel {
        task_id: Set(preview.task_id),
        kind: Set(RunKind::Manual.code().to_owned()),
        state: Set(RunState::Running.code().to_owned()),
        today: Set(preview.today),
        policy: Set(preview.policy),
        task_version: Set(preview.task_version),
        rules_version: Set(RULES_VERSION),
        preview_id: Set(Some(preview.id)),
        actor_number: Set(actor.staff.map(|staff| staff.0)),
        channel: Set(actor.channel.code().to_owned()),
        created_at: Set(now),
        heartbeat_at: Set(Some(now)),
        users: Set(preview.users),
        previewed: Set(preview.previewed),
        ..Default::default()
    }
    .insert(&tx)
    .await
    .map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => RecordsError::Refused(
            "Another run is under way. Only one can run at a time: wait until it has ended".to_owned(),
        ),
        _ => RecordsError::Database(error),
    })?;
    let sql = "INSERT INTO run_members (run_id, user_number, reason, blockers) \
               SELECT CAST(? AS BIGINT), user_number, reason, blockers FROM run_members \
               WHERE run_id = ? AND reason = ?";
    let values = vec![run.id.into(), preview.id.into(), Reason::Eligible.number().into()];
    let members = tx.execute_raw(dialect::statement(tx.get_database_backend(), sql, values)).await?;
    if i64::try_from(members.rows_affected()) != Ok(preview.previewed) {
        return Err(stale("The list of people of this preview was replaced meanwhile"));
    }
    let id = RunId(run.id);
    let subject = Subject::Task(preview.task_id.unwrap_or_default());
    audit::note(&tx, &store.clock, actor, Deed::RunStarted, subject, Some(id), "").await?;
    tx.commit().await?;
    Ok(id)
}

/// Why a preview cannot be carried out any more, in words; None when it can.
pub async fn why_not(store: &Store, preview: RunId) -> Result<Option<String>, RecordsError> {
    match usable_preview(&store.db, store, preview).await {
        Ok(_) => Ok(None),
        Err(RecordsError::Refused(why)) => Ok(Some(why)),
        Err(RecordsError::NotFound("task")) => Ok(Some("The task of this preview was deleted".to_owned())),
        Err(error) => Err(error),
    }
}

/// The preview, if it still says what would happen today.
async fn usable_preview(
    tx: &impl ConnectionTrait,
    store: &Store,
    id: RunId,
) -> Result<runs::Model, RecordsError> {
    let preview = runs::Entity::find_by_id(id.0)
        .one(tx)
        .await?
        .filter(|run| run.kind == RunKind::Preview.code())
        .ok_or(RecordsError::NotFound("preview"))?;
    let carried_out = runs::Entity::find().filter(runs::Column::PreviewId.eq(preview.id)).one(tx).await?;
    if let Some(run) = carried_out {
        return Err(RecordsError::Refused(format!(
            "This preview was carried out before, by run {}. Make a new preview to run again",
            run.id
        )));
    }
    let task = task::row(tx, TaskId(preview.task_id.unwrap_or_default())).await?;
    if Some(task.version) != preview.task_version || preview.rules_version != RULES_VERSION {
        return Err(stale("The task was changed after this preview"));
    }
    if preview.today != store.clock.today() {
        return Err(stale("This preview is not of today"));
    }
    if newer_preview(tx, &preview).await? {
        return Err(stale("There is a newer preview of this task"));
    }
    if preview.previewed == 0 {
        return Err(RecordsError::Refused(
            "Nobody is eligible in this preview: there is nothing to run".to_owned(),
        ));
    }
    Ok(preview)
}

async fn newer_preview(tx: &impl ConnectionTrait, preview: &runs::Model) -> Result<bool, RecordsError> {
    let newer = runs::Entity::find()
        .filter(runs::Column::TaskId.eq(preview.task_id))
        .filter(runs::Column::Kind.eq(RunKind::Preview.code()))
        .filter(runs::Column::Id.gt(preview.id))
        .one(tx)
        .await?;
    Ok(newer.is_some())
}

fn stale(why: &str) -> RecordsError {
    RecordsError::Refused(format!("{why}. Make a new preview, check it and run that"))
}
