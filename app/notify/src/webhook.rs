//! Webhooks: the addresses of other systems that get events, and the posting to them.

mod post;

pub(crate) use post::post;

use crate::sign;
use chrono::{DateTime, Utc};
use db::entity::{notification_deliveries, users, webhooks};
use db::{Clock, RecordsError};
use policy::form::Problem;
use policy::notification::{DeliveryState, Event, WebhookForm};
use policy::public_address::is_public;
use policy::{Action, UserNumber, WebhookId};
use reqwest::Url;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel as _, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use std::collections::BTreeMap;
use std::net::IpAddr;
use trail::audit::{self, AuditAction, Subject};
use trail::person::display_name;
use trail::secret_box::SecretBox;
use trail::{Actor, Store};
use zeroize::Zeroizing;

/// The label of the derived key that encrypts secrets.
const PURPOSE: &[u8] = b"lethe webhook secret";
/// Maximum number of webhooks that are not disabled.
const MAX_WEBHOOKS: u64 = 20;
/// Maximum number of webhooks in the list.
const MAX_LISTED: u64 = 200;

/// A new webhook.
#[derive(Debug)]
pub struct NewWebhook {
    /// The id.
    pub id: WebhookId,
    /// The secret, to be shown once.
    pub secret: Zeroizing<String>,
}

/// A webhook in the list, without its secret.
#[derive(Clone, Debug)]
pub struct WebhookRow {
    /// The id.
    pub id: WebhookId,
    /// The name.
    pub name: String,
    /// The address.
    pub url: String,
    /// The events.
    pub events: Vec<Event>,
    /// The member of staff who created it, with the current name. `None` for the command line.
    pub created_by: Option<(UserNumber, String)>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Whether it is disabled.
    pub is_disabled: bool,
}

/// Returns the webhooks, the newest first.
pub async fn list(store: &Store, actor: Actor) -> Result<Vec<WebhookRow>, RecordsError> {
    actor.require_permission_to_see(Action::Administer)?;
    let rows =
        webhooks::Entity::find().order_by_desc(webhooks::Column::Id).limit(MAX_LISTED).all(&store.db).await?;
    let staff = rows.iter().filter_map(|row| row.created_by);
    let staff = users::Entity::find().filter(users::Column::Number.is_in(staff)).all(&store.db).await?;
    let names: BTreeMap<i64, String> = staff.iter().map(|user| (user.number, display_name(user))).collect();
    let row = |row: webhooks::Model| WebhookRow {
        id: WebhookId(row.id),
        name: row.name,
        url: row.url,
        events: row.events.0,
        created_by: row.created_by.and_then(|one| Some((UserNumber(one), names.get(&one)?.clone()))),
        created_at: row.created_at,
        is_disabled: row.disabled_at.is_some(),
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Creates a webhook and returns its secret.
pub async fn create(store: &Store, actor: Actor, form: &WebhookForm) -> Result<NewWebhook, RecordsError> {
    actor.require(Action::Administer)?;
    let draft = form.validate().map_err(RecordsError::Invalid)?;
    let url = address(&draft.url, store.settings.webhooks_to_private)
        .map_err(|problem| RecordsError::field("url", problem))?;
    let secret = sign::new_secret();
    let tx = store.begin().await?;
    let active = webhooks::Entity::find().filter(webhooks::Column::DisabledAt.is_null()).count(&tx).await?;
    if active >= MAX_WEBHOOKS {
        let why = format!("There are already {MAX_WEBHOOKS} webhooks. Disable one first");
        return Err(RecordsError::Refused(why));
    }
    let row = webhooks::ActiveModel {
        name: Set(draft.name),
        url: Set(url.to_string()),
        secret: Set(String::new()),
        events: Set(draft.events.clone()),
        created_by: Set(actor.staff.map(|staff| staff.0)),
        created_at: Set(Clock::system_now()),
        ..Default::default()
    }
    .insert(&tx)
    .await?;
    let id = row.id;
    let mut row = row.into_active_model();
    row.secret = Set(SecretBox::for_purpose(&store.key, PURPOSE).await?.seal(id, &secret)?);
    row.update(&tx).await?;
    let events: Vec<&str> = draft.events.0.iter().map(|event| event.code()).collect();
    let subject = Subject::Webhook(id);
    let detail = events.join(",");
    audit::record_event(&tx, &store.clock, actor, AuditAction::WebhookCreated, subject, None, &detail)
        .await?;
    store.commit(tx).await?;
    Ok(NewWebhook { id: WebhookId(id), secret: sign::shown(&secret) })
}

/// Disables a webhook. Events that wait for it are not delivered, and its failed deliveries are discarded. Rejects if
/// it is already disabled.
pub async fn disable(store: &Store, actor: Actor, id: WebhookId) -> Result<(), RecordsError> {
    actor.require(Action::Administer)?;
    let tx = store.begin().await?;
    let row = webhooks::Entity::find_by_id(id.0).lock_exclusive().one(&tx).await?;
    let row = row.ok_or(RecordsError::NotFound("webhook"))?;
    if row.disabled_at.is_some() {
        return Err(RecordsError::Refused(
            "This webhook is already disabled. Nothing was changed".to_owned(),
        ));
    }
    let mut row = row.into_active_model();
    row.disabled_at = Set(Some(Clock::system_now()));
    row.update(&tx).await?;
    let discarded = DeliveryState::Discarded;
    notification_deliveries::Entity::update_many()
        .set(notification_deliveries::ActiveModel { state: Set(discarded), ..Default::default() })
        .filter(notification_deliveries::Column::WebhookId.eq(id.0))
        .filter(notification_deliveries::Column::State.eq(DeliveryState::Failed))
        .exec(&tx)
        .await?;
    let subject = Subject::Webhook(id.0);
    audit::record_event(&tx, &store.clock, actor, AuditAction::WebhookDisabled, subject, None, "").await?;
    store.commit(tx).await
}

/// Decrypts the secret of a webhook.
async fn secret(store: &Store, row: &webhooks::Model) -> Result<Zeroizing<Vec<u8>>, RecordsError> {
    SecretBox::for_purpose(&store.key, PURPOSE).await?.open(row.id, &row.secret)
}

/// Reads the address of a webhook: `https`, or `http` on this computer. Without `private`, a literal address must be
/// public. The addresses of a name are checked when the webhook is posted, because they can change.
fn address(text: &str, private: bool) -> Result<Url, Problem> {
    let url = Url::parse(text).map_err(|_| Problem::NotAWebhookAddress)?;
    let host = url.host_str().ok_or(Problem::NotAWebhookAddress)?;
    let literal: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let is_here = host == "localhost" || literal.is_some_and(|address| address.to_canonical().is_loopback());
    let has_login = !url.username().is_empty() || url.password().is_some();
    if has_login || !(url.scheme() == "https" || url.scheme() == "http" && is_here) {
        return Err(Problem::NotAWebhookAddress);
    }
    let is_private = is_here || literal.is_some_and(|address| !is_public(address));
    if is_private && !private { Err(Problem::PrivateAddress) } else { Ok(url) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_tls_and_is_public() {
        for text in
            ["https://hooks.example.org", "https://hooks.example.org:8443/lethe?x=1", "https://1.1.1.1/"]
        {
            assert!(address(text, false).is_ok(), "{text}");
        }
        for text in [
            "",
            "hooks.example.org",
            "http://hooks.example.org",
            "ftp://hooks.example.org",
            "file:///etc/passwd",
            "https://user:pass@hooks.example.org",
            "https://",
            "javascript:alert(1)",
            "http://10.0.0.1/",
        ] {
            assert_eq!(address(text, true), Err(Problem::NotAWebhookAddress), "{text}");
        }
        for text in [
            "http://127.0.0.1:9000/",
            "https://localhost/",
            "http://localhost",
            "https://[::1]/",
            "https://10.0.0.1/",
            "https://[::ffff:10.0.0.1]/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://169.254.169.254/",
        ] {
            assert_eq!(address(text, false), Err(Problem::PrivateAddress), "{text}");
            assert!(address(text, true).is_ok(), "{text}");
        }
    }
}
