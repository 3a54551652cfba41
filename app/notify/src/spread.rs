//! Determines the recipients of each event: the staff who chose it and may see it, and the webhooks with it.

use crate::mail;
use db::entity::{notification_choices, notification_deliveries, notifications, user_roles, webhooks};
use db::{Clock, RecordsError, bulk_insert};
use policy::Roles;
use policy::notification::{DeliveryState, Event};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use std::collections::BTreeMap;
use trail::Store;
use uuid::Uuid;

/// The number of events of one round.
const EVENTS_PER_ROUND: u64 = 100;

/// Determines the recipients of new events.
pub(crate) async fn spread(store: &Store) -> Result<(), RecordsError> {
    let new: Vec<i64> = notifications::Entity::find()
        .select_only()
        .column(notifications::Column::Id)
        .filter(notifications::Column::SpreadAt.is_null())
        .order_by_asc(notifications::Column::Id)
        .limit(EVENTS_PER_ROUND)
        .into_tuple()
        .all(&store.db)
        .await?;
    for id in new {
        spread_one(store, id).await?;
    }
    Ok(())
}

async fn spread_one(store: &Store, id: i64) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    let row = notifications::Entity::find_by_id(id).lock_exclusive().one(&tx).await?;
    // Another process may have been faster.
    let Some(row) = row.filter(|row| row.spread_at.is_none()) else { return Ok(()) };
    let now = Clock::system_now();
    let mut deliveries = Vec::new();
    for staff in staff_for(&tx, store, row.event).await? {
        deliveries.push(delivery(id, now, Some(staff), None));
    }
    for webhook in webhooks_for(&tx, row.event).await? {
        deliveries.push(delivery(id, now, None, Some(webhook)));
    }
    bulk_insert::insert(&tx, deliveries).await?;
    notifications::ActiveModel { id: Set(id), spread_at: Set(Some(now)), ..Default::default() }
        .update(&tx)
        .await?;
    store.commit(tx).await
}

/// Returns a delivery that is due at once.
pub(crate) fn delivery(
    notification: i64,
    now: chrono::DateTime<chrono::Utc>,
    staff: Option<i64>,
    webhook: Option<i64>,
) -> notification_deliveries::ActiveModel {
    notification_deliveries::ActiveModel {
        notification_id: Set(notification),
        user_number: Set(staff),
        webhook_id: Set(webhook),
        // Random: the number of the row is used again after a restore.
        message_id: Set(Uuid::new_v4().simple().to_string()),
        state: Set(DeliveryState::Waiting),
        attempts: Set(0),
        next_at: Set(now),
        ..Default::default()
    }
}

/// Returns the staff who chose an event and may see it. None gets mail while it is not configured.
async fn staff_for(tx: &DatabaseTransaction, store: &Store, event: Event) -> Result<Vec<i64>, DbErr> {
    if !mail::is_configured(store) {
        return Ok(Vec::new());
    }
    let chose: Vec<i64> = notification_choices::Entity::find()
        .select_only()
        .column(notification_choices::Column::UserNumber)
        .filter(notification_choices::Column::Event.eq(event))
        .order_by_asc(notification_choices::Column::UserNumber)
        .into_tuple()
        .all(tx)
        .await?;
    let roles = roles_of(tx, &chose).await?;
    Ok(chose
        .into_iter()
        .filter(|user| roles.get(user).is_some_and(|roles| roles.may(event.needs())))
        .collect())
}

async fn roles_of(db: &impl ConnectionTrait, staff: &[i64]) -> Result<BTreeMap<i64, Roles>, DbErr> {
    let rows = user_roles::Entity::find()
        .filter(user_roles::Column::UserNumber.is_in(staff.iter().copied()))
        .all(db)
        .await?;
    let mut roles: BTreeMap<i64, Vec<policy::Role>> = BTreeMap::new();
    for row in rows {
        roles.entry(row.user_number).or_default().push(row.role);
    }
    Ok(roles.into_iter().map(|(user, roles)| (user, Roles::from_iter(roles))).collect())
}

async fn webhooks_for(tx: &DatabaseTransaction, event: Event) -> Result<Vec<i64>, DbErr> {
    let active = webhooks::Entity::find()
        .filter(webhooks::Column::DisabledAt.is_null())
        .order_by_asc(webhooks::Column::Id)
        .all(tx)
        .await?;
    Ok(active.into_iter().filter(|row| row.events.0.contains(&event)).map(|row| row.id).collect())
}
