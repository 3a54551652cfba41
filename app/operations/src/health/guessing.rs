//! Guessed codes: sign-ins with the correct password that ended after too many wrong codes.

use super::{Condition, ConditionKind};
use chrono::{DateTime, Duration, Utc};
use db::entity::account_notices;
use db::{Clock, RecordsError};
use identity::staff::NoticeKind;
use sea_orm::sea_query::Func;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use trail::Store;

/// The time for which guessed codes are reported, in hours.
const REPORTED_HOURS: i64 = 24;

/// Returns a single condition for all accounts.
pub(super) async fn codes(store: &Store) -> Result<Vec<Condition>, RecordsError> {
    let guessed: Option<(i64, Option<DateTime<Utc>>)> = account_notices::Entity::find()
        .select_only()
        .expr_as(Func::count_distinct(account_notices::Column::UserNumber.into_expr()), "accounts")
        .column_as(account_notices::Column::FirstAt.min(), "since")
        .filter(account_notices::Column::Kind.is_in(NoticeKind::GUESSED_CODES))
        .filter(account_notices::Column::LastAt.gt(Clock::system_now() - Duration::hours(REPORTED_HOURS)))
        .into_tuple()
        .one(&store.db)
        .await?;
    let Some((accounts, Some(since))) = guessed else { return Ok(Vec::new()) };
    let what = ConditionKind::CodesGuessed { accounts };
    Ok(vec![Condition { what, task: None, run: None, since }])
}
