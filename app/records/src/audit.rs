//! The audit: who did what to which record, in codes. No value of a field is ever written here.

use crate::actor::Actor;
use crate::clock::Clock;
use crate::entity::audit_events;
use crate::error::RecordsError;
use crate::store::Store;
use policy::{Action, RunId};
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
    LegalHoldReviewed,
    LegalHoldReleaseAsked,
    LegalHoldReleased,
    ApprovalAsked,
    ApprovalGiven,
    ApprovalDeclined,
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
    FilesMaintained,
    LedgerReplayed,
    LedgerStartedOver,
    ResidueRemoved,
    ResidueKept,
    ResidueGone,
    SignedIn,
    SignInFailed,
    SignedOut,
    SessionEnded,
    PasswordSet,
    SecondFactorSet,
    RecoveryCodeUsed,
    StaffInvited,
    StaffDisabled,
    RoleGiven,
    RoleTaken,
    Refused,
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
            Self::LegalHoldReviewed => "legal_hold_reviewed",
            Self::LegalHoldReleaseAsked => "legal_hold_release_asked",
            Self::LegalHoldReleased => "legal_hold_released",
            Self::ApprovalAsked => "approval_asked",
            Self::ApprovalGiven => "approval_given",
            Self::ApprovalDeclined => "approval_declined",
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
            Self::FilesMaintained => "files_maintained",
            Self::LedgerReplayed => "ledger_replayed",
            Self::LedgerStartedOver => "ledger_started_over",
            Self::ResidueRemoved => "residue_removed",
            Self::ResidueKept => "residue_kept",
            Self::ResidueGone => "residue_gone",
            Self::SignedIn => "signed_in",
            Self::SignInFailed => "sign_in_failed",
            Self::SignedOut => "signed_out",
            Self::SessionEnded => "session_ended",
            Self::PasswordSet => "password_set",
            Self::SecondFactorSet => "second_factor_set",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::StaffInvited => "staff_invited",
            Self::StaffDisabled => "staff_disabled",
            Self::RoleGiven => "role_given",
            Self::RoleTaken => "role_taken",
            Self::Refused => "refused",
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
    /// A legal hold on a category, by id.
    LegalHold(i64),
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
            Self::LegalHold(id) => ("legal_hold", Some(id)),
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

/// Notes that somebody wanted to do what they may not, in a transaction of its own.
pub async fn refused(store: &Store, actor: Actor, action: Action) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    note(&tx, &store.clock, actor, Deed::Refused, Subject::Library, None, action.code()).await?;
    tx.commit().await?;
    Ok(())
}
