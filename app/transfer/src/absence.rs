//! The users in the files of a task, and what their absence from the next file means: nothing, or that they
//! have left.
//!
//! A task expects the users of its earlier files. Several tasks can contain the same user. A user who is
//! missing from a file has left only if no other task that sets leaving dates contains them. Imports of the page and of
//! the command line contain any part of the users, so they expect none.

use super::TransferError;
use super::guard;
use super::order::ImportOrder;
use chrono::NaiveDate;
use db::bulk_insert::MAX_PARAMETERS;
use db::dialect;
use db::entity::{tasks, user_sources, users};
use policy::import_options::Absence;
use policy::import_profile::FileKind;
use policy::{TaskId, TaskSettings, TaskType, UserNumber};
use sea_orm::sea_query::{ExprTrait as _, Query, Value};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::HashSet;

/// Number of users read or changed at a time.
const USERS_PER_STATEMENT: usize = 20_000;

/// Returns the condition of the users who have not left: imported, not anonymised, not gone, neither staff nor
/// fictitious.
fn is_present(today: NaiveDate) -> Condition {
    Condition::all()
        .add(users::Column::Imported.eq(true))
        .add(users::Column::Fictitious.eq(false))
        .add(users::Column::AnonymisedOn.is_null())
        .add(users::Column::LeavingOn.is_null().or(users::Column::LeavingOn.gt(today)))
        .add(guard::is_staff().not())
}

/// Returns the condition of the users whose absence from a file of the task counts.
fn is_expected(task: TaskId, today: NaiveDate) -> Condition {
    let theirs = Query::select()
        .column(user_sources::Column::UserNumber)
        .from(user_sources::Entity)
        .and_where(user_sources::Column::TaskId.eq(task.0))
        .take();
    is_present(today).add(users::Column::Number.in_subquery(theirs))
}

/// Counts all imported users who have not left.
pub(super) async fn present(db: &impl ConnectionTrait, today: NaiveDate) -> Result<u64, DbErr> {
    users::Entity::find().filter(is_present(today)).count(db).await
}

/// Counts the users that a complete file of the task contains. Without a task, none are expected.
pub(super) async fn expected(
    db: &impl ConnectionTrait,
    task: Option<TaskId>,
    today: NaiveDate,
) -> Result<u64, DbErr> {
    let Some(task) = task else { return Ok(0) };
    users::Entity::find().filter(is_expected(task, today)).count(db).await
}

/// The users that a file lacks.
#[derive(Debug, Default)]
pub(super) struct Absent {
    /// Number of expected users that no line names. Rejected lines are deducted, because they may name them.
    pub(super) missing: u64,
    /// Users whose leaving date was set.
    pub(super) left: Vec<UserNumber>,
}

/// Records the users in the file of a task, and finds the expected users that it lacks. Sets their leaving date if the
/// import says so.
///
/// A file with a rejected line sets no leaving date: the line may be about one of these users.
pub(super) async fn apply(
    tx: &DatabaseTransaction,
    order: &ImportOrder<'_>,
    (seen, rejected): (&HashSet<i64>, u64),
    today: NaiveDate,
) -> Result<Absent, TransferError> {
    let Some(task) = order.task else { return Ok(Absent::default()) };
    let sets_date = order.options.absence == Absence::SetLeavingDate;
    let missing = if sets_date || order.limits.missing.is_some() {
        missing(tx, task, seen, today).await?
    } else {
        Vec::new()
    };
    record(tx, task, seen).await?;
    let count = (missing.len() as u64).saturating_sub(rejected);
    if !sets_date || rejected > 0 {
        return Ok(Absent { missing: count, left: Vec::new() });
    }
    forget(tx, task, &missing).await?;
    let left = not_in_other_files(tx, task, missing).await?;
    set_leaving_date(tx, &left, today).await?;
    Ok(Absent { missing: count, left: left.into_iter().map(UserNumber).collect() })
}

/// Returns the expected users that no line names, for a few bytes each.
async fn missing(
    tx: &DatabaseTransaction,
    task: TaskId,
    seen: &HashSet<i64>,
    today: NaiveDate,
) -> Result<Vec<i64>, DbErr> {
    let mut missing = Vec::new();
    let mut after = i64::MIN;
    loop {
        let numbers: Vec<i64> = users::Entity::find()
            .select_only()
            .column(users::Column::Number)
            .filter(is_expected(task, today))
            .filter(users::Column::Number.gt(after))
            .order_by_asc(users::Column::Number)
            .limit(USERS_PER_STATEMENT as u64)
            .into_tuple()
            .all(tx)
            .await?;
        let Some(last) = numbers.last() else { return Ok(missing) };
        after = *last;
        missing.extend(numbers.into_iter().filter(|number| !seen.contains(number)));
    }
}

/// Returns those of the missing users that no other task with leaving dates contains.
async fn not_in_other_files(
    tx: &DatabaseTransaction,
    task: TaskId,
    missing: Vec<i64>,
) -> Result<Vec<i64>, DbErr> {
    let others = tasks::Entity::find()
        .filter(tasks::Column::TaskType.eq(TaskType::ImportUsers))
        .filter(tasks::Column::DeletedAt.is_null())
        .filter(tasks::Column::Id.ne(task.0))
        .all(tx)
        .await?;
    let others: Vec<i64> = others
        .into_iter()
        .filter(|other| match &other.settings {
            TaskSettings::ImportUsers(settings) => {
                settings.kind == FileKind::Users && settings.options.absence == Absence::SetLeavingDate
            }
            TaskSettings::AnonymiseUserData(_) | TaskSettings::AnnounceAnonymising(_) => false,
        })
        .map(|other| other.id)
        .collect();
    if others.is_empty() {
        return Ok(missing);
    }
    let mut elsewhere: HashSet<i64> = HashSet::new();
    for some in missing.chunks(MAX_PARAMETERS / 2) {
        let found: Vec<i64> = user_sources::Entity::find()
            .select_only()
            .column(user_sources::Column::UserNumber)
            .filter(user_sources::Column::TaskId.is_in(others.iter().copied()))
            .filter(user_sources::Column::UserNumber.is_in(some.iter().copied()))
            .into_tuple()
            .all(tx)
            .await?;
        elsewhere.extend(found);
    }
    Ok(missing.into_iter().filter(|number| !elsewhere.contains(number)).collect())
}

/// Records that the task's file contains these users.
async fn record(tx: &DatabaseTransaction, task: TaskId, seen: &HashSet<i64>) -> Result<(), DbErr> {
    let mut numbers: Vec<i64> = seen.iter().copied().collect();
    numbers.sort_unstable();
    let sql = format!(
        "INSERT INTO user_sources (task_id, user_number) SELECT CAST(? AS BIGINT), number FROM users WHERE {} \
         ON CONFLICT DO NOTHING",
        dialect::in_list(tx.get_database_backend(), "number")
    );
    for_each_part(tx, &sql, &task.0.into(), &numbers).await
}

/// Records that the task's file no longer contains these users.
async fn forget(tx: &DatabaseTransaction, task: TaskId, numbers: &[i64]) -> Result<(), DbErr> {
    let theirs = dialect::in_list(tx.get_database_backend(), "user_number");
    let sql = format!("DELETE FROM user_sources WHERE task_id = ? AND {theirs}");
    for_each_part(tx, &sql, &task.0.into(), numbers).await
}

async fn set_leaving_date(tx: &DatabaseTransaction, numbers: &[i64], today: NaiveDate) -> Result<(), DbErr> {
    let theirs = dialect::in_list(tx.get_database_backend(), "number");
    let sql = format!("UPDATE users SET leaving_on = ?, version = version + 1 WHERE {theirs}");
    for_each_part(tx, &sql, &today.into(), numbers).await
}

/// Executes a statement with a value for many users, some of them at a time.
///
/// Raw SQL: one statement for many users, whose numbers `dialect::in_list` takes as one value.
async fn for_each_part(
    tx: &DatabaseTransaction,
    sql: &str,
    value: &Value,
    numbers: &[i64],
) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    for some in numbers.chunks(USERS_PER_STATEMENT) {
        let values = vec![value.clone(), dialect::id_list(backend, some.iter().copied())];
        tx.execute_raw(dialect::bind(backend, sql, values)).await?;
    }
    Ok(())
}
