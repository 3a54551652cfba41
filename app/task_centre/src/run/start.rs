//! Starts a run from a preview.

use super::confirmation::typed_number;
use super::preview_digest::stale;
use super::{approval_gate, preview_digest};
use crate::new_run::{self, Basis};
use crate::{announcement, task};
use db::entity::runs;
use db::{RecordsError, dialect};
use policy::form::Problem;
use policy::numbers::grouped;
use policy::{Action, ApprovalReason, RULES_VERSION, RunId, RunKind, RunState, TaskId, TaskSettings};
use safeguards::approval::{self, ApprovalSubject};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// Starts the run of a preview. `typed` must be the number of users.
///
/// The run waits in the queue for [`super::work`] or [`super::execute`] and processes only the eligible users of
/// the preview. If it needs an approval, this consumes the approval.
pub async fn start(store: &Store, actor: Actor, preview: RunId, typed: &str) -> Result<RunId, RecordsError> {
    actor.require(Action::Run)?;
    let tx = store.begin().await?;
    approval_gate::lock_preview(&tx, preview).await?;
    // Before the safety limits are checked: two starts at once would not see each other.
    dialect::lock_run_starts(&tx).await?;
    let preview = usable_preview(&tx, store, preview).await?;
    task::may_use(actor, &preview.settings)?;
    if typed_number(typed) != Some(preview.previewed) {
        let expected = grouped(preview.previewed);
        return Err(RecordsError::field("confirm", Problem::ConfirmationDiffers { expected }));
    }
    let approval = match approval_gate::approval_reason(&tx, store, &preview).await? {
        Some(why) => {
            let why = approval::of_run(store, why);
            Some(approval::consume(&tx, actor, &ApprovalSubject::run_of(&preview)?, &why).await?)
        }
        None => None,
    };
    let more = runs::ActiveModel {
        preview_id: Set(Some(preview.id)),
        listed: Set(preview.listed),
        excluded: Set(preview.excluded),
        fingerprint: Set(preview.fingerprint.clone()),
        approval_id: Set(approval.map(|approval| approval.0)),
        users: Set(preview.users),
        previewed: Set(preview.previewed),
        safety_limit: Set(preview.safety_limit),
        ..Default::default()
    };
    let state = (RunKind::Manual, RunState::Queued);
    let run = new_run::insert(&tx, (store, actor), state, Basis::Preview(&preview), more).await?;
    let id = RunId(run.id);
    match preview.settings {
        TaskSettings::AnonymiseUserData(_) | TaskSettings::AnnounceAnonymising(_) => {
            preview_digest::copy_members(&tx, &preview, id).await?;
        }
        // The run compares the file with the fingerprint.
        TaskSettings::ImportUsers(_) => {}
    }
    let subject = Subject::Task(preview.task_id.unwrap_or_default());
    let detail = approval.map(|approval| format!("approval={approval}")).unwrap_or_default();
    audit::record_event(&tx, &store.clock, actor, AuditAction::RunStarted, subject, Some(id), &detail)
        .await?;
    store.commit(tx).await?;
    Ok(id)
}

/// Returns why a preview can't be run, or `None` if it can.
pub async fn why_not(store: &Store, preview: RunId) -> Result<Option<String>, RecordsError> {
    match usable_preview(&store.db, store, preview).await {
        Ok(_) => Ok(None),
        Err(RecordsError::Refused(why)) => Ok(Some(why)),
        Err(RecordsError::NotFound("task")) => Ok(Some("The task of this preview was deleted".to_owned())),
        Err(error) => Err(error),
    }
}

/// Returns whether a preview reflects today's data and settings and is unused, so that its users can still be excluded.
pub async fn is_current(store: &Store, preview: RunId) -> Result<bool, RecordsError> {
    match current_preview(&store.db, store, preview).await {
        Ok(_) => Ok(true),
        Err(RecordsError::Refused(_) | RecordsError::NotFound("task")) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns the preview, or an error if it can't be run: if it isn't current, or has no eligible users.
pub(crate) async fn usable_preview(
    tx: &impl ConnectionTrait,
    store: &Store,
    id: RunId,
) -> Result<runs::Model, RecordsError> {
    let preview = current_preview(tx, store, id).await?;
    if preview.previewed == 0 {
        let why = match preview.settings {
            TaskSettings::AnonymiseUserData(_) | TaskSettings::AnnounceAnonymising(_)
                if preview.excluded > 0 =>
            {
                "All eligible users of this preview are excluded. There is nothing to run"
            }
            TaskSettings::AnonymiseUserData(_) => {
                "This preview contains no eligible users. There is nothing to run"
            }
            TaskSettings::AnnounceAnonymising(_) => {
                "This preview contains no users to announce. There is nothing to run"
            }
            TaskSettings::ImportUsers(_) => {
                "The file of this preview has problems, or no lines. Correct it and create a new preview"
            }
        };
        return Err(RecordsError::Refused(why.to_owned()));
    }
    if matches!(preview.settings, TaskSettings::AnnounceAnonymising(_))
        && let Some(why) = announcement::why_not(store)
    {
        return Err(RecordsError::Refused(why.to_owned()));
    }
    Ok(preview)
}

/// Returns the preview, or an error if it doesn't reflect today's data and settings, or was used or discarded.
pub(super) async fn current_preview(
    tx: &impl ConnectionTrait,
    store: &Store,
    id: RunId,
) -> Result<runs::Model, RecordsError> {
    let preview = approval_gate::preview_row(tx, id).await?;
    if preview.state == RunState::Cancelled {
        return Err(stale("This preview was discarded"));
    }
    let executed = runs::Entity::find()
        .filter(runs::Column::PreviewId.eq(preview.id))
        .filter(runs::Column::State.ne(RunState::StoppedByLimit))
        .one(tx)
        .await?;
    if let Some(run) = executed {
        return Err(RecordsError::Refused(format!(
            "Run {} has already used this preview. Create a new preview to run again",
            run.id
        )));
    }
    let task = task::row(tx, TaskId(preview.task_id.unwrap_or_default())).await?;
    if Some(task.version) != preview.task_version || preview.rules_version != RULES_VERSION {
        return Err(stale("The task has changed since this preview"));
    }
    if preview.fingerprint.is_none() {
        return Err(stale("This preview has no fingerprint"));
    }
    if preview.today != store.clock.today() {
        return Err(stale("This preview was made on another day"));
    }
    if newest_after(tx, &preview).await?.is_some() {
        return Err(stale("There is a newer preview of this task"));
    }
    Ok(preview)
}

/// Returns the newest preview of the same task if it is newer than this one.
pub async fn newer_preview(store: &Store, preview: RunId) -> Result<Option<RunId>, RecordsError> {
    newest_after(&store.db, &approval_gate::preview_row(&store.db, preview).await?).await
}

async fn newest_after(
    tx: &impl ConnectionTrait,
    preview: &runs::Model,
) -> Result<Option<RunId>, RecordsError> {
    let newest = runs::Entity::find()
        .filter(runs::Column::TaskId.eq(preview.task_id))
        .filter(runs::Column::Kind.eq(RunKind::Preview))
        .filter(runs::Column::Id.gt(preview.id))
        .order_by_desc(runs::Column::Id)
        .one(tx)
        .await?;
    Ok(newest.map(|run| RunId(run.id)))
}

/// Returns why the run of a preview needs a second person, or `None` if it needs none or can't start anyway.
pub(crate) async fn why_two_of(
    store: &Store,
    preview: RunId,
) -> Result<Option<ApprovalReason>, RecordsError> {
    if why_not(store, preview).await?.is_some() {
        return Ok(None);
    }
    approval_gate::approval_reason(&store.db, store, &approval_gate::preview_row(&store.db, preview).await?)
        .await
}
