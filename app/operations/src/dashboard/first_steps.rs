//! The first steps in a new installation, and which of them are done.

use db::RecordsError;
use db::entity::{runs, tasks, user_roles, users};
use policy::{Action, FourEyes, RunKind, RunState};
use safeguards::approval;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Select};
use trail::audit::{self, AuditAction};
use trail::{Actor, Store};

/// The number of people who can approve, from which one of them can be the second person.
const MIN_APPROVERS: u64 = 2;

/// A first step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FirstStep {
    /// At least two members of staff can approve, unless the installation never requires a second person.
    SecondPerson,
    /// The library has users besides its staff.
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
        FirstStep::SecondPerson => {
            // With the setting `on`, a second person is required but may not exist yet.
            let people = approval::count_eligible(&store.db, Action::Approve).await?;
            Ok(store.settings.four_eyes == FourEyes::Off || people >= MIN_APPROVERS)
        }
        FirstStep::Users => {
            // The search ends at the first user without a role, so it reads at most one user more than there are staff.
            let staff =
                Query::select().column(user_roles::Column::UserNumber).from(user_roles::Entity).to_owned();
            exists(store, users::Entity::find().filter(users::Column::Number.not_in_subquery(staff))).await
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
        FirstStep::Backup => Ok(audit::newest(store, AuditAction::BackedUp).await?.is_some()),
    }
}

async fn exists<E: EntityTrait>(store: &Store, rows: Select<E>) -> Result<bool, RecordsError> {
    let found: Option<i32> =
        rows.select_only().expr_as(Expr::val(1), "one").limit(1).into_tuple().one(&store.db).await?;
    Ok(found.is_some())
}
