//! The list of deliveries, and what staff do with failed ones.

use chrono::{DateTime, Utc};
use db::entity::notification_deliveries::{ActiveModel, Column, Entity, Model};
use db::entity::{notifications, users, webhooks};
use db::pagination::{Page, Paging};
use db::{Clock, RecordsError};
use policy::notification::{DeliveryProblem, DeliveryState, Event};
use policy::{Action, DeliveryId, RunId, UserNumber};
use sea_orm::{ActiveModelTrait, ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use std::collections::BTreeMap;
use trail::audit::{self, AuditAction, Subject};
use trail::person::display_name;
use trail::{Actor, Store};

/// The recipient of a delivery.
#[derive(Clone, Debug)]
pub enum Recipient {
    /// A member of staff, with the current name.
    Staff(UserNumber, String),
    /// A webhook, by its name.
    Webhook(String),
}

/// A delivery in the list.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The id.
    pub id: DeliveryId,
    /// The event.
    pub event: Event,
    /// The run.
    pub run: Option<RunId>,
    /// When the event happened.
    pub at: DateTime<Utc>,
    /// The recipient.
    pub recipient: Recipient,
    /// The state.
    pub state: DeliveryState,
    /// The problem of the last attempt.
    pub problem: Option<DeliveryProblem>,
    /// The number of attempts.
    pub attempts: i32,
    /// The next attempt of one that waits.
    pub next_at: Option<DateTime<Utc>>,
}

/// Selects deliveries.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeliveryQuery {
    /// Only this state.
    pub state: Option<DeliveryState>,
}

/// Returns the deliveries, the newest first.
pub async fn list(
    store: &Store,
    actor: Actor,
    query: DeliveryQuery,
    paging: &Paging,
) -> Result<Page<Delivery>, RecordsError> {
    actor.require_permission_to_see(Action::Administer)?;
    let mut rows = Entity::find().order_by_desc(Column::Id).limit(paging.limit());
    if let Some(state) = query.state {
        rows = rows.filter(Column::State.eq(state));
    }
    if let Some(after) = paging.after.as_deref().and_then(|after| after.parse::<i64>().ok()) {
        rows = rows.filter(Column::Id.lt(after));
    }
    let page = Page::from_rows(rows.all(&store.db).await?, paging, |row| row.id.to_string());
    let rows = shown(store, page.rows).await?;
    Ok(Page { rows, next: page.next, previous: None })
}

/// Adds events and recipients to rows.
async fn shown(store: &Store, rows: Vec<Model>) -> Result<Vec<Delivery>, DbErr> {
    let events = rows.iter().map(|row| row.notification_id);
    let events = notifications::Entity::find().filter(notifications::Column::Id.is_in(events));
    let events: BTreeMap<i64, notifications::Model> =
        events.all(&store.db).await?.into_iter().map(|row| (row.id, row)).collect();
    let staff = rows.iter().filter_map(|row| row.user_number);
    let staff = users::Entity::find().filter(users::Column::Number.is_in(staff)).all(&store.db).await?;
    let staff: BTreeMap<i64, String> = staff.iter().map(|user| (user.number, display_name(user))).collect();
    let hooks = rows.iter().filter_map(|row| row.webhook_id);
    let hooks = webhooks::Entity::find().filter(webhooks::Column::Id.is_in(hooks)).all(&store.db).await?;
    let hooks: BTreeMap<i64, String> = hooks.into_iter().map(|row| (row.id, row.name)).collect();
    let delivery = |row: Model| {
        let about = events.get(&row.notification_id)?;
        let recipient = match (row.user_number, row.webhook_id) {
            (Some(user), _) => Recipient::Staff(UserNumber(user), staff.get(&user)?.clone()),
            (None, webhook) => Recipient::Webhook(hooks.get(&webhook?)?.clone()),
        };
        Some(Delivery {
            id: DeliveryId(row.id),
            event: about.event,
            run: about.run_id.map(RunId),
            at: about.at,
            recipient,
            state: row.state,
            problem: row.problem,
            attempts: row.attempts,
            next_at: (row.state == DeliveryState::Waiting).then_some(row.next_at),
        })
    };
    Ok(rows.into_iter().filter_map(delivery).collect())
}

/// Tries a failed delivery again, with all attempts.
pub async fn retry(store: &Store, actor: Actor, id: DeliveryId) -> Result<(), RecordsError> {
    change_failed(store, actor, id, AuditAction::DeliveryRetried, |row| ActiveModel {
        state: Set(DeliveryState::Waiting),
        attempts: Set(0),
        next_at: Set(Clock::system_now()),
        ended_at: Set(None),
        ..row
    })
    .await
}

/// Discards a failed delivery, so that no condition reports it.
pub async fn discard(store: &Store, actor: Actor, id: DeliveryId) -> Result<(), RecordsError> {
    change_failed(store, actor, id, AuditAction::DeliveryDiscarded, |row| ActiveModel {
        state: Set(DeliveryState::Discarded),
        ..row
    })
    .await
}

async fn change_failed(
    store: &Store,
    actor: Actor,
    id: DeliveryId,
    action: AuditAction,
    change: impl FnOnce(ActiveModel) -> ActiveModel,
) -> Result<(), RecordsError> {
    actor.require(Action::Administer)?;
    let tx = store.begin().await?;
    let row = Entity::find_by_id(id.0).lock_exclusive().one(&tx).await?;
    let row = row.ok_or(RecordsError::NotFound("delivery"))?;
    if row.state != DeliveryState::Failed {
        return Err(RecordsError::Refused("This delivery has not failed. Nothing was changed".to_owned()));
    }
    change(ActiveModel { id: Set(row.id), ..Default::default() }).update(&tx).await?;
    let detail = format!("delivery={id}");
    audit::record_event(&tx, &store.clock, actor, action, Subject::Library, None, &detail).await?;
    store.commit(tx).await
}
