//! The identity provider of the library, where it has one: `OpenID` Connect, code flow with PKCE. What it says counts when
//! it has signed it for us and for this login state; everything else is refused.

use chrono::{TimeDelta, Utc};
use openidconnect::core::{
    CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreIdTokenVerifier, CoreJwsSigningAlgorithm,
    CoreProviderMetadata,
};
use openidconnect::{
    AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    SignatureVerificationError, TokenResponse as _,
};
use records::session::Identity;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::sync::Mutex;

/// How long the provider may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it is known where the provider's pages are and what it signs with.
const KNOWN_FOR: Duration = Duration::from_hours(1);
/// How long a provider that did not answer is not asked again.
const SILENT_FOR: Duration = Duration::from_secs(5);
/// How far the clock of the provider may be ahead.
const AHEAD: TimeDelta = TimeDelta::minutes(1);
/// What stands in `amr` (RFC 8176) after a second factor.
const SECOND_FACTOR: &str = "mfa";

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What an installation sets about its provider.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Who signs, and under what address everything else is found.
    pub(crate) issuer: IssuerUrl,
    /// Under what name the provider knows Lethe.
    pub(crate) client_id: String,
    /// With what Lethe shows the provider that it is Lethe; none for a public client.
    pub(crate) secret: Option<String>,
    /// What the provider is called on the sign-in page.
    pub(crate) name: String,
    /// Whether the provider is believed when it says that it has asked for a second factor.
    pub(crate) proves_second_factor: bool,
}

/// Why nobody can be signed in by the provider. Carries no value of anybody.
#[derive(Clone, Copy, Debug, Error, Eq, PartialEq)]
pub(crate) enum ProviderError {
    #[error("the provider cannot be reached, or its metadata cannot be read")]
    Silent,
    #[error("the provider refused the code")]
    CodeRefused,
    #[error("the provider sent no identity")]
    NoIdentity,
    #[error("the provider's ID token is not valid: its signature, audience, nonce or time is wrong")]
    NotProven,
}

/// The provider, and what is known of it.
pub(crate) struct Provider {
    settings: Settings,
    return_to: RedirectUrl,
    http: reqwest::Client,
    known: Mutex<Known>,
}

/// What is known of a provider.
enum Known {
    Nothing,
    Silent(Instant),
    Client(Instant, Arc<Client>),
}

/// A login state to the provider that begins.
pub(crate) struct Begun {
    /// Where to send the browser.
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
    /// A provider that brings people back to this address.
    pub(crate) fn new(settings: Settings, return_to: RedirectUrl) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            // A provider that sends us elsewhere could send us anywhere.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()?;
        Ok(Self { settings, return_to, http, known: Mutex::new(Known::Nothing) })
    }

    /// What it is called on the sign-in page.
    pub(crate) fn name(&self) -> &str {
        &self.settings.name
    }

    /// Begins a login state. `asks_again`: the provider is to ask them even if they are signed in there.
    pub(crate) async fn begin(&self, asks_again: bool) -> Result<Begun, ProviderError> {
        let client = self.client().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .set_pkce_challenge(challenge);
        if asks_again {
            request = request.add_prompt(CoreAuthPrompt::Login).set_max_age(Duration::ZERO);
        }
        let (address, state, nonce) = request.url();
        Ok(Begun {
            address: address.into(),
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
        })
    }

    /// Who has come back with this code from the login state of this nonce and verifier.
    pub(crate) async fn identity(
        &self,
        code: String,
        nonce: String,
        verifier: String,
    ) -> Result<Identity, ProviderError> {
        let client = self.client().await?;
        let answer = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| ProviderError::Silent)?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .request_async(&self.http)
            .await
            .map_err(|_| ProviderError::CodeRefused)?;
        let token = answer.id_token().ok_or(ProviderError::NoIdentity)?;
        let nonce = Nonce::new(nonce);
        let claims = match token.claims(&verifier_of(&client), &nonce) {
            // The provider may sign with a new key since we have asked.
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                *self.known.lock().await = Known::Nothing;
                token.claims(&verifier_of(&*self.client().await?), &nonce).cloned()
            }
            claims => claims.cloned(),
        };
        let claims = claims.map_err(|_| ProviderError::NotProven)?;
        let mut methods = claims.auth_method_refs().into_iter().flatten();
        let has_second_factor = methods.any(|method| method.as_str() == SECOND_FACTOR);
        if claims.auth_time().is_some_and(|at| at > Utc::now() + AHEAD) {
            return Err(ProviderError::NotProven);
        }
        Ok(Identity {
            issuer: claims.issuer().as_str().to_owned(),
            subject: claims.subject().as_str().to_owned(),
            shown_at: claims.auth_time(),
            has_second_factor: has_second_factor && self.settings.proves_second_factor,
        })
    }

    /// Whether an answer that names its issuer names this provider (RFC 9207).
    pub(crate) fn is(&self, issuer: &str) -> bool {
        self.settings.issuer.as_str() == issuer
    }

    /// The provider as it described itself within the last hour.
    async fn client(&self) -> Result<Arc<Client>, ProviderError> {
        let mut known = self.known.lock().await;
        match &*known {
            Known::Client(since, client) if since.elapsed() < KNOWN_FOR => return Ok(client.clone()),
            Known::Silent(since) if since.elapsed() < SILENT_FOR => return Err(ProviderError::Silent),
            _ => {}
        }
        match self.discover().await {
            Ok(client) => {
                let client = Arc::new(client);
                *known = Known::Client(Instant::now(), client.clone());
                Ok(client)
            }
            Err(error) => {
                *known = Known::Silent(Instant::now());
                Err(error)
            }
        }
    }

    async fn discover(&self) -> Result<Client, ProviderError> {
        let issuer = self.settings.issuer.clone();
        let metadata = CoreProviderMetadata::discover_async(issuer, &self.http)
            .await
            .map_err(|_| ProviderError::Silent)?;
        let secret = self.settings.secret.clone().map(ClientSecret::new);
        let client_id = ClientId::new(self.settings.client_id.clone());
        Ok(CoreClient::from_provider_metadata(metadata, client_id, secret)
            .set_redirect_uri(self.return_to.clone()))
    }
}

/// What proves a token: a signature with a key that only the provider has. So none that Lethe's own secret could make.
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
