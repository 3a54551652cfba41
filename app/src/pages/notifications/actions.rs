//! The server functions of the page *Notifications*.

use crate::components::flash;
use crate::error::AppError;
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
use notify::{delivery, test_message, webhook};
use policy::notification::WebhookForm;
use policy::{DeliveryId, WebhookId};
use serde::{Deserialize, Serialize};

/// Identifies a webhook.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct WebhookRef {
    webhook: i64,
}

/// Identifies a delivery.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct DeliveryRef {
    delivery: i64,
}

/// Creates a webhook and shows its secret once.
#[server(prefix = "/do", endpoint = "create_webhook", input = PostUrl)]
pub(in crate::pages) async fn create_webhook(form: WebhookForm) -> Result<(), AppError> {
    let new = webhook::create(&store(), actor(), &form).await?;
    Err(AppError::Shown(vec![new.secret.to_string()]))
}

/// Disables a webhook.
#[server(prefix = "/do", endpoint = "disable_webhook", input = PostUrl)]
pub(in crate::pages) async fn disable_webhook(form: WebhookRef) -> Result<(), AppError> {
    webhook::disable(&store(), actor(), WebhookId(form.webhook)).await?;
    flash::redirect("/notifications?done=webhook-disabled");
    Ok(())
}

/// Sends a test message to a webhook.
#[server(prefix = "/do", endpoint = "send_test_webhook", input = PostUrl)]
pub(in crate::pages) async fn send_test_webhook(form: WebhookRef) -> Result<(), AppError> {
    test_message::to_webhook(&store(), actor(), WebhookId(form.webhook)).await?;
    flash::redirect("/notifications?done=test-sent");
    Ok(())
}

/// Sends a test message to the signed-in member of staff.
#[server(prefix = "/do", endpoint = "send_test_mail", input = PostUrl)]
pub(in crate::pages) async fn send_test_mail() -> Result<(), AppError> {
    test_message::by_mail(&store(), actor()).await?;
    flash::redirect("/notifications?done=test-sent");
    Ok(())
}

/// Tries a failed delivery again.
#[server(prefix = "/do", endpoint = "retry_delivery", input = PostUrl)]
pub(in crate::pages) async fn retry_delivery(form: DeliveryRef) -> Result<(), AppError> {
    delivery::retry(&store(), actor(), DeliveryId(form.delivery)).await?;
    flash::redirect("/notifications?done=delivery-retried");
    Ok(())
}

/// Discards a failed delivery.
#[server(prefix = "/do", endpoint = "discard_delivery", input = PostUrl)]
pub(in crate::pages) async fn discard_delivery(form: DeliveryRef) -> Result<(), AppError> {
    delivery::discard(&store(), actor(), DeliveryId(form.delivery)).await?;
    flash::redirect("/notifications?done=delivery-discarded");
    Ok(())
}
