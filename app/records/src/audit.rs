//! The audit: who did what to which record, in codes. No value of a field is ever written here.

use crate::actor::Actor;
use crate::clock::Clock;
use crate::entity::audit_events;
use policy::RunId;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, Set};

/// What was done, as a code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Deed {
    UserCreated,
    UserChanged,
    UserMarked,
    UserUnmarked,
    UserAnonymised,
    LoanReturned,
    RequestCancelled,
    ChargeSettled,
    LegalHoldPlaced,
    LegalHoldReleased,
    TaskCreated,
    TaskChanged,
    TaskCopied,
    TaskActivated,
    TaskDeactivated,
    TaskMadeDefault,
    TaskDeleted,
    TaskExported,
    Previewed,
    RunStarted,
    RunTakenUp,
    RunCancelled,
    RunStopped,
    RunFinished,
    LedgerReplayed,
    LedgerStartedOver,
    Imported,
    Exported,
}

impl Deed {
    /// The stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UserCreated => "user_created",
            Self::UserChanged => "user_changed",
            Self::UserMarked => "user_marked",
            Self::UserUnmarked => "user_unmarked",
            Self::UserAnonymised => "user_anonymised",
            Self::LoanReturned => "loan_returned",
            Self::RequestCancelled => "request_cancelled",
            Self::ChargeSettled => "charge_settled",
            Self::LegalHoldPlaced => "legal_hold_placed",
            Self::LegalHoldReleased => "legal_hold_released",
            Self::TaskCreated => "task_created",
            Self::TaskChanged => "task_changed",
            Self::TaskCopied => "task_copied",
            Self::TaskActivated => "task_activated",
            Self::TaskDeactivated => "task_deactivated",
            Self::TaskMadeDefault => "task_made_default",
            Self::TaskDeleted => "task_deleted",
            Self::TaskExported => "task_exported",
            Self::Previewed => "previewed",
            Self::RunStarted => "run_started",
            Self::RunTakenUp => "run_taken_up",
            Self::RunCancelled => "run_cancelled",
            Self::RunStopped => "run_stopped",
            Self::RunFinished => "run_finished",
            Self::LedgerReplayed => "ledger_replayed",
            Self::LedgerStartedOver => "ledger_started_over",
            Self::Imported => "imported",
            Self::Exported => "exported",
        }
    }
}

/// The kind of record that something was done to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Subject {
    /// A user, by number.
    User(i64),
    /// A task, by id.
    Task(i64),
    /// A run or preview, by id.
    Run(i64),
    /// The whole library.
    Library,
}

impl Subject {
    /// The stable code of the kind, and the id.
    pub const fn parts(self) -> (&'static str, Option<i64>) {
        match self {
            Self::User(id) => ("user", Some(id)),
            Self::Task(id) => ("task", Some(id)),
            Self::Run(id) => ("run", Some(id)),
            Self::Library => ("library", None),
        }
    }
}

/// Writes one event, in the transaction of the change itself: a change that cannot be noted is not made.
///
/// `detail` is made of names of fields and codes, joined by commas.
pub async fn note(
    db: &impl ConnectionTrait,
    clock: &Clock,
    actor: Actor,
    deed: Deed,
    subject: Subject,
    run: Option<RunId>,
    detail: &str,
) -> Result<(), DbErr> {
    let (kind, id) = subject.parts();
    audit_events::ActiveModel {
        at: Set(clock.now()),
        actor_number: Set(actor.staff.map(|staff| staff.0)),
        channel: Set(actor.channel.code().to_owned()),
        action: Set(deed.code().to_owned()),
        subject_kind: Set(kind.to_owned()),
        subject_id: Set(id),
        run_id: Set(run.map(|run| run.0)),
        detail: Set(detail.to_owned()),
        ..Default::default()
    }
    .insert(db)
    .await?;
    Ok(())
}
