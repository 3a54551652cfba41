//! The preview: the verdicts on all users, or on listed ones, stored so that a run can only touch these users.

use super::{announced_users, import_preview, preview_digest, stored_verdicts, verdict_counts};
use crate::new_run::{self, Basis};
use crate::task;
use db::entity::{run_members, runs, tasks};
use db::{Clock, RecordsError, dialect};
use policy::form::Problem;
use policy::listed_users::MAX_LISTED;
use policy::{Action, RULES_VERSION, RunId, RunKind, RunState, TaskId, TaskSettings, UserNumber};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, Set,
};
use std::collections::BTreeSet;
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// Number of unknown user numbers that an error names.
const MAX_NAMED: usize = 10;

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
    let preview = make(&tx, store, actor, &task, None).await?;
    store.commit(tx).await?;
    Ok(RunId(preview.id))
}

/// Assesses listed users like [`preview`] does all users. The run of this preview can anonymise these users only.
pub async fn preview_listed(
    store: &Store,
    actor: Actor,
    task: TaskId,
    listed: &BTreeSet<UserNumber>,
) -> Result<RunId, RecordsError> {
    actor.require(Action::Preview)?;
    if listed.is_empty() {
        return Err(RecordsError::field("users", Problem::required("at least one user number")));
    }
    if listed.len() > MAX_LISTED {
        return Err(RecordsError::field("users", Problem::TooMany { max: MAX_LISTED }));
    }
    let tx = store.begin().await?;
    let task = task::row_for(&tx, actor, task).await?;
    if task.settings.policy().is_none() {
        return Err(RecordsError::Refused(
            "Only a task that anonymises has previews of listed users".to_owned(),
        ));
    }
    reject_unknown(&tx, listed).await?;
    let preview = make(&tx, store, actor, &task, Some(listed)).await?;
    store.commit(tx).await?;
    Ok(RunId(preview.id))
}

/// Rejects a list with numbers that no user has: the list or the library is another one than expected.
async fn reject_unknown(tx: &DatabaseTransaction, listed: &BTreeSet<UserNumber>) -> Result<(), RecordsError> {
    let backend = tx.get_database_backend();
    // Raw SQL: `dialect::in_list` takes any number of users as one value.
    let sql = format!("SELECT number FROM users WHERE {}", dialect::in_list(backend, "number"));
    let list = dialect::id_list(backend, listed.iter().map(|number| number.0));
    let rows = tx.query_all_raw(dialect::bind(backend, &sql, vec![list])).await?;
    let known: BTreeSet<i64> =
        rows.iter().map(|row| row.try_get("", "number")).collect::<Result<_, DbErr>>()?;
    let unknown = listed.iter().filter(|number| !known.contains(&number.0));
    let named: Vec<String> = unknown.clone().take(MAX_NAMED).map(ToString::to_string).collect();
    if named.is_empty() {
        return Ok(());
    }
    let more = if unknown.count() > MAX_NAMED { ", …" } else { "" };
    let numbers = format!("{}{more}", named.join(", "));
    Err(RecordsError::field("users", Problem::NoSuchUsers { numbers }))
}

/// Creates a preview of a task that anonymises users or announces it, in a transaction. `listed` limits it to these users.
pub(super) async fn make(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    task: &tasks::Model,
    listed: Option<&BTreeSet<UserNumber>>,
) -> Result<runs::Model, RecordsError> {
    let count = listed.map(|listed| i64::try_from(listed.len()).unwrap_or(i64::MAX));
    let more = runs::ActiveModel {
        started_at: Set(Some(Clock::system_now())),
        listed: Set(count),
        ..Default::default()
    };
    let state = (RunKind::Preview, RunState::Succeeded);
    let run = new_run::insert(tx, (store, actor), state, Basis::Task(task), more).await?;
    forget_older_previews(tx, task.id, run.id).await?;
    match &task.settings {
        TaskSettings::AnonymiseUserData(policy) => {
            stored_verdicts::store(tx, &run, (policy, run.today), listed).await?;
        }
        TaskSettings::AnnounceAnonymising(settings) => announced_users::store(tx, &run, settings).await?,
        TaskSettings::ImportUsers(_) => return Err(RecordsError::Corrupt("settings of the task")),
    }
    let [users, previewed] = verdict_counts::count(tx, &run).await?;
    let fingerprint =
        preview_digest::fingerprint(tx, RunId(run.id), &task.settings, RULES_VERSION, run.today).await?;
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
    let detail = count.map(|count| format!("listed={count}")).unwrap_or_default();
    let subject = Subject::Task(task.id);
    let run = Some(RunId(run.id));
    audit::record_event(tx, &store.clock, actor, AuditAction::Previewed, subject, run, &detail).await?;
    Ok(sealed)
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
