//! An identity provider for tests: it signs what a test wants it to sign.

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

/// What Lethe is called at the provider, and what shows that it is Lethe.
pub(super) const CLIENT: &str = "lethe";
pub(super) const SECRET: &str = "a secret of two parties";

/// The provider, while it is there.
#[derive(Clone)]
pub(super) struct Fake {
    pub(super) issuer: String,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    key: (String, SigningKey),
    /// What each code is good for.
    codes: HashMap<String, Code>,
    discoveries: usize,
}

struct Code {
    challenge: String,
    token: String,
}

/// A question of Lethe's, as it stands in the address to which it sends the browser.
pub(super) struct Question(pub(super) BTreeMap<String, String>);

impl Question {
    pub(super) fn of(address: &str) -> Self {
        let query = address.split_once('?').expect("a query").1;
        Self(serde_qs::from_str(query).expect("a question"))
    }

    pub(super) fn part(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// How a token is signed.
#[derive(Clone, Copy)]
pub(super) enum Signed {
    Rightly,
    ByAnother,
    WithTheSecret,
    NotAtAll,
}

impl Fake {
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

    /// From now on it signs with another key.
    pub(super) fn change_key(&self) {
        self.inner.lock().expect("it").key = ("second".to_owned(), key(2));
    }

    /// How often it was asked what it is.
    pub(super) fn discoveries(&self) -> usize {
        self.inner.lock().expect("it").discoveries
    }

    /// What is right to say about somebody who has just signed in.
    pub(super) fn claims(&self, question: &Question, subject: &str) -> Value {
        let now = chrono::Utc::now().timestamp();
        json!({
            "iss": self.issuer, "aud": CLIENT, "sub": subject, "nonce": question.part("nonce"),
            "iat": now, "exp": now + 300, "auth_time": now,
        })
    }

    /// The code that Lethe can exchange for these claims.
    pub(super) fn code(&self, question: &Question, claims: &Value, signed: Signed) -> String {
        let mut inner = self.inner.lock().expect("it");
        let token = inner.token(claims, signed);
        let code = format!("code-{}", inner.codes.len());
        let challenge = question.part("code_challenge").to_owned();
        inner.codes.insert(code.clone(), Code { challenge, token });
        code
    }
}

impl Inner {
    fn token(&self, claims: &Value, signed: Signed) -> String {
        let algorithm = match signed {
            Signed::Rightly | Signed::ByAnother => "EdDSA",
            Signed::WithTheSecret => "HS256",
            Signed::NotAtAll => "none",
        };
        let header = json!({ "alg": algorithm, "kid": self.key.0, "typ": "JWT" });
        let parts = [&header, claims].map(|part| BASE64.encode(part.to_string()));
        let text = parts.join(".");
        let signature = match signed {
            Signed::Rightly => BASE64.encode(self.key.1.sign(text.as_bytes()).to_bytes()),
            Signed::ByAnother => BASE64.encode(key(77).sign(text.as_bytes()).to_bytes()),
            Signed::WithTheSecret => {
                use hmac::{KeyInit as _, Mac as _};
                let mut mac = hmac::Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
                mac.update(text.as_bytes());
                BASE64.encode(mac.finalize().into_bytes())
            }
            Signed::NotAtAll => String::new(),
        };
        format!("{text}.{signature}")
    }
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

async fn configuration(State(fake): State<Fake>) -> Json<Value> {
    fake.inner.lock().expect("it").discoveries += 1;
    let at = |path: &str| format!("{}{path}", fake.issuer);
    Json(json!({
        "issuer": fake.issuer,
        "authorization_endpoint": at("/authorise"),
        "token_endpoint": at("/token"),
        "jwks_uri": at("/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // A provider that says that it signs so, too: Lethe does not take it.
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
    }))
}

async fn keys(State(fake): State<Fake>) -> Json<Value> {
    let inner = fake.inner.lock().expect("it");
    let public = BASE64.encode(inner.key.1.verifying_key().as_bytes());
    Json(json!({ "keys": [
        { "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": inner.key.0, "x": public },
    ] }))
}

/// Returns the token for a code once, to the client that began the login state.
async fn token(State(fake): State<Fake>, Form(form): Form<BTreeMap<String, String>>) -> Response {
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
