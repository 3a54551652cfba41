//! The preview: the verdicts on all users, stored so that a run can only touch these users.

use super::{import_preview, preview_digest};
use crate::new_run::{self, Basis};
use crate::task;
use db::entity::{run_counts, run_members, runs, tasks};
use db::{Clock, RecordsError, dialect};
use erasure::eligibility;
use policy::{Action, Policy, RULES_VERSION, Reason, RunId, RunKind, RunState, TaskId, TaskSettings};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
    QuerySelect, Set,
};
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// Assesses all users with the policy of a task and stores the verdicts and their fingerprint. Changes no user.
pub async fn preview(store: &Store, actor: Actor, task: TaskId) -> Result<RunId, RecordsError> {
    actor.require(Action::Preview)?;
    let tx = store.begin().await?;
    let task = task::row_for(&tx, actor, task).await?;
    if let TaskSettings::ImportUsers(settings) = &task.settings {
        // A dry run has a separate transaction.
        tx.rollback().await?;
        return import_preview::preview(store, actor, &task, settings).await;
    }
    let preview = make(&tx, store, actor, &task).await?;
    store.commit(tx).await?;
    Ok(RunId(preview.id))
}

/// Creates a preview of a task that anonymises, in a transaction.
pub(super) async fn make(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    task: &tasks::Model,
) -> Result<runs::Model, RecordsError> {
    let more = runs::ActiveModel { started_at: Set(Some(Clock::system_now())), ..Default::default() };
    let state = (RunKind::Preview, RunState::Succeeded);
    let run = new_run::insert(tx, (store, actor), state, Basis::Task(task), more).await?;
    forget_older_previews(tx, task.id, run.id).await?;
    let policy = task.settings.policy().ok_or(RecordsError::Corrupt("settings of the task"))?;
    let Assessed { users, previewed, fingerprint } = assess(tx, &run, policy).await?;
    let sealed = runs::ActiveModel {
        id: Set(run.id),
        users: Set(users),
        previewed: Set(previewed),
        fingerprint: Set(Some(fingerprint)),
        finished_at: Set(Some(store.clock.now())),
        ..Default::default()
    }
    .update(tx)
    .await?;
    audit::record_event(
        tx,
        &store.clock,
        actor,
        AuditAction::Previewed,
        Subject::Task(task.id),
        Some(RunId(run.id)),
        "",
    )
    .await?;
    Ok(sealed)
}

/// What a preview found.
struct Assessed {
    /// Number of all users.
    users: i64,
    /// Number of users that a run would process.
    previewed: i64,
    /// The digest by which a run recognises its preview.
    fingerprint: String,
}

/// Stores the verdicts of a policy on all users.
async fn assess(
    tx: &DatabaseTransaction,
    run: &runs::Model,
    policy: &Policy,
) -> Result<Assessed, RecordsError> {
    let (verdicts, mut values) = eligibility::verdicts_sql(policy, run.today);
    // Raw SQL: one INSERT … SELECT stores the verdicts, whose query is a fragment of `eligibility`.
    let sql = format!(
        "INSERT INTO run_members (run_id, user_number, reason, blockers) \
         SELECT CAST(? AS BIGINT), number, reason, blockers FROM ({verdicts}) verdicts"
    );
    values.insert(0, run.id.into());
    tx.execute_raw(dialect::bind(tx.get_database_backend(), &sql, values)).await?;
    dialect::analyze(tx, "run_members").await?;
    let [users, previewed] = count(tx, run).await?;
    let fingerprint =
        preview_digest::fingerprint(tx, RunId(run.id), policy, RULES_VERSION, run.today).await?;
    Ok(Assessed { users, previewed, fingerprint })
}

/// Counts the verdicts by reason. Returns the numbers of all users and of eligible users.
async fn count(tx: &DatabaseTransaction, run: &runs::Model) -> Result<[i64; 2], DbErr> {
    let by_reason: Vec<(i16, i64)> = run_members::Entity::find()
        .select_only()
        .column(run_members::Column::Reason)
        .column_as(run_members::Column::UserNumber.count(), "n")
        .filter(run_members::Column::RunId.eq(run.id))
        .group_by(run_members::Column::Reason)
        .into_tuple()
        .all(tx)
        .await?;
    let mut counts = Vec::new();
    for (number, count) in by_reason {
        let reason = Reason::from_number(number)
            .ok_or_else(|| DbErr::Custom("a verdict has no known reason".to_owned()))?;
        counts.push((reason, count));
    }
    let eligible = counts.iter().filter(|(reason, _)| *reason == Reason::Eligible).map(|(_, n)| n).sum();
    let all = counts.iter().map(|(_, n)| n).sum();
    let rows = counts.into_iter().map(|(reason, count)| run_counts::ActiveModel {
        run_id: Set(run.id),
        kind: Set("verdict".to_owned()),
        code: Set(reason.code().to_owned()),
        count: Set(count),
    });
    run_counts::Entity::insert_many(rows).exec_without_returning(tx).await?;
    Ok([all, eligible])
}

/// Deletes the verdicts of older previews of the task that were never executed. Their counts remain.
async fn forget_older_previews(tx: &DatabaseTransaction, task: i64, newest: i64) -> Result<(), DbErr> {
    let executed = Query::select()
        .column(runs::Column::PreviewId)
        .from(runs::Entity)
        .and_where(Expr::col(runs::Column::PreviewId).is_not_null())
        .and_where(runs::Column::State.ne(RunState::StoppedByLimit))
        .to_owned();
    let older = Query::select()
        .column(runs::Column::Id)
        .from(runs::Entity)
        .and_where(runs::Column::TaskId.eq(task))
        .and_where(runs::Column::Kind.eq(RunKind::Preview))
        .and_where(runs::Column::Id.ne(newest))
        .and_where(runs::Column::Id.not_in_subquery(executed))
        .to_owned();
    run_members::Entity::delete_many().filter(run_members::Column::RunId.in_subquery(older)).exec(tx).await?;
    Ok(())
}
