//! The preview fingerprint: a digest of policy, rules, day and users. Also makes the preview of a scheduled run.

use super::lease::{Lease, LeaseStatus};
use super::{finish, preview};
use crate::dialect;
use crate::entity::{run_members, runs, tasks};
use crate::error::RecordsError;
use crate::limits;
use crate::run_counts;
use crate::store::Store;
use crate::stored::stored_policy;
use chrono::NaiveDate;
use policy::{
    Policy, RULES_VERSION, Reason, RunId, RunKind, RunState, SafetyLimit, TaskId, UserNumber, extends_beyond,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use sha2::{Digest as _, Sha256};

/// Number of users read at a time.
const CHUNK: u64 = 20_000;
/// Number of previous runs of a task from which the usual number of users is derived.
const LAST_RUNS: u64 = 5;

/// Returns the fingerprint of the eligible users of a run or preview.
pub(super) async fn fingerprint(
    db: &impl ConnectionTrait,
    run: RunId,
    policy: &str,
    rules: i32,
    today: NaiveDate,
) -> Result<String, RecordsError> {
    let mut seal = Seal::new(policy, rules, today);
    let mut after = i64::MIN;
    loop {
        let numbers: Vec<i64> = run_members::Entity::find()
            .select_only()
            .column(run_members::Column::UserNumber)
            .filter(run_members::Column::RunId.eq(run.0))
            .filter(run_members::Column::Reason.eq(Reason::Eligible.number()))
            .filter(run_members::Column::UserNumber.gt(after))
            .order_by_asc(run_members::Column::UserNumber)
            .limit(CHUNK)
            .into_tuple()
            .all(db)
            .await?;
        let Some(last) = numbers.last() else { break };
        after = *last;
        seal.add(&numbers);
    }
    Ok(seal.fingerprint())
}

/// Computes a fingerprint: policy, rules and day, then the user numbers in order.
pub(super) struct Seal(Sha256);

impl Seal {
    pub(super) fn new(policy: &str, rules: i32, today: NaiveDate) -> Self {
        Self(Sha256::new_with_prefix(format!("lethe-preview-1\n{policy}\n{rules}\n{today}\n")))
    }

    pub(super) fn add(&mut self, numbers: &[i64]) {
        for number in numbers {
            self.0.update(number.to_be_bytes());
        }
    }

    pub(super) fn fingerprint(self) -> String {
        base16ct::lower::encode_string(&self.0.finalize())
    }
}

/// Copies the eligible users of a preview into its run and compares the fingerprint.
pub(super) async fn copy_members(
    tx: &DatabaseTransaction,
    preview: &runs::Model,
    run: RunId,
) -> Result<(), RecordsError> {
    let sql = "INSERT INTO run_members (run_id, user_number, reason, blockers) \
               SELECT CAST(? AS BIGINT), user_number, reason, blockers FROM run_members \
               WHERE run_id = ? AND reason = ?";
    let values = vec![run.0.into(), preview.id.into(), Reason::Eligible.number().into()];
    let members = tx.execute_raw(dialect::bind(tx.get_database_backend(), sql, values)).await?;
    dialect::analyze(tx, "run_members").await?;
    let found = fingerprint(tx, run, &preview.policy, preview.rules_version, preview.today).await?;
    let as_many = i64::try_from(members.rows_affected()) == Ok(preview.previewed);
    if !as_many || preview.fingerprint.as_deref() != Some(found.as_str()) {
        return Err(super::start::stale("The users of this preview no longer match its fingerprint"));
    }
    Ok(())
}

/// The result of making the preview of a scheduled run.
pub(super) enum Sealed {
    /// The users are determined, and the run can continue.
    Ready(Box<runs::Model>),
    /// The run has ended: a safety limit stopped it, or another process holds it.
    Stopped(RunState),
}

/// Makes the preview of a scheduled run in one transaction and checks the safety limits.
pub(super) async fn seal_scheduled(
    store: &Store,
    lease: &Lease,
    run: &runs::Model,
) -> Result<Sealed, RecordsError> {
    let tx = store.begin().await?;
    if lease.status(&tx).await? == LeaseStatus::Lost {
        return Ok(Sealed::Stopped(RunState::Interrupted));
    }
    let task = tasks::Entity::find_by_id(run.task_id.unwrap_or_default())
        .one(&tx)
        .await?
        .ok_or(RecordsError::NotFound("task"))?;
    let actor = super::actor_of(run.actor_number.map(UserNumber), &run.channel);
    if !task.active || task.deleted_at.is_some() {
        let state = RunState::Cancelled;
        finish::end_without_people(&tx, store, (lease.run, actor), state, None).await?;
        store.commit(tx).await?;
        return Ok(Sealed::Stopped(state));
    }
    let preview = preview::make(&tx, store, actor, &task).await?;
    let run = runs::ActiveModel {
        id: Set(run.id),
        preview_id: Set(Some(preview.id)),
        policy: Set(preview.policy.clone()),
        task_version: Set(preview.task_version),
        rules_version: Set(RULES_VERSION),
        today: Set(preview.today),
        fingerprint: Set(preview.fingerprint.clone()),
        users: Set(preview.users),
        previewed: Set(preview.previewed),
        ..Default::default()
    }
    .update(&tx)
    .await?;
    let id = RunId(run.id);
    if let Some(safety_limit) = safety_limit(&tx, store, &task, &preview).await? {
        let state = RunState::StoppedByLimit;
        finish::end_without_people(&tx, store, (id, actor), state, Some(safety_limit)).await?;
        store.commit(tx).await?;
        return Ok(Sealed::Stopped(state));
    }
    copy_members(&tx, &preview, id).await?;
    store.commit(tx).await?;
    Ok(Sealed::Ready(Box::new(run)))
}

/// Ends a scheduled run whose preview failed. A retry would fail too.
pub(super) async fn failed(
    store: &Store,
    lease: &Lease,
    run: &runs::Model,
    error: &RecordsError,
) -> Result<RunState, RecordsError> {
    tracing::error!(run = run.id, code = error.code(), "a scheduled run could not create its preview");
    let tx = store.begin().await?;
    if lease.status(&tx).await? == LeaseStatus::Lost {
        return Ok(RunState::Interrupted);
    }
    let actor = super::actor_of(run.actor_number.map(UserNumber), &run.channel);
    run_counts::add(&tx, lease.run, "error", error.code(), 1).await?;
    finish::end_without_people(&tx, store, (lease.run, actor), RunState::Failed, None).await?;
    store.commit(tx).await?;
    Ok(RunState::Failed)
}

/// Returns the safety limit that stops a scheduled run with this preview, if any.
async fn safety_limit(
    tx: &DatabaseTransaction,
    store: &Store,
    task: &tasks::Model,
    preview: &runs::Model,
) -> Result<Option<SafetyLimit>, RecordsError> {
    if preview.previewed == 0 {
        return Ok(None);
    }
    let policy: Policy = stored_policy(&preview.policy)?;
    let confirmed = task.confirmed_policy.as_deref().map(stored_policy).transpose()?;
    if confirmed.is_none_or(|confirmed| extends_beyond(&policy, &confirmed)) {
        return Ok(Some(SafetyLimit::NotConfirmed));
    }
    let last = last_runs(tx, TaskId(task.id)).await?;
    safety_limit_of(tx, store, preview, &last).await
}

/// Returns the safety limit that the run of a preview exceeds, if any.
///
/// Manual changes since the last confirmed run count.
pub(super) async fn safety_limit_of(
    db: &impl ConnectionTrait,
    store: &Store,
    preview: &runs::Model,
    last: &[i64],
) -> Result<Option<SafetyLimit>, RecordsError> {
    let manual = limits::manual(db, RunId(preview.id)).await?;
    let settings = &store.settings;
    Ok(settings.safety_limits.with_manual(preview.previewed, preview.users, last, manual, settings.limits))
}

/// Returns the numbers of users in the last runs of a task.
pub(super) async fn last_runs(tx: &impl ConnectionTrait, task: TaskId) -> Result<Vec<i64>, RecordsError> {
    let ended = [RunState::Succeeded, RunState::CompletedWithFailures];
    let people = runs::Entity::find()
        .select_only()
        .column(runs::Column::Previewed)
        .filter(runs::Column::TaskId.eq(task.0))
        .filter(runs::Column::Kind.is_in([RunKind::Manual, RunKind::Scheduled].map(RunKind::code)))
        .filter(runs::Column::State.is_in(ended.map(RunState::code)))
        .order_by_desc(runs::Column::Id)
        .limit(LAST_RUNS)
        .into_tuple()
        .all(tx)
        .await?;
    Ok(people)
}
