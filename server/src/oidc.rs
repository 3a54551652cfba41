//! The identity provider of the library: `OpenID` Connect, code flow with PKCE. An ID token is accepted only if the
//! provider signed it for Lethe and for this login state.

use chrono::{TimeDelta, Utc};
use identity::session::Identity;
use openidconnect::core::{
    CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreIdTokenVerifier, CoreJwsSigningAlgorithm,
    CoreProviderMetadata,
};
use openidconnect::{
    AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    SignatureVerificationError, TokenResponse as _,
};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::sync::Mutex;

/// The time after which a request to the provider is given up.
const HTTP_TIMEOUT: Duration = Duration::from_secs(10);
/// Duration for which the metadata and keys of the provider are cached.
const METADATA_TTL: Duration = Duration::from_hours(1);
/// The pause after a failed discovery before the next one.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);
/// Maximum time by which the clock of the provider may be ahead.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);
/// The value in `amr` (RFC 8176) after a second factor.
const SECOND_FACTOR: &str = "mfa";

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The settings of the provider.
#[derive(Clone)]
pub(crate) struct Settings {
    /// The issuer of the ID tokens, below whose address the metadata is found.
    pub(crate) issuer: IssuerUrl,
    /// The client id of Lethe at the provider.
    pub(crate) client_id: String,
    /// The client secret. `None` for a public client.
    pub(crate) secret: Option<String>,
    /// The name of the provider on the sign-in page.
    pub(crate) name: String,
    /// Whether a second factor that the provider reports counts as one of Lethe.
    pub(crate) proves_second_factor: bool,
}

/// A reason why a sign-in by the provider failed. It contains no personal value.
#[derive(Clone, Copy, Debug, Error, Eq, PartialEq)]
pub(crate) enum ProviderError {
    #[error("the provider cannot be reached, or its metadata cannot be read")]
    Unreachable,
    #[error("the provider refused the code")]
    CodeRefused,
    #[error("the provider sent no identity")]
    NoIdentity,
    #[error("the provider's ID token is not valid: its signature, audience, nonce or time is wrong")]
    InvalidToken,
}

/// The provider and its cached metadata.
pub(crate) struct Provider {
    settings: Settings,
    return_to: RedirectUrl,
    http: reqwest::Client,
    discovery: Mutex<Discovery>,
}

/// The result of the last discovery.
enum Discovery {
    Pending,
    Failed(Instant),
    Ready(Instant, Arc<Client>),
}

/// An authorization request and the values that verify its answer.
pub(crate) struct AuthorizationRequest {
    /// The address to which the browser is redirected.
    pub(crate) address: String,
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({})", self.settings.issuer.as_str())
    }
}

impl Provider {
    /// Creates a provider that redirects back to `return_to`.
    pub(crate) fn new(settings: Settings, return_to: RedirectUrl) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            // A redirect could lead requests of Lethe to any address.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(HTTP_TIMEOUT)
            .build()?;
        Ok(Self { settings, return_to, http, discovery: Mutex::new(Discovery::Pending) })
    }

    /// Returns the name of the provider on the sign-in page.
    pub(crate) fn name(&self) -> &str {
        &self.settings.name
    }

    /// Creates an authorization request. With `forces_login` the provider asks for the credentials even if the user is
    /// signed in there.
    pub(crate) async fn authorize(&self, forces_login: bool) -> Result<AuthorizationRequest, ProviderError> {
        let client = self.client().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .set_pkce_challenge(challenge);
        if forces_login {
            request = request.add_prompt(CoreAuthPrompt::Login).set_max_age(Duration::ZERO);
        }
        let (address, state, nonce) = request.url();
        Ok(AuthorizationRequest {
            address: address.into(),
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
        })
    }

    /// Exchanges a code for the identity, and verifies it with the nonce and verifier of the login state.
    pub(crate) async fn identity(
        &self,
        code: String,
        nonce: String,
        verifier: String,
    ) -> Result<Identity, ProviderError> {
        let client = self.client().await?;
        let answer = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| ProviderError::Unreachable)?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .request_async(&self.http)
            .await
            .map_err(|_| ProviderError::CodeRefused)?;
        let token = answer.id_token().ok_or(ProviderError::NoIdentity)?;
        let nonce = Nonce::new(nonce);
        let claims = match token.claims(&verifier_of(&client), &nonce) {
            // The provider may have changed its keys since the last discovery.
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                *self.discovery.lock().await = Discovery::Pending;
                token.claims(&verifier_of(&*self.client().await?), &nonce).cloned()
            }
            claims => claims.cloned(),
        };
        let claims = claims.map_err(|_| ProviderError::InvalidToken)?;
        let mut methods = claims.auth_method_refs().into_iter().flatten();
        let has_second_factor = methods.any(|method| method.as_str() == SECOND_FACTOR);
        if claims.auth_time().is_some_and(|at| at > Utc::now() + MAX_CLOCK_SKEW) {
            return Err(ProviderError::InvalidToken);
        }
        Ok(Identity {
            issuer: claims.issuer().as_str().to_owned(),
            subject: claims.subject().as_str().to_owned(),
            shown_at: claims.auth_time(),
            has_second_factor: has_second_factor && self.settings.proves_second_factor,
        })
    }

    /// Returns whether the issuer named in an answer is this provider (RFC 9207).
    pub(crate) fn is_issuer(&self, issuer: &str) -> bool {
        self.settings.issuer.as_str() == issuer
    }

    /// Returns the client made from the cached metadata, or discovers the provider again.
    async fn client(&self) -> Result<Arc<Client>, ProviderError> {
        let mut discovery = self.discovery.lock().await;
        match &*discovery {
            Discovery::Ready(since, client) if since.elapsed() < METADATA_TTL => return Ok(client.clone()),
            Discovery::Failed(since) if since.elapsed() < RETRY_INTERVAL => {
                return Err(ProviderError::Unreachable);
            }
            _ => {}
        }
        match self.discover().await {
            Ok(client) => {
                let client = Arc::new(client);
                *discovery = Discovery::Ready(Instant::now(), client.clone());
                Ok(client)
            }
            Err(error) => {
                *discovery = Discovery::Failed(Instant::now());
                Err(error)
            }
        }
    }

    async fn discover(&self) -> Result<Client, ProviderError> {
        let issuer = self.settings.issuer.clone();
        let metadata = CoreProviderMetadata::discover_async(issuer, &self.http)
            .await
            .map_err(|_| ProviderError::Unreachable)?;
        let secret = self.settings.secret.clone().map(ClientSecret::new);
        let client_id = ClientId::new(self.settings.client_id.clone());
        Ok(CoreClient::from_provider_metadata(metadata, client_id, secret)
            .set_redirect_uri(self.return_to.clone()))
    }
}

/// Returns the verifier of ID tokens. It accepts asymmetric signatures only: the client secret must not be able to sign
/// a token.
fn verifier_of(client: &Client) -> CoreIdTokenVerifier<'_> {
    use CoreJwsSigningAlgorithm::{
        EcdsaP256Sha256, EcdsaP384Sha384, EdDsa, RsaSsaPkcs1V15Sha256, RsaSsaPkcs1V15Sha384,
        RsaSsaPkcs1V15Sha512, RsaSsaPssSha256, RsaSsaPssSha384, RsaSsaPssSha512,
    };
    client.id_token_verifier().set_allowed_algs([
        RsaSsaPkcs1V15Sha256,
        RsaSsaPkcs1V15Sha384,
        RsaSsaPkcs1V15Sha512,
        RsaSsaPssSha256,
        RsaSsaPssSha384,
        RsaSsaPssSha512,
        EcdsaP256Sha256,
        EcdsaP384Sha384,
        EdDsa,
    ])
}
