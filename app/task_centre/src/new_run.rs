//! The rows of new runs. Every run begins here, whatever starts it.

use db::RecordsError;
use db::entity::{runs, tasks};
use policy::{Policy, RULES_VERSION, RunKind, RunState, TaskSettings};
use sea_orm::{ActiveModelTrait, DatabaseTransaction, Set};
use trail::{Actor, Store};

/// The source of a run's settings.
pub(crate) enum Basis<'a> {
    /// A task as it is now.
    Task(&'a tasks::Model),
    /// A preview of today.
    Preview(&'a runs::Model),
    /// A policy without a task.
    Policy(Policy),
}

/// Inserts a run that begins today. `more` has the columns in which kinds of runs differ.
pub(crate) async fn insert(
    tx: &DatabaseTransaction,
    (store, actor): (&Store, Actor),
    (kind, state): (RunKind, RunState),
    basis: Basis<'_>,
    more: runs::ActiveModel,
) -> Result<runs::Model, RecordsError> {
    let (task_id, task_version, settings) = match basis {
        Basis::Task(task) => (Some(task.id), Some(task.version), task.settings.clone()),
        Basis::Preview(preview) => (preview.task_id, preview.task_version, preview.settings.clone()),
        Basis::Policy(policy) => (None, None, TaskSettings::AnonymiseUserData(policy)),
    };
    let run = runs::ActiveModel {
        task_id: Set(task_id),
        task_version: Set(task_version),
        settings: Set(settings),
        rules_version: Set(RULES_VERSION),
        kind: Set(kind),
        state: Set(state),
        today: Set(store.clock.today()),
        actor_number: Set(actor.staff.map(|staff| staff.0)),
        channel: Set(actor.channel),
        created_at: Set(store.clock.now()),
        ..more
    };
    Ok(run.insert(tx).await?)
}
