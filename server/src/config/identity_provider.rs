//! The configuration of the identity provider for single sign-on.

use super::{Config, ConfigError, secret_file};
use crate::network::CALLBACK_ROUTE;
use crate::oidc::{self, Provider};
use openidconnect::{IssuerUrl, RedirectUrl};
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
            secret: self.secret()?,
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

    /// Returns the client secret, if there is a file of it.
    fn secret(&self) -> Result<Option<String>, ConfigError> {
        let Some(file) = &self.oidc_secret_file else { return Ok(None) };
        secret_file::read(file).map(Some).ok_or(ConfigError::NoSecret)
    }
}
