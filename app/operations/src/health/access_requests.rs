//! Access requests that are due soon or overdue.

use super::{Condition, ConditionKind};
use chrono::{Duration, NaiveDate, NaiveTime};
use db::RecordsError;
use db::entity::access_requests;
use policy::access_request::{AccessRequestState, DUE_SOON_DAYS};
use policy::timezone;
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use trail::Store;

/// Returns a single condition for all of them. A partial index covers them.
pub(super) async fn due(store: &Store) -> Result<Vec<Condition>, RecordsError> {
    let soon = Duration::days(DUE_SOON_DAYS);
    let found: Option<(i64, Option<NaiveDate>)> = access_requests::Entity::find()
        .select_only()
        .expr_as(Expr::col(Asterisk).count(), "requests")
        .column_as(access_requests::Column::DueOn.min(), "first")
        .filter(access_requests::Column::State.eq(AccessRequestState::Open))
        .filter(access_requests::Column::DueOn.lte(store.clock.today() + soon))
        .into_tuple()
        .one(&store.db)
        .await?;
    let Some((requests, Some(first))) = found else { return Ok(Vec::new()) };
    let since = timezone::at_wall_time(store.clock.zone(), (first - soon).and_time(NaiveTime::MIN)).at;
    Ok(vec![Condition { what: ConditionKind::AccessRequestsDue { requests }, task: None, run: None, since }])
}
