//! The outbox of notifications. An event is written in the transaction in which it happens. It is therefore neither
//! lost nor sent for a change that was rolled back. The crate `notify` delivers it.

use db::Clock;
use db::entity::notifications::{ActiveModel, Column, Entity};
use policy::notification::Event;
use policy::{ApprovalId, LegalHoldId, RunId, TaskId};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, DatabaseTransaction, DbErr, EntityTrait};

/// The subject of an event, by numbers only. A name or any other personal value never gets into the outbox.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct About {
    /// The task.
    pub task: Option<TaskId>,
    /// The run or preview.
    pub run: Option<RunId>,
    /// The request for approval.
    pub approval: Option<ApprovalId>,
    /// The legal hold.
    pub legal_hold: Option<LegalHoldId>,
}

/// Writes an event. An event with a key happens once: the second one with the same key is not written.
pub async fn post(
    tx: &DatabaseTransaction,
    clock: &Clock,
    event: Event,
    about: About,
    once: Option<String>,
) -> Result<(), DbErr> {
    let row = ActiveModel {
        event: Set(event),
        task_id: Set(about.task.map(|task| task.0)),
        run_id: Set(about.run.map(|run| run.0)),
        approval_id: Set(about.approval.map(|approval| approval.0)),
        legal_hold_id: Set(about.legal_hold.map(|hold| hold.0)),
        at: Set(clock.now()),
        once: Set(once),
        ..Default::default()
    };
    let unless = OnConflict::column(Column::Once).do_nothing().to_owned();
    Entity::insert(row).on_conflict(unless).exec_without_returning(tx).await?;
    Ok(())
}
