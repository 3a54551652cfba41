//! Notifications that could not be delivered.

use super::{Condition, ConditionKind};
use chrono::{DateTime, Utc};
use db::RecordsError;
use db::entity::notification_deliveries::{Column, Entity};
use policy::notification::DeliveryState;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use trail::Store;

/// Returns a single condition for all of them, until staff try them again or discard them.
pub(super) async fn failed(store: &Store) -> Result<Vec<Condition>, RecordsError> {
    let row: Option<(i64, Option<DateTime<Utc>>)> = Entity::find()
        .select_only()
        .column_as(Column::Id.count(), "deliveries")
        .column_as(Column::EndedAt.min(), "since")
        .filter(Column::State.eq(DeliveryState::Failed))
        .into_tuple()
        .one(&store.db)
        .await?;
    let Some((deliveries, Some(since))) = row else { return Ok(Vec::new()) };
    let what = ConditionKind::NotificationsFailed { deliveries };
    Ok(vec![Condition { what, task: None, run: None, since }])
}
