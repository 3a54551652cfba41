//! The preview of *Import users*: a dry run of the next file. Its fingerprint is the SHA-256 of the file.

use super::watched::{self, as_error_of_run};
use crate::new_run::{self, Basis};
use db::Clock;
use db::RecordsError;
use db::entity::{runs, tasks};
use policy::{Action, ImportSettings, RunId, RunKind, RunState, SafetyLimit, TaskId};
use sea_orm::Set;
use trail::Actor;
use trail::Store;
use trail::audit::{self, AuditAction, Subject};
use transfer::run_history::RunLines;
use transfer::run_import::TaskSource;
use transfer::{run_import, watched_folder};

/// Checks the next file of a task and stores what an import would do. Changes no user.
pub(super) async fn preview(
    store: &Store,
    actor: Actor,
    task: &tasks::Model,
    settings: &ImportSettings,
) -> Result<RunId, RecordsError> {
    actor.require(Action::Import)?;
    let started_at = Clock::system_now();
    let file = watched::next(store, TaskId(task.id), settings).await?;
    let sha256 = watched_folder::sha256(&file).await.map_err(|error| as_error_of_run(error.into()))?;
    let source = TaskSource { task: TaskId(task.id), settings };
    let checked = run_import::check(store, actor, source, (&file, sha256)).await.map_err(as_error_of_run)?;
    let lines = checked.counts().map(RunLines::new).unwrap_or_default();
    let tx = store.begin().await?;
    let more = runs::ActiveModel {
        started_at: Set(Some(started_at)),
        finished_at: Set(Some(store.clock.now())),
        users: Set(lines.lines),
        previewed: Set(lines.lines),
        fingerprint: Set(Some(checked.sha256().to_owned())),
        safety_limit: Set(checked.is_stopped().then_some(SafetyLimit::Import)),
        ..Default::default()
    };
    let state = (RunKind::Preview, RunState::Succeeded);
    let run = new_run::insert(&tx, (store, actor), state, Basis::Task(task), more).await?;
    let id = RunId(run.id);
    checked.record((&tx, store), actor, (id, source)).await?;
    let subject = Subject::Task(task.id);
    audit::record_event(&tx, &store.clock, actor, AuditAction::Previewed, subject, Some(id), "").await?;
    store.commit(tx).await?;
    Ok(id)
}
