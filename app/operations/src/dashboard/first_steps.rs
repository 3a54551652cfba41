//! The first steps in a new installation, and which of them are done.

use db::RecordsError;
use db::entity::{audit_events, runs, tasks, users};
use policy::{Action, RunKind, RunState};
use safeguards::approval;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Select};
use trail::audit::AuditAction;
use trail::{Actor, Store};

/// A first step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FirstStep {
    /// A second member of staff can approve.
    SecondPerson,
    /// The library has imported users.
    Users,
    /// There is a task.
    Task,
    /// A preview was made.
    Preview,
    /// A member of staff ran a task.
    Run,
    /// A backup was made.
    Backup,
}

impl FirstStep {
    /// The steps in their order.
    pub const ALL: [Self; 6] =
        [Self::SecondPerson, Self::Users, Self::Task, Self::Preview, Self::Run, Self::Backup];

    /// Returns the permission that the step needs.
    pub const fn needs(self) -> Action {
        match self {
            Self::SecondPerson => Action::ManageStaff,
            Self::Users => Action::Import,
            Self::Task => Action::EditTasks,
            Self::Preview => Action::Preview,
            Self::Run => Action::Run,
            Self::Backup => Action::Administer,
        }
    }
}

/// The state of one step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StepProgress {
    /// The step.
    pub step: FirstStep,
    /// Whether it is done.
    pub is_done: bool,
}

/// Returns the steps. Empty if all are done, or if the actor can do none of them.
pub async fn first_steps(store: &Store, actor: Actor) -> Result<Vec<StepProgress>, RecordsError> {
    if !FirstStep::ALL.into_iter().any(|step| actor.may(step.needs())) {
        return Ok(Vec::new());
    }
    let mut steps = Vec::new();
    for step in FirstStep::ALL {
        steps.push(StepProgress { step, is_done: is_done(store, step).await? });
    }
    let are_all_done = steps.iter().all(|step| step.is_done);
    Ok(if are_all_done { Vec::new() } else { steps })
}

async fn is_done(store: &Store, step: FirstStep) -> Result<bool, RecordsError> {
    match step {
        FirstStep::SecondPerson => Ok(approval::is_configured(&store.db, store, Action::Approve).await?),
        FirstStep::Users => {
            exists(store, users::Entity::find().filter(users::Column::Imported.eq(true))).await
        }
        FirstStep::Task => exists(store, tasks::Entity::find()).await,
        FirstStep::Preview => {
            exists(store, runs::Entity::find().filter(runs::Column::Kind.eq(RunKind::Preview))).await
        }
        FirstStep::Run => {
            let ended = [RunState::Succeeded, RunState::CompletedWithFailures];
            let by_hand = runs::Entity::find().filter(runs::Column::Kind.eq(RunKind::Manual));
            exists(store, by_hand.filter(runs::Column::State.is_in(ended))).await
        }
        FirstStep::Backup => {
            let action = AuditAction::BackedUp.code();
            exists(store, audit_events::Entity::find().filter(audit_events::Column::Action.eq(action))).await
        }
    }
}

async fn exists<E: EntityTrait>(store: &Store, rows: Select<E>) -> Result<bool, RecordsError> {
    use sea_orm::sea_query::Expr;
    let found: Option<i32> =
        rows.select_only().expr_as(Expr::val(1), "one").limit(1).into_tuple().one(&store.db).await?;
    Ok(found.is_some())
}
