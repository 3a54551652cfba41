//! Posts a webhook. It follows no redirect, uses no proxy, and connects to public addresses only, unless the
//! installation allows others. So a webhook reaches no server that trusts this computer.

use super::{address, secret};
use crate::message::{self, Notification};
use crate::sign;
use db::Clock;
use db::entity::webhooks;
use policy::notification::DeliveryProblem;
use policy::public_address::is_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode, redirect};
use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use trail::Store;

/// Time limit for the receiver's answer.
const HTTP_TIMEOUT: Duration = Duration::from_secs(20);

/// Posts a notification to a webhook.
pub(crate) async fn post(
    store: &Store,
    webhook: &webhooks::Model,
    message_id: &str,
    notification: &Notification,
) -> Result<(), DeliveryProblem> {
    let private = store.settings.webhooks_to_private;
    // The setting can have changed since the webhook was created.
    let url = address(&webhook.url, private).map_err(|_| DeliveryProblem::PrivateAddress)?;
    let secret = secret(store, webhook).await.map_err(|_| DeliveryProblem::Secret)?;
    let body = message::webhook(store, notification).to_string();
    // The id stays the same when the delivery is tried again, so that a receiver can recognise it.
    let (id, timestamp) = (format!("msg_{message_id}"), Clock::system_now().timestamp());
    let signature = sign::signature(&secret, &id, timestamp, &body);
    let answer = client(private)?
        .post(url)
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp.to_string())
        .header("webhook-signature", signature)
        .body(body)
        .send()
        .await
        .map_err(|error| problem(&error))?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        StatusCode::GONE => Err(DeliveryProblem::Gone),
        _ => Err(DeliveryProblem::BadStatus),
    }
}

fn problem(error: &reqwest::Error) -> DeliveryProblem {
    let mut cause = error.source();
    while let Some(one) = cause {
        if one.is::<PrivateOnly>() {
            return DeliveryProblem::PrivateAddress;
        }
        cause = one.source();
    }
    if error.is_timeout() { DeliveryProblem::Timeout } else { DeliveryProblem::Connection }
}

/// Returns the HTTP client.
fn client(private: bool) -> Result<Client, DeliveryProblem> {
    let builder = Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .timeout(HTTP_TIMEOUT)
        .user_agent(concat!("Lethe/", env!("CARGO_PKG_VERSION")));
    let builder = if private { builder } else { builder.dns_resolver(Arc::new(PublicResolver)) };
    builder.build().map_err(|_| DeliveryProblem::Connection)
}

/// Resolves a name to its public addresses. The connection uses one of these, so a name cannot change its meaning in
/// between.
struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(PrivateOnly.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// A name has no public address.
#[derive(Debug)]
struct PrivateOnly;

impl fmt::Display for PrivateOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The name has no public address")
    }
}

impl Error for PrivateOnly {}

#[cfg(test)]
mod tests {
    use super::*;

    /// `localhost` is a name, so the resolver sees it.
    #[tokio::test]
    async fn a_name_in_a_private_network_is_not_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let url = format!("http://localhost:{port}/");
        let error = client(false).expect("a client").post(&url).send().await.expect_err("an error");
        assert_eq!(problem(&error), DeliveryProblem::PrivateAddress);
        let accepted = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
        assert!(accepted.is_err(), "nothing connected");
    }
}
