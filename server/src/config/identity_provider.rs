//! The configuration of the identity provider for single sign-on.

use super::{Config, ConfigError};
use crate::network::CALLBACK_ROUTE;
use crate::oidc::{self, Provider};
use openidconnect::{IssuerUrl, RedirectUrl};
use std::path::Path;
use std::sync::Arc;

impl Config {
    /// Returns the identity provider, if one is configured. `address` is the address of Lethe in the browser.
    pub(crate) fn provider(&self, address: &str) -> Result<Option<Arc<Provider>>, ConfigError> {
        let (Some(issuer), Some(client_id)) = (self.issuer()?, self.oidc_client_id.clone()) else {
            return Ok(None);
        };
        let settings = oidc::Settings {
            issuer,
            client_id,
            secret: self.oidc_secret_file.as_deref().map(secret_in).transpose()?,
            name: self.oidc_name.clone(),
            proves_second_factor: self.oidc_second_factor,
        };
        let return_to = format!("{}{CALLBACK_ROUTE}", address.trim_end_matches('/'));
        let return_to = RedirectUrl::new(return_to).map_err(|_| ConfigError::NotAnAddress)?;
        Ok(Some(Arc::new(Provider::new(settings, return_to)?)))
    }

    /// Returns the issuer of the provider. Rejects an address without TLS, except on this computer for tests.
    pub(super) fn issuer(&self) -> Result<Option<IssuerUrl>, ConfigError> {
        match (&self.oidc_issuer, &self.oidc_client_id) {
            (None, None) => Ok(None),
            (Some(issuer), Some(_)) => {
                let issuer = IssuerUrl::new(issuer.clone()).map_err(|_| ConfigError::NotAnIssuer)?;
                let is_here = matches!(issuer.url().host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
                let is_safe = issuer.url().scheme() == "https" || issuer.url().scheme() == "http" && is_here;
                if is_safe { Ok(Some(issuer)) } else { Err(ConfigError::NotAnIssuer) }
            }
            _ => Err(ConfigError::IncompleteProvider),
        }
    }
}

/// Reads a secret from a file and trims white space.
pub(super) fn secret_in(file: &Path) -> Result<String, ConfigError> {
    let text = std::fs::read_to_string(file).map_err(|_| ConfigError::NoSecret)?;
    let secret = text.trim();
    if secret.is_empty() { Err(ConfigError::NoSecret) } else { Ok(secret.to_owned()) }
}
