//! A fake identity provider: it signs any claims, also wrongly.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

/// The client id and the client secret of Lethe.
pub(super) const CLIENT: &str = "lethe";
pub(super) const SECRET: &str = "a secret of two parties";

/// The provider. It serves until the test ends.
#[derive(Clone)]
pub(super) struct FakeProvider {
    pub(super) issuer: String,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    key: (String, SigningKey),
    /// The issued codes.
    codes: HashMap<String, Code>,
    discoveries: usize,
}

struct Code {
    challenge: String,
    token: String,
}

/// The query of the authorization request to which Lethe redirects the browser.
pub(super) struct AuthorizationQuery(pub(super) BTreeMap<String, String>);

impl AuthorizationQuery {
    pub(super) fn from_address(address: &str) -> Self {
        let query = address.split_once('?').expect("a query").1;
        Self(serde_qs::from_str(query).expect("a valid query"))
    }

    pub(super) fn part(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// The signature of a token.
#[derive(Clone, Copy)]
pub(super) enum Signature {
    Valid,
    OtherKey,
    ClientSecret,
    Missing,
}

impl FakeProvider {
    pub(super) async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let inner = Inner { key: ("first".to_owned(), key(1)), codes: HashMap::new(), discoveries: 0 };
        let fake = Self { issuer, inner: Arc::new(Mutex::new(inner)) };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    /// Replaces the signing key.
    pub(super) fn change_key(&self) {
        self.inner.lock().expect("it").key = ("second".to_owned(), key(2));
    }

    /// Returns how often the metadata was read.
    pub(super) fn discoveries(&self) -> usize {
        self.inner.lock().expect("it").discoveries
    }

    /// Returns valid claims about a subject that has just signed in.
    pub(super) fn claims(&self, query: &AuthorizationQuery, subject: &str) -> Value {
        let now = chrono::Utc::now().timestamp();
        json!({
            "iss": self.issuer, "aud": CLIENT, "sub": subject, "nonce": query.part("nonce"),
            "iat": now, "exp": now + 300, "auth_time": now,
        })
    }

    /// Issues a code that Lethe can exchange for these claims.
    pub(super) fn code(&self, query: &AuthorizationQuery, claims: &Value, signed: Signature) -> String {
        let mut inner = self.inner.lock().expect("it");
        let token = inner.token(claims, signed);
        let code = format!("code-{}", inner.codes.len());
        let challenge = query.part("code_challenge").to_owned();
        inner.codes.insert(code.clone(), Code { challenge, token });
        code
    }
}

impl Inner {
    fn token(&self, claims: &Value, signed: Signature) -> String {
        let algorithm = match signed {
            Signature::Valid | Signature::OtherKey => "EdDSA",
            Signature::ClientSecret => "HS256",
            Signature::Missing => "none",
        };
        let header = json!({ "alg": algorithm, "kid": self.key.0, "typ": "JWT" });
        let parts = [&header, claims].map(|part| BASE64.encode(part.to_string()));
        let text = parts.join(".");
        let signature = match signed {
            Signature::Valid => BASE64.encode(self.key.1.sign(text.as_bytes()).to_bytes()),
            Signature::OtherKey => BASE64.encode(key(77).sign(text.as_bytes()).to_bytes()),
            Signature::ClientSecret => {
                use hmac::{KeyInit as _, Mac as _};
                let mut mac = hmac::Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
                mac.update(text.as_bytes());
                BASE64.encode(mac.finalize().into_bytes())
            }
            Signature::Missing => String::new(),
        };
        format!("{text}.{signature}")
    }
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

async fn configuration(State(fake): State<FakeProvider>) -> Json<Value> {
    fake.inner.lock().expect("it").discoveries += 1;
    let at = |path: &str| format!("{}{path}", fake.issuer);
    Json(json!({
        "issuer": fake.issuer,
        "authorization_endpoint": at("/authorise"),
        "token_endpoint": at("/token"),
        "jwks_uri": at("/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // The provider also claims to support insecure algorithms, which Lethe rejects.
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
    }))
}

async fn keys(State(fake): State<FakeProvider>) -> Json<Value> {
    let inner = fake.inner.lock().expect("it");
    let public = BASE64.encode(inner.key.1.verifying_key().as_bytes());
    Json(json!({ "keys": [
        { "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": inner.key.0, "x": public },
    ] }))
}

/// Exchanges a code for its token, once and only with the code verifier of the login.
async fn token(State(fake): State<FakeProvider>, Form(form): Form<BTreeMap<String, String>>) -> Response {
    let part = |name: &str| form.get(name).map_or("", String::as_str);
    let Some(code) = fake.inner.lock().expect("it").codes.remove(part("code")) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    };
    let challenge = BASE64.encode(Sha256::digest(part("code_verifier").as_bytes()));
    if challenge != code.challenge || !part("redirect_uri").ends_with("/sign-in/provider/return") {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    }
    let answer = json!({ "access_token": "x", "token_type": "Bearer", "id_token": code.token });
    Json(answer).into_response()
}
