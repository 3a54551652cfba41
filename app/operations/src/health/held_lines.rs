//! Held lines that have waited for a decision for several days.

use super::{Condition, ConditionKind, HELD_LINE_DAYS};
use chrono::{Duration, NaiveDate, NaiveTime};
use db::RecordsError;
use db::entity::held_lines;
use policy::timezone;
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use trail::Store;

/// Returns a single condition for all of them. A partial index covers them.
pub(super) async fn waiting(store: &Store) -> Result<Vec<Condition>, RecordsError> {
    let today = store.clock.today();
    let found: Option<(i64, Option<NaiveDate>)> = held_lines::Entity::find()
        .select_only()
        .expr_as(Expr::col(Asterisk).count(), "lines")
        .column_as(held_lines::Column::FirstSeenOn.min(), "since")
        .filter(held_lines::Column::Decision.is_null())
        .filter(held_lines::Column::FirstSeenOn.lt(today - Duration::days(HELD_LINE_DAYS)))
        .into_tuple()
        .one(&store.db)
        .await?;
    let Some((lines, Some(since))) = found else { return Ok(Vec::new()) };
    let since = timezone::at_wall_time(store.clock.zone(), since.and_time(NaiveTime::MIN)).at;
    Ok(vec![Condition { what: ConditionKind::HeldLinesWaiting { lines }, task: None, run: None, since }])
}
