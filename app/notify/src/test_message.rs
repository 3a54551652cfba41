//! Test messages: by e-mail to the acting member of staff, or to a webhook.

use crate::mail;
use crate::spread::delivery;
use db::entity::{notifications, users, webhooks};
use db::{Clock, RecordsError};
use policy::notification::Event;
use policy::{Action, WebhookId};
use sea_orm::{ActiveModelTrait, EntityTrait, Set};
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// Sends a test message to the acting member of staff. Rejects if mail is not configured or the member of staff has no
/// usable address.
pub async fn by_mail(store: &Store, actor: Actor) -> Result<(), RecordsError> {
    actor.require(Action::Administer)?;
    let staff = actor.staff.ok_or(RecordsError::NotFound("member of staff"))?;
    if !mail::is_configured(store) {
        let why = "E-mail is not configured (LETHE_SMTP_HOST, LETHE_MAIL_FROM). Nothing was sent";
        return Err(RecordsError::Refused(why.to_owned()));
    }
    let user = users::Entity::find_by_id(staff.0).one(&store.db).await?;
    let address = user.and_then(|user| user.email).filter(|address| mail::is_usable(address));
    if address.is_none() {
        let why = "Your user record has no usable e-mail address. Nothing was sent";
        return Err(RecordsError::Refused(why.to_owned()));
    }
    post(store, actor, Some(staff.0), None).await
}

/// Sends a test message to a webhook.
pub async fn to_webhook(store: &Store, actor: Actor, id: WebhookId) -> Result<(), RecordsError> {
    actor.require(Action::Administer)?;
    let row = webhooks::Entity::find_by_id(id.0).one(&store.db).await?;
    let row = row.ok_or(RecordsError::NotFound("webhook"))?;
    if row.disabled_at.is_some() {
        return Err(RecordsError::Refused("This webhook is disabled. Nothing was sent".to_owned()));
    }
    post(store, actor, None, Some(id.0)).await
}

/// Writes the event with its only recipient.
async fn post(
    store: &Store,
    actor: Actor,
    staff: Option<i64>,
    webhook: Option<i64>,
) -> Result<(), RecordsError> {
    let now = Clock::system_now();
    let tx = store.begin().await?;
    let event = notifications::ActiveModel {
        event: Set(Event::Test),
        at: Set(store.clock.now()),
        spread_at: Set(Some(now)),
        ..Default::default()
    }
    .insert(&tx)
    .await?;
    delivery(event.id, now, staff, webhook).insert(&tx).await?;
    let subject = webhook.map_or(Subject::Library, Subject::Webhook);
    let action = AuditAction::TestMessageSent;
    audit::record_event(&tx, &store.clock, actor, action, subject, None, "").await?;
    store.commit(tx).await
}
