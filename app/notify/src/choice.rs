//! The events that members of staff get by e-mail. Each chooses for themselves, among those that they may see.

use db::RecordsError;
use db::entity::notification_choices::{ActiveModel, Column, Entity};
use policy::UserNumber;
use policy::notification::{Event, EventTicks};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store, person};

/// Returns the events that the member of staff can choose.
pub fn offered(actor: Actor) -> Vec<Event> {
    Event::CHOICES.into_iter().filter(|event| actor.may(event.needs())).collect()
}

/// Returns the chosen events of a member of staff.
pub async fn read(store: &Store, user: UserNumber) -> Result<EventTicks, RecordsError> {
    let rows = Entity::find().filter(Column::UserNumber.eq(user.0)).all(&store.db).await?;
    Ok(rows.into_iter().map(|row| row.event).collect())
}

/// Saves the choice of the acting member of staff. Rejects an event that they may not see.
pub async fn save(store: &Store, actor: Actor, ticks: EventTicks) -> Result<(), RecordsError> {
    let user = actor.staff.ok_or(RecordsError::NotFound("member of staff"))?;
    let events = ticks.events();
    if let Some(event) = events.iter().find(|event| !actor.may(event.needs())) {
        return Err(RecordsError::Forbidden(event.needs()));
    }
    let tx = store.begin().await?;
    person::lock(&tx, user).await?;
    Entity::delete_many().filter(Column::UserNumber.eq(user.0)).exec(&tx).await?;
    if !events.is_empty() {
        let rows = events.iter().map(|event| ActiveModel { user_number: Set(user.0), event: Set(*event) });
        Entity::insert_many(rows).exec_without_returning(&tx).await?;
    }
    let codes: Vec<&str> = events.iter().map(|event| event.code()).collect();
    let subject = Subject::from(user);
    let action = AuditAction::NotificationsChosen;
    audit::record_event(&tx, &store.clock, actor, action, subject, None, &codes.join(",")).await?;
    store.commit(tx).await
}
