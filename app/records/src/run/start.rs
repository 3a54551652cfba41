//! Starting a run from a preview.

use super::{seal, second_person};
use crate::actor::Actor;
use crate::approval::{self, Matter};
use crate::audit::{self, Deed, Subject};
use crate::entity::runs;
use crate::error::RecordsError;
use crate::store::Store;
use crate::task;
use policy::form::Problem;
use policy::numbers::grouped;
use policy::{Action, RULES_VERSION, RunId, RunKind, RunState, TaskId};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Set};

/// Starts the run of a preview; `typed` is the number of people, typed to confirm. The run then waits in the queue
/// for [`super::work`] or [`super::carry_out`]. It touches only those who were eligible in the preview. Where it needs
/// a second person, their approval is used up.
pub async fn start(store: &Store, actor: Actor, preview: RunId, typed: &str) -> Result<RunId, RecordsError> {
    actor.must(Action::Run)?;
    let tx = store.begin().await?;
    second_person::lock_preview(&tx, preview).await?;
    let preview = usable_preview(&tx, store, preview).await?;
    if typed_number(typed) != Some(preview.previewed) {
        let expected = grouped(preview.previewed);
        return Err(RecordsError::field("confirm", Problem::ConfirmationDiffers { expected }));
    }
    let approval = match second_person::why_two(&tx, store, &preview).await? {
        Some(why) => {
            let why = approval::of_run(store, why);
            Some(approval::spend(&tx, actor, &Matter::run_of(&preview)?, &why).await?)
        }
        None => None,
    };
    let run = runs::ActiveModel {
        task_id: Set(preview.task_id),
        kind: Set(RunKind::Manual.code().to_owned()),
        state: Set(RunState::Queued.code().to_owned()),
        today: Set(preview.today),
        policy: Set(preview.policy.clone()),
        task_version: Set(preview.task_version),
        rules_version: Set(RULES_VERSION),
        preview_id: Set(Some(preview.id)),
        actor_number: Set(actor.staff.map(|staff| staff.0)),
        channel: Set(actor.channel.code().to_owned()),
        created_at: Set(store.clock.now()),
        fingerprint: Set(preview.fingerprint.clone()),
        approval_id: Set(approval.map(|approval| approval.0)),
        users: Set(preview.users),
        previewed: Set(preview.previewed),
        ..Default::default()
    }
    .insert(&tx)
    .await?;
    let id = RunId(run.id);
    seal::copy_members(&tx, &preview, id).await?;
    let subject = Subject::Task(preview.task_id.unwrap_or_default());
    let detail = approval.map(|approval| format!("approval={approval}")).unwrap_or_default();
    audit::note(&tx, &store.clock, actor, Deed::RunStarted, subject, Some(id), &detail).await?;
    store.commit(tx).await?;
    Ok(id)
}

/// A number as people type it: `1,234` and `1 234` too.
pub(crate) fn typed_number(typed: &str) -> Option<i64> {
    let digits: String = typed.chars().filter(|c| !c.is_whitespace() && *c != ',').collect();
    digits.parse().ok()
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
pub(crate) async fn usable_preview(
    tx: &impl ConnectionTrait,
    store: &Store,
    id: RunId,
) -> Result<runs::Model, RecordsError> {
    let preview = second_person::preview_row(tx, id).await?;
    let carried_out = runs::Entity::find()
        .filter(runs::Column::PreviewId.eq(preview.id))
        .filter(runs::Column::State.ne(RunState::StoppedByBrake.code()))
        .one(tx)
        .await?;
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
    if preview.fingerprint.is_none() {
        return Err(stale("This preview was not sealed"));
    }
    if preview.today != store.clock.today() {
        return Err(stale("This preview is not of today"));
    }
    if newest_after(tx, &preview).await?.is_some() {
        return Err(stale("There is a newer preview of this task"));
    }
    if preview.previewed == 0 {
        return Err(RecordsError::Refused(
            "Nobody is eligible in this preview: there is nothing to run".to_owned(),
        ));
    }
    Ok(preview)
}

/// The newest preview of the same task, if it is newer than this one.
pub async fn newer_preview(store: &Store, preview: RunId) -> Result<Option<RunId>, RecordsError> {
    newest_after(&store.db, &second_person::preview_row(&store.db, preview).await?).await
}

async fn newest_after(
    tx: &impl ConnectionTrait,
    preview: &runs::Model,
) -> Result<Option<RunId>, RecordsError> {
    let newest = runs::Entity::find()
        .filter(runs::Column::TaskId.eq(preview.task_id))
        .filter(runs::Column::Kind.eq(RunKind::Preview.code()))
        .filter(runs::Column::Id.gt(preview.id))
        .order_by_desc(runs::Column::Id)
        .one(tx)
        .await?;
    Ok(newest.map(|run| RunId(run.id)))
}

pub(super) fn stale(why: &str) -> RecordsError {
    RecordsError::Refused(format!("{why}. Make a new preview, check it and run that"))
}
