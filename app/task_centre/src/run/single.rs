//! Anonymises a single user, from the record or the command line, ignoring conditions and scope.

use crate::new_run::{self, Basis};
use crate::task::default_task;
use db::RecordsError;
use db::entity::{run_members, runs, tasks, users};
use erasure::anonymise::{self, ErasureRequest};
use erasure::residue::ErasedValues;
use erasure::{certificate, eligibility, ledger, run_counts};
use policy::form::Problem;
use policy::four_eyes::COOLING_OFF_HOURS;
use policy::{
    Action, ApprovalId, Counted, ErasureReason, Grounds, ManualChange, Outcome, Policy, Reason, RunId,
    RunKind, RunMode, RunState, TaskId, UserFacts, UserNumber, Verdict, assess,
};
use policy::{grounds, letters};
use safeguards::{limits, manual_changes, protection};
use sea_orm::{ActiveModelTrait, DatabaseTransaction, Set};
use trail::task_name::TaskName;
use trail::{Actor, Store, person};

/// The effect of anonymising a single user.
#[derive(Clone, Debug)]
pub struct SinglePlan {
    /// The verdict, ignoring conditions and scope.
    pub verdict: Verdict,
    /// The task whose field settings apply, or `None` if there is no such task.
    pub task: Option<(TaskId, TaskName)>,
    /// Version of that task, to detect a change after the page was shown.
    pub version: i32,
    /// Policy of that task.
    pub policy: Policy,
}

/// Returns the effect of anonymising a single user.
pub async fn plan_for_one(store: &Store, number: UserNumber) -> Result<SinglePlan, RecordsError> {
    plan(store, number, |facts| facts).await
}

/// Returns the effect of anonymising a member of staff, as if their roles had ended.
pub async fn plan_for_staff(store: &Store, number: UserNumber) -> Result<SinglePlan, RecordsError> {
    plan(store, number, |facts| UserFacts { staff: false, ..facts }).await
}

async fn plan(
    store: &Store,
    number: UserNumber,
    as_if: impl Fn(UserFacts) -> UserFacts,
) -> Result<SinglePlan, RecordsError> {
    let facts = eligibility::facts(&store.db, &[number]).await?;
    let (_, facts) = facts.first().ok_or(RecordsError::NotFound("user"))?;
    let facts = &as_if(*facts);
    let task = default_task(&store.db).await?;
    let policy = task.as_ref().and_then(|task| task.settings.policy()).cloned().unwrap_or_default();
    let verdict = assess(facts, &policy, store.clock.today(), RunMode::Single);
    let version = task.as_ref().map_or(0, |task| task.version);
    let task = task.map(|task| (TaskId(task.id), TaskName::new(&task)));
    Ok(SinglePlan { verdict, task, version, policy })
}

/// An order to anonymise one user, as entered on the page or on the command line.
#[derive(Clone, Copy, Debug, Default)]
pub struct SingleOrder<'a> {
    /// The user number, typed to confirm.
    pub typed: &'a str,
    /// The code of the reason.
    pub reason: &'a str,
    /// The reference of a case. May be empty.
    pub case_reference: &'a str,
    /// The task and version of the field settings that a page has shown.
    pub shown: Option<(TaskId, i32)>,
}

/// Anonymises a single user who has left. `typed` must be the user number.
///
/// Returns the run, or `None` without writing anything if the user is already anonymised.
pub async fn anonymise_one(
    store: &Store,
    actor: Actor,
    number: UserNumber,
    typed: &str,
) -> Result<Option<RunId>, RecordsError> {
    let reason = ErasureReason::Left.code();
    anonymise_one_for(store, actor, number, &SingleOrder { typed, reason, ..SingleOrder::default() }).await
}

/// Like [`anonymise_one`], for the reason of an order.
///
/// Rejects the order if a page has shown its settings, and another task is the default by now or the task has changed.
pub async fn anonymise_one_for(
    store: &Store,
    actor: Actor,
    number: UserNumber,
    order: &SingleOrder<'_>,
) -> Result<Option<RunId>, RecordsError> {
    let done = anonymise_by(store, actor, number, order).await;
    limits::record_limit(store, actor, done).await
}

async fn anonymise_by(
    store: &Store,
    actor: Actor,
    number: UserNumber,
    order: &SingleOrder<'_>,
) -> Result<Option<RunId>, RecordsError> {
    actor.require(Action::AnonymiseOne)?;
    let tx = store.begin().await?;
    let user = person::lock(&tx, number).await?;
    let grounds = grounds_of(&tx, number, &[number], order).await?;
    if user.anonymised_on.is_some() {
        return Ok(None);
    }
    if protection::was_staff(&tx, number).await? {
        return Err(RecordsError::Refused(format!(
            "This user lost the last role less than {COOLING_OFF_HOURS} hours ago, so a second person must approve. \
             Use “Anonymise this member of staff” on the record. Nothing was changed"
        )));
    }
    let task = task_as_shown(&tx, order.shown).await?;
    let approval = limits::claim(&tx, store, actor, Counted::Anonymised, number).await?;
    execute_one(tx, store, actor, &user, (&task, approval), &grounds).await.map(Some)
}

/// Returns the grounds of an order. Returns an error unless the number of this user is typed and the reason is valid.
///
/// The case reference stays on the run, its certificate and the audit, so it must identify none of the `people`.
pub(super) async fn grounds_of(
    tx: &DatabaseTransaction,
    user: UserNumber,
    people: &[UserNumber],
    order: &SingleOrder<'_>,
) -> Result<Grounds, RecordsError> {
    let personal = ErasedValues::identifying(tx, people).await?;
    let forms: Vec<String> = personal.iter().flat_map(|value| letters::forms(value)).collect();
    let personal = personal.iter().map(|value| value.as_str()).chain(forms.iter().map(String::as_str));
    let grounds = grounds::validate(order.reason, order.case_reference, personal);
    let expected = user.to_string();
    let mut errors = grounds.as_ref().err().cloned().unwrap_or_default();
    if order.typed.trim() != expected {
        errors.add("confirm", Problem::ConfirmationDiffers { expected });
    }
    match grounds {
        Ok(grounds) if errors.is_empty() => Ok(grounds),
        _ => Err(RecordsError::Invalid(errors)),
    }
}

/// Returns the task whose field settings apply, or an error if it isn't the one that was shown.
pub(super) async fn task_as_shown(
    tx: &DatabaseTransaction,
    shown: Option<(TaskId, i32)>,
) -> Result<tasks::Model, RecordsError> {
    let Some(task) = default_task(tx).await? else {
        return Err(RecordsError::Refused(
            "Nothing was changed. No task defines what happens to each field. Create a task of the type Data \
             maintenance › Anonymise user data; it can be manual only"
                .to_owned(),
        ));
    };
    if shown.is_some_and(|shown| shown != (TaskId(task.id), task.version)) {
        return Err(RecordsError::Stale);
    }
    Ok(task)
}

/// Anonymises a user whose row is locked, counts the change and commits. Returns the run.
pub(super) async fn execute_one(
    tx: DatabaseTransaction,
    store: &Store,
    actor: Actor,
    user: &users::Model,
    (task, approval): (&tasks::Model, Option<ApprovalId>),
    grounds: &Grounds,
) -> Result<RunId, RecordsError> {
    let number = UserNumber(user.number);
    let run = insert_run(&tx, (store, actor), task, approval, grounds).await?;
    let policy = task.settings.policy().ok_or(RecordsError::Corrupt("settings of the task"))?;
    let request =
        ErasureRequest { run: RunId(run.id), policy, today: run.today, mode: RunMode::Single, actor };
    let memory = ErasedValues::read(&tx, policy, &[number]).await?;
    let mut outcomes = anonymise::anonymise(store, &tx, &request, &[number]).await?;
    outcomes.codes = grounds.codes();
    if let Some((_, reason)) = outcomes.skipped.first() {
        return Err(refused(*reason));
    }
    manual_changes::record(&tx, actor, ManualChange::Anonymised, [(number, 0)]).await?;
    for (table, rows) in &outcomes.rows {
        run_counts::add(&tx, request.run, "table", table, *rows).await?;
    }
    run_members::ActiveModel {
        run_id: Set(run.id),
        user_number: Set(number.0),
        reason: Set(Reason::Eligible.number()),
        blockers: Set(0),
        outcome: Set(Some(Outcome::Done)),
        ..Default::default()
    }
    .insert(&tx)
    .await?;
    certificate::make(&tx, store, request.run).await?;
    ledger::commit(store, tx, &request, &outcomes).await?;
    super::background_scan::scan_single_in_background(store, request.run, memory);
    Ok(request.run)
}

async fn insert_run(
    tx: &DatabaseTransaction,
    (store, actor): (&Store, Actor),
    task: &tasks::Model,
    approval: Option<ApprovalId>,
    grounds: &Grounds,
) -> Result<runs::Model, RecordsError> {
    let more = runs::ActiveModel {
        approval_id: Set(approval.map(|approval| approval.0)),
        finished_at: Set(Some(store.clock.now())),
        users: Set(1),
        previewed: Set(1),
        done: Set(1),
        erasure_reason: Set(Some(grounds.reason)),
        case_reference: Set(grounds.case_reference.clone()),
        merged_into: Set(grounds.merged_into.map(|into| into.0)),
        ..Default::default()
    };
    let state = (RunKind::Single, RunState::Succeeded);
    new_run::insert(tx, (store, actor), state, Basis::Task(task), more).await
}

/// Returns why the user isn't anonymised, and what to do.
fn refused(reason: Reason) -> RecordsError {
    let what_to_do = match reason {
        Reason::Staff => {
            "To anonymise a user with a role, use “Anonymise this member of staff” on the record, or lethe staff \
             anonymise"
        }
        Reason::Fictitious => "A fictitious user is not a person",
        _ => "Deal with it first",
    };
    RecordsError::Refused(format!("Nothing was changed. Reason: {}. {what_to_do}", reason.label()))
}
