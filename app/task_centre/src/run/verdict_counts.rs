//! The counts of a preview: verdicts by reason, and the dates of eligible users that can warn.

use chrono::Duration;
use db::entity::{run_counts, run_members, runs};
use db::{RecordsError, dialect};
use policy::Reason;
use policy::preview_warning::RECENT_DAYS;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QuerySelect, Set,
};

/// The kind of the counts of verdicts, by reason.
pub(super) const VERDICTS: &str = "verdict";
/// The kind of the counts of eligible users with a date that can warn.
pub(super) const DATES: &str = "dates";
/// Eligible users with a leaving date after the day of the preview.
pub(super) const LEAVING_LATER: &str = "leaving_later";
/// Eligible users with a recent activity.
pub(super) const ACTIVE_RECENTLY: &str = "active_recently";

/// Counts the users of a preview and stores the counts. Returns the numbers of all users and of eligible users.
pub(super) async fn count(tx: &DatabaseTransaction, run: &runs::Model) -> Result<[i64; 2], RecordsError> {
    run_counts::Entity::delete_many()
        .filter(run_counts::Column::RunId.eq(run.id))
        .filter(run_counts::Column::Kind.is_in([VERDICTS, DATES]))
        .exec(tx)
        .await?;
    let verdicts = by_reason(tx, run).await?;
    let eligible = verdicts.iter().filter(|(reason, _)| *reason == Reason::Eligible).map(|(_, n)| n).sum();
    let all = verdicts.iter().map(|(_, n)| n).sum();
    let mut counts: Vec<(&str, &str, i64)> =
        verdicts.iter().map(|(reason, count)| (VERDICTS, reason.code(), *count)).collect();
    if eligible > 0 {
        let [leaving_later, active_recently] = dates(tx, run).await?;
        counts.extend([(DATES, LEAVING_LATER, leaving_later), (DATES, ACTIVE_RECENTLY, active_recently)]);
    }
    let rows = counts.into_iter().map(|(kind, code, count)| run_counts::ActiveModel {
        run_id: Set(run.id),
        kind: Set(kind.to_owned()),
        code: Set(code.to_owned()),
        count: Set(count),
    });
    run_counts::Entity::insert_many(rows).exec_without_returning(tx).await?;
    Ok([all, eligible])
}

async fn by_reason(tx: &DatabaseTransaction, run: &runs::Model) -> Result<Vec<(Reason, i64)>, DbErr> {
    let by_reason: Vec<(i16, i64)> = run_members::Entity::find()
        .select_only()
        .column(run_members::Column::Reason)
        .column_as(run_members::Column::UserNumber.count(), "n")
        .filter(run_members::Column::RunId.eq(run.id))
        .group_by(run_members::Column::Reason)
        .into_tuple()
        .all(tx)
        .await?;
    let known = |(number, count)| {
        let unknown = || DbErr::Custom("a verdict has no known reason".to_owned());
        Ok((Reason::from_number(number).ok_or_else(unknown)?, count))
    };
    by_reason.into_iter().map(known).collect()
}

/// Counts the eligible users who leave later, and those who were active recently.
async fn dates(tx: &DatabaseTransaction, run: &runs::Model) -> Result<[i64; 2], DbErr> {
    let recent = run.today.checked_sub_signed(Duration::days(RECENT_DAYS)).unwrap_or(run.today);
    // Raw SQL: one statement counts two conditions of the joined users.
    let sql = "SELECT COUNT(CASE WHEN u.leaving_on > ? THEN 1 END) AS later, \
               COUNT(CASE WHEN u.last_activity_on >= ? THEN 1 END) AS recently \
               FROM run_members m JOIN users u ON u.number = m.user_number WHERE m.run_id = ? AND m.reason = ?";
    let values = vec![run.today.into(), recent.into(), run.id.into(), Reason::Eligible.number().into()];
    let row = tx.query_one_raw(dialect::bind(tx.get_database_backend(), sql, values)).await?;
    let Some(row) = row else { return Ok([0, 0]) };
    Ok([row.try_get("", "later")?, row.try_get("", "recently")?])
}
