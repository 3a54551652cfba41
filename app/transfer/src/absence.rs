//! What the absence of users from a file means: nothing, or that they have left.

use super::TransferError;
use super::order::ImportOrder;
use chrono::NaiveDate;
use db::dialect;
use db::entity::{credentials, user_roles, users};
use policy::UserNumber;
use policy::import_options::Absence;
use sea_orm::sea_query::{ExprTrait as _, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::HashSet;

/// Number of users read or changed at a time.
const USERS_PER_STATEMENT: u64 = 20_000;

/// Returns the condition of the users whose absence counts: imported, not anonymised, not gone, neither staff nor
/// fictitious.
fn is_expected(today: NaiveDate) -> Condition {
    let staff = Query::select().column(user_roles::Column::UserNumber).from(user_roles::Entity).take();
    let with_sign_in =
        Query::select().column(credentials::Column::UserNumber).from(credentials::Entity).take();
    Condition::all()
        .add(users::Column::Imported.eq(true))
        .add(users::Column::Fictitious.eq(false))
        .add(users::Column::AnonymisedOn.is_null())
        .add(users::Column::LeavingOn.is_null().or(users::Column::LeavingOn.gt(today)))
        .add(users::Column::Number.not_in_subquery(staff))
        .add(users::Column::Number.not_in_subquery(with_sign_in))
}

/// Counts the users that a complete file contains.
pub(super) async fn expected(db: &impl ConnectionTrait, today: NaiveDate) -> Result<u64, DbErr> {
    users::Entity::find().filter(is_expected(today)).count(db).await
}

/// The users that a file lacks.
#[derive(Debug, Default)]
pub(super) struct Absent {
    /// Number of expected users that no line names. Rejected lines are deducted, because they may name them.
    pub(super) missing: u64,
    /// Users whose leaving date was set.
    pub(super) left: Vec<UserNumber>,
}

/// Finds the users that a file lacks, and sets their leaving date if the import says so.
///
/// A file with a rejected line sets no leaving date: the line may be about one of these users. Searches only if the
/// order limits the number of missing users or gives it a meaning.
pub(super) async fn apply(
    tx: &DatabaseTransaction,
    order: &ImportOrder<'_>,
    (seen, rejected): (&HashSet<i64>, u64),
    today: NaiveDate,
) -> Result<Absent, TransferError> {
    let sets_date = order.options.absence == Absence::SetLeavingDate;
    if !sets_date && order.limits.missing.is_none() {
        return Ok(Absent::default());
    }
    let missing = missing(tx, seen, today).await?;
    let count = (missing.len() as u64).saturating_sub(rejected);
    if !sets_date || rejected > 0 {
        return Ok(Absent { missing: count, left: Vec::new() });
    }
    set_leaving_date(tx, &missing, today).await?;
    Ok(Absent { missing: count, left: missing.into_iter().map(UserNumber).collect() })
}

/// Returns the expected users that no line names, for a few bytes each.
async fn missing(tx: &DatabaseTransaction, seen: &HashSet<i64>, today: NaiveDate) -> Result<Vec<i64>, DbErr> {
    let mut missing = Vec::new();
    let mut after = i64::MIN;
    loop {
        let numbers: Vec<i64> = users::Entity::find()
            .select_only()
            .column(users::Column::Number)
            .filter(is_expected(today))
            .filter(users::Column::Number.gt(after))
            .order_by_asc(users::Column::Number)
            .limit(USERS_PER_STATEMENT)
            .into_tuple()
            .all(tx)
            .await?;
        let Some(last) = numbers.last() else { return Ok(missing) };
        after = *last;
        missing.extend(numbers.into_iter().filter(|number| !seen.contains(number)));
    }
}

async fn set_leaving_date(tx: &DatabaseTransaction, numbers: &[i64], today: NaiveDate) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    for some in numbers.chunks(usize::try_from(USERS_PER_STATEMENT).unwrap_or(usize::MAX)) {
        // Raw SQL: one UPDATE for many users, whose numbers `dialect::in_list` takes as one value.
        let sql = format!(
            "UPDATE users SET leaving_on = ?, version = version + 1 WHERE {}",
            dialect::in_list(backend, "number")
        );
        let values = vec![today.into(), dialect::id_list(backend, some.iter().copied())];
        tx.execute_raw(dialect::bind(backend, &sql, values)).await?;
    }
    Ok(())
}
