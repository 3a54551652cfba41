//! Tests of single sign-on with a fake identity provider.
#![allow(clippy::unwrap_used, reason = "tests")]

mod fake;

use super::desk::{Desk, without_proof};
use crate::network::{CALLBACK_ROUTE, NetworkConfig};
use crate::oidc::{Provider, Settings};
use axum::http::StatusCode;
use axum::http::header::{HeaderMap, LOCATION, SET_COOKIE};
use db::SignIn;
use db::pagination::Paging;
use fake::{AuthorizationQuery, CLIENT, FakeProvider, SECRET, Signature};
use identity::session::{self, Identity};
use identity::staff;
use openidconnect::{IssuerUrl, RedirectUrl};
use policy::{Role, UserNumber};
use records::accounts;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use trail::Actor;
use trail::audit::{self, AuditAction, AuditQuery};

/// Opens a library with a provider.
async fn library(allow_password_only: bool, proves_second_factor: bool) -> (Desk, FakeProvider) {
    let fake = FakeProvider::open().await;
    let settings = Settings {
        issuer: IssuerUrl::new(fake.issuer.clone()).unwrap(),
        client_id: CLIENT.to_owned(),
        secret: Some(SECRET.to_owned()),
        name: "Example University".to_owned(),
        proves_second_factor,
    };
    let return_to = RedirectUrl::new(format!("http://localhost{CALLBACK_ROUTE}")).unwrap();
    let provider = Provider::new(settings, return_to).unwrap();
    let network = NetworkConfig { provider: Some(Arc::new(provider)), ..NetworkConfig::default() };
    let sign_in = SignIn { allow_password_only, ..SignIn::default() };
    let desk = Desk::with(|settings| settings.sign_in = sign_in, |_| (), network).await;
    (desk, fake)
}

/// Opens a library, signs in a member of staff, and connects the account to this subject of the provider.
async fn connected(user_id: &str, subject: &str) -> (Desk, FakeProvider) {
    let (mut desk, fake) = library(true, false).await;
    desk.staff(user_id, &[Role::Librarian]).await;
    desk.sign_in(user_id).await;
    let to = connect(&desk, &fake, subject).await;
    assert_eq!(without_proof(&to), "/account?done=provider-connected");
    assert!(desk.get(&to).await.2.contains("Single sign-on is connected"));
    (desk, fake)
}

fn location(headers: &HeaderMap) -> String {
    headers.get(LOCATION).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

/// Returns the names and values of the cookies that a response sets.
fn cookies(headers: &HeaderMap) -> Vec<(String, String)> {
    let set = headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap());
    set.filter_map(|set| set.split(';').next()?.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn cookie_named(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let found = cookies(headers).into_iter().find(|(name, value)| name == wanted && !value.is_empty());
    found.map(|(_, value)| value)
}

/// A login that has begun: the query at the provider, and the browser with the login state.
struct Login {
    query: AuthorizationQuery,
    browser: Desk,
}

async fn begin(desk: &Desk, address: &str) -> Login {
    let (status, headers, page) = desk.get(address).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{address}: {page}");
    let to = location(&headers);
    assert!(to.contains("/authorise?"), "{address} leads to {to}");
    let login = cookie_named(&headers, "lethe-login-state").expect("a login state");
    let mut browser = desk.clone();
    let glue = if browser.cookie.is_empty() { "" } else { "; " };
    browser.cookie = format!("{}{glue}lethe-login-state={login}", browser.cookie);
    Login { query: AuthorizationQuery::from_address(&to), browser }
}

impl Login {
    /// Opens the callback with this code. Returns the location, and the token of the session if one was created.
    async fn call_back(&self, code: &str) -> (String, Option<String>) {
        self.call_back_with(&format!("code={code}&state={}", self.query.part("state"))).await
    }

    async fn call_back_with(&self, query: &str) -> (String, Option<String>) {
        let (status, headers, page) = self.browser.get(&format!("{CALLBACK_ROUTE}?{query}")).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
        let to = location(&headers);
        // After a failure the location also contains the return address.
        let (to, _) = to.split_once("&page=").unwrap_or((&to, ""));
        (to.to_owned(), cookie_named(&headers, "lethe"))
    }
}

/// Returns the link on the account page that connects the account.
async fn connect_link(desk: &Desk) -> String {
    let (_, _, page) = desk.get("/account").await;
    let (_, rest) = page.split_once("href=\"/account/provider?from=").expect("a link to the provider");
    format!("/account/provider?from={}", rest.split('"').next().unwrap())
}

/// Sets the time at which all sessions confirmed a change of their sign-in.
async fn confirm(desk: &Desk, at: &str) {
    let confirmed = format!("UPDATE sessions SET signed_in_at = '{at}', confirmed_at = '{at}'");
    desk.store.db.execute_unprepared(&confirmed).await.unwrap();
}

/// Connects the signed-in member of staff. Returns the location.
async fn connect(desk: &Desk, fake: &FakeProvider, subject: &str) -> String {
    let (status, headers, _) = desk.get(&connect_link(desk).await).await;
    let again = (StatusCode::SEE_OTHER, "/sign-in/again?page=/account&for=sign-in".to_owned());
    assert_eq!((status, location(&headers)), again, "a fresh sign-in is not enough");
    confirm(desk, &db::Clock::system_now().to_rfc3339()).await;
    let login = begin(desk, &connect_link(desk).await).await;
    assert_eq!((login.query.part("prompt"), login.query.part("max_age")), ("login", "0"));
    let code = fake.code(&login.query, &fake.claims(&login.query, subject), Signature::Valid);
    login.call_back(&code).await.0
}

/// Signs in by the provider. Returns the location and the token of the session.
async fn sign_in(desk: &Desk, fake: &FakeProvider, subject: &str) -> (String, Option<String>) {
    sign_in_as(desk, fake, |claims| claims["sub"] = subject.into(), Signature::Valid).await
}

async fn sign_in_as(
    desk: &Desk,
    fake: &FakeProvider,
    change: impl Fn(&mut Value),
    signed: Signature,
) -> (String, Option<String>) {
    let login = begin(&signed_out(desk), "/sign-in/provider?page=/users").await;
    let mut claims = fake.claims(&login.query, "s-1");
    change(&mut claims);
    login.call_back(&fake.code(&login.query, &claims, signed)).await
}

fn signed_out(desk: &Desk) -> Desk {
    Desk { cookie: String::new(), token: String::new(), ..desk.clone() }
}

fn with_token(desk: &Desk, token: Option<String>) -> Desk {
    Desk { cookie: format!("lethe={}", token.expect("a session")), ..desk.clone() }
}

async fn audit_details(desk: &Desk, action: AuditAction) -> Vec<String> {
    let query = AuditQuery { action: Some(action), ..AuditQuery::default() };
    let events = audit::list(&desk.store, Actor::COMMAND_LINE, &query, &Paging::default()).await.unwrap();
    events.rows.into_iter().map(|event| event.detail).collect()
}

#[tokio::test]
async fn a_connected_account_signs_in_by_the_provider() {
    let (desk, fake) = connected("librarian", "s-1").await;
    let (_, _, page) = desk.get("/account").await;
    for part in ["You are connected", "Example University"] {
        assert!(page.contains(part), "{part}");
    }
    // The subject at the provider is not stored in clear text.
    let sql = "SELECT COUNT(*) FROM credentials WHERE kind = 'provider' AND secret NOT LIKE '%s-1%'";
    let statement = sea_orm::Statement::from_string(desk.store.db.get_database_backend(), sql);
    let row = desk.store.db.query_one_raw(statement).await.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 1);

    let (_, _, page) = signed_out(&desk).get("/sign-in?page=/users").await;
    assert!(page.contains("href=\"/sign-in/provider?page=%2Fusers\""), "{page}");
    let (to, key) = sign_in(&desk, &fake, "s-1").await;
    assert_eq!(to, "/users");
    let (status, _, page) = with_token(&desk, key).get("/account").await;
    assert!(status.is_success() && page.contains("signed in as librarian"));
    assert_eq!(audit_details(&desk, AuditAction::SignedIn).await, ["provider", "password"]);
    assert_eq!(audit_details(&desk, AuditAction::ProviderConnected).await, [""]);
    // The metadata of the provider was read once.
    assert_eq!(fake.discoveries(), 1);
}

#[tokio::test]
async fn the_second_factor_of_the_provider_counts_only_if_configured() {
    for (trusted, amr, expected) in [
        (false, json!(["pwd"]), "/sign-in/app?page=%2Fusers"),
        (false, json!(["pwd", "mfa"]), "/sign-in/app?page=%2Fusers"),
        (true, json!(["pwd"]), "/sign-in/app?page=%2Fusers"),
        (true, json!(["pwd", "mfa"]), "/users"),
    ] {
        let (desk, fake) = library(false, trusted).await;
        let user = desk.staff("librarian", &[Role::Librarian]).await;
        connected_before(&desk, &fake, user, "s-1").await;
        let (to, key) =
            sign_in_as(&desk, &fake, |claims| claims["amr"] = amr.clone(), Signature::Valid).await;
        assert_eq!(to, expected, "{trusted} {amr}");
        let (status, ..) = with_token(&desk, key).get("/users").await;
        assert_eq!(status == StatusCode::OK, expected == "/users", "{trusted} {amr}: {status}");
    }
}

/// Connects the account of a member of staff who is not signed in.
async fn connected_before(desk: &Desk, fake: &FakeProvider, user: UserNumber, subject: &str) {
    let key = "a key of a session that was ended";
    let hash = base16ct::lower::encode_string(&Sha256::digest(key));
    let now = db::Clock::system_now().to_rfc3339();
    let session = format!(
        "INSERT INTO sessions (id_hash, user_number, created_at, last_seen_at, stage, signed_in_at, confirmed_at) \
         VALUES ('{hash}', {user}, '{now}', '{now}', 'complete', '{now}', '{now}')"
    );
    desk.store.db.execute_unprepared(&session).await.unwrap();
    let session = session::load_and_touch(&desk.store, key).await.unwrap().unwrap();
    let identity = Identity {
        issuer: fake.issuer.clone(),
        subject: subject.to_owned(),
        shown_at: None,
        has_second_factor: false,
    };
    assert!(session::connect(&desk.store, &session, &identity).await.unwrap());
    session::end(&desk.store, &session).await.unwrap();
}

/// A flaw of a token: its name, the change of the claims, and the signature.
type Flaw = (&'static str, Box<dyn Fn(&mut Value)>, Signature);

/// A token must be signed by the provider for Lethe, for this login state and for this time.
#[tokio::test]
async fn an_invalid_id_token_creates_no_session() {
    let (desk, fake) = connected("librarian", "s-1").await;
    let now = chrono::Utc::now().timestamp();
    let unchanged = || Box::new(|_: &mut Value| ());
    let set =
        |name: &'static str, value: Value| Box::new(move |claims: &mut Value| claims[name] = value.clone());
    let without = |name: &'static str| {
        Box::new(move |claims: &mut Value| _ = claims.as_object_mut().unwrap().remove(name))
    };
    let flaws: Vec<Flaw> = vec![
        ("signed with another key", unchanged(), Signature::OtherKey),
        ("signed with the client secret", unchanged(), Signature::ClientSecret),
        ("not signed", unchanged(), Signature::Missing),
        ("of another login state", set("nonce", json!("another")), Signature::Valid),
        ("of no login state", without("nonce"), Signature::Valid),
        ("for another client", set("aud", json!("another")), Signature::Valid),
        ("for Lethe and another client", set("aud", json!([CLIENT, "another"])), Signature::Valid),
        ("by another issuer", set("iss", json!("https://login.example.org")), Signature::Valid),
        ("expired", set("exp", json!(now - 60)), Signature::Valid),
        ("of the future", set("auth_time", json!(now + 3_600)), Signature::Valid),
        ("without a subject", without("sub"), Signature::Valid),
    ];
    for (what, change, signed) in flaws {
        let (to, key) = sign_in_as(&desk, &fake, change, signed).await;
        assert_eq!((to.as_str(), key), ("/sign-in?problem=provider", None), "{what}");
    }
    let (_, _, page) = signed_out(&desk).get("/sign-in?problem=provider").await;
    assert!(page.contains("Example University cannot be reached or sent an invalid answer"));
    // Without a flaw the token is accepted.
    assert_eq!(sign_in(&desk, &fake, "s-1").await.0, "/users");
}

/// The answer is accepted once, in the browser that began the login.
#[tokio::test]
async fn a_callback_must_belong_to_a_login_of_the_same_browser() {
    let (desk, fake) = connected("librarian", "s-1").await;
    let start = signed_out(&desk);
    let login = begin(&start, "/sign-in/provider").await;
    let claims = fake.claims(&login.query, "s-1");
    let code = fake.code(&login.query, &claims, Signature::Valid);
    let state = login.query.part("state").to_owned();
    let valid = format!("code={code}&state={state}");

    let other = begin(&start, "/sign-in/provider").await;
    let stranger = Login { query: AuthorizationQuery::from_address("?"), browser: start.clone() };
    let forged = Desk { cookie: "lethe-login-state=00".to_owned(), ..start.clone() };
    let forged = Login { query: AuthorizationQuery::from_address("?"), browser: forged };
    for (what, login, query, problem) in [
        ("without the cookie", &stranger, valid.as_str(), "login-state"),
        ("with a forged cookie", &forged, &valid, "login-state"),
        ("in another browser", &other, &valid, "login-state"),
        ("without a state", &login, &format!("code={code}"), "login-state"),
        ("without a code", &login, &format!("state={state}"), "declined"),
        ("declined", &login, &format!("error=access_denied&state={state}"), "declined"),
        ("declined, with a code", &login, &format!("error=access_denied&{valid}"), "declined"),
        ("with an unknown code", &login, &format!("code=none&state={state}"), "provider"),
    ] {
        let (to, key) = login.call_back_with(query).await;
        assert_eq!((to, key), (format!("/sign-in?problem={problem}"), None), "{what}");
    }
    // Another login state cannot use the code.
    let (to, key) = other.call_back(&code).await;
    assert_eq!((to.as_str(), key), ("/sign-in?problem=provider", None));

    let code = fake.code(&login.query, &claims, Signature::Valid);
    let named = format!("code={code}&state={state}&iss=https%3A%2F%2Fother.example");
    assert_eq!(login.call_back_with(&named).await.0, "/sign-in?problem=provider");
    let code = fake.code(&login.query, &claims, Signature::Valid);
    let (to, key) = login.call_back(&code).await;
    assert_eq!(to, "/");
    assert!(key.is_some());
    assert_eq!(login.call_back(&code).await.0, "/sign-in?problem=provider", "the code is used up");
}

#[tokio::test]
async fn an_identity_without_a_connected_account_cannot_sign_in() {
    let (desk, fake) = connected("librarian", "s-1").await;
    let refused = ("/sign-in?problem=not-connected".to_owned(), None);
    assert_eq!(sign_in(&desk, &fake, "s-2").await, refused);
    // A subject that equals a UserID of the library is not enough.
    assert_eq!(sign_in(&desk, &fake, "librarian").await, refused);
    assert_eq!(
        audit_details(&desk, AuditAction::SignInFailed).await,
        ["provider"],
        "the second one is only counted"
    );

    // A disconnected account, and a disabled one.
    let mut other = desk.clone();
    other.staff("other", &[Role::Cataloguer]).await;
    other.sign_in("other").await;
    connect(&other, &fake, "s-3").await;
    let (_, to, _) = other.post("/do/disconnect_provider?page=/account", "").await;
    assert_eq!(without_proof(&to), "/account?done=provider-disconnected");
    assert_eq!(sign_in(&desk, &fake, "s-3").await, refused);
    let user = staff::user_with_id(&desk.store, "librarian").await.unwrap().unwrap();
    accounts::disable(&desk.store, Actor::COMMAND_LINE, user).await.unwrap();
    assert_eq!(sign_in(&desk, &fake, "s-1").await, refused);
}

/// Connecting requires the page of the account and a recent sign-in.
#[tokio::test]
async fn only_the_owner_can_connect_an_account() {
    let (desk, fake) = connected("librarian", "s-1").await;
    let mut other = desk.clone();
    other.staff("other", &[Role::Librarian]).await;
    other.sign_in("other").await;
    assert_eq!(connect(&other, &fake, "s-1").await, "/account?problem=other-user");
    let (_, _, page) = other.get("/account?problem=other-user").await;
    assert!(page.contains("is connected to another user. Nothing was changed"));

    // A link on another site, or from the page of another user.
    let of_other = connect_link(&other).await;
    let again = desk.another("librarian").await;
    confirm(&desk, &db::Clock::system_now().to_rfc3339()).await;
    again.post("/do/disconnect_provider?page=/account", "").await;
    for address in ["/account/provider", "/account/provider?from=00", &of_other] {
        let (status, headers, _) = again.get(address).await;
        assert_eq!((status, location(&headers)), (StatusCode::SEE_OTHER, "/account".to_owned()), "{address}");
    }
    // A login state of another user.
    let login = begin(&other, &of_other).await;
    let code = fake.code(&login.query, &fake.claims(&login.query, "s-9"), Signature::Valid);
    let kept = login.browser.cookie.split("; ").nth(1).unwrap();
    let browser = Desk { cookie: format!("{}; {kept}", again.cookie), ..again.clone() };
    let (to, _) = Login { browser, query: login.query }.call_back(&code).await;
    assert_eq!(to, "/account?problem=login-state");
    // A sign-in that is not recent.
    let address = connect_link(&again).await;
    confirm(&desk, "2018-01-01T00:00:00Z").await;
    let (_, headers, _) = again.get(&address).await;
    assert_eq!(location(&headers), "/sign-in/again?page=/account&for=sign-in");
    assert_eq!(audit_details(&desk, AuditAction::ProviderConnected).await.len(), 1);
}

/// Afterwards the sign-in of the session is recent.
#[tokio::test]
async fn the_provider_asks_for_the_credentials_again_before_an_irreversible_action() {
    let (desk, fake) = connected("librarian", "s-1").await;
    let (_, key) =
        sign_in_as(&desk, &fake, |claims| claims["auth_time"] = json!(1_500_000_000), Signature::Valid).await;
    let old = with_token(&desk, key);
    let session = async |desk: &Desk| {
        let key = desk.cookie.trim_start_matches("lethe=").to_owned();
        session::load_and_touch(&desk.store, &key).await.unwrap()
    };
    assert!(!session(&old).await.unwrap().is_fresh(), "the sign-in at the provider is old");
    let (_, key) = sign_in_as(
        &desk,
        &fake,
        |claims| _ = claims.as_object_mut().unwrap().remove("auth_time"),
        Signature::Valid,
    )
    .await;
    assert!(
        !session(&with_token(&desk, key)).await.unwrap().is_fresh(),
        "the time of the sign-in at the provider is unknown"
    );

    let (_, _, page) = old.get("/sign-in/again?page=/users").await;
    assert!(page.contains("href=\"/sign-in/provider/again?page=%2Fusers\""), "{page}");
    let again = async |change: &dyn Fn(&mut Value)| {
        let login = begin(&old, "/sign-in/provider/again?page=/users").await;
        assert_eq!((login.query.part("prompt"), login.query.part("max_age")), ("login", "0"));
        let mut claims = fake.claims(&login.query, "s-1");
        change(&mut claims);
        login.call_back(&fake.code(&login.query, &claims, Signature::Valid)).await
    };
    let refused = |problem: &str| (format!("/sign-in/again?problem={problem}"), None);
    assert_eq!(again(&|claims| claims["auth_time"] = json!(1_500_000_000)).await, refused("not-asked-again"));
    assert_eq!(again(&|claims| claims["sub"] = json!("s-2")).await, refused("not-connected"));
    let (to, key) = again(&|_| ()).await;
    assert_eq!(to, "/users");
    assert!(session(&with_token(&desk, key)).await.unwrap().is_fresh());
    assert!(session(&old).await.is_none(), "the old token is invalid");
}

/// A fresh sign-in is not enough to change how such an account signs in. A login at the provider for this purpose is.
#[tokio::test]
async fn an_account_without_a_password_confirms_by_the_provider() {
    let (desk, fake) = connected("librarian", "s-1").await;
    let whole = async |desk: &Desk, key: Option<String>| {
        let mut browser = with_token(desk, key);
        browser.token = session::form_token(browser.cookie.trim_start_matches("lethe="));
        browser
    };
    let to_again = "/sign-in/again?page=/account&for=sign-in";
    let cannot_change_sign_in = async |browser: &Desk| {
        let (_, headers, _) = browser.get("/sign-in/app?page=/account").await;
        let set_up = headers.get("location").map(|_| location(&headers));
        let key = browser.cookie.trim_start_matches("lethe=");
        let from = session::load_and_touch(&desk.store, key).await.unwrap().unwrap().connecting().unwrap();
        let connect = location(&browser.get(&format!("/account/provider?from={from}")).await.1);
        let (_, disconnect, _) = browser.post("/do/disconnect_provider?page=/account", "").await;
        (set_up.as_deref(), connect.as_str()) == (Some(to_again), to_again)
            && disconnect.starts_with("/sign-in/again?")
    };
    let confirm_by_provider = async |browser: &Desk| {
        let login = begin(browser, "/sign-in/provider/again?page=/account&for=sign-in").await;
        assert_eq!((login.query.part("prompt"), login.query.part("max_age")), ("login", "0"));
        let claims = fake.claims(&login.query, "s-1");
        login.call_back(&fake.code(&login.query, &claims, Signature::Valid)).await
    };
    // An account with a password must confirm by the password.
    let browser = whole(&desk, sign_in(&desk, &fake, "s-1").await.1).await;
    let browser = whole(&desk, confirm_by_provider(&browser).await.1).await;
    assert!(cannot_change_sign_in(&browser).await);

    let none = "DELETE FROM credentials WHERE kind = 'password'";
    desk.store.db.execute_unprepared(none).await.unwrap();
    let browser = whole(&desk, sign_in(&desk, &fake, "s-1").await.1).await;
    assert!(cannot_change_sign_in(&browser).await, "a fresh session is not enough");
    let (_, _, page) = browser.get(to_again).await;
    let link = "href=\"/sign-in/provider/again?page=%2Faccount&amp;for=sign-in\"";
    assert!(page.contains(link), "{page}");
    let (to, key) = confirm_by_provider(&browser).await;
    assert_eq!(to, "/account");
    let browser = whole(&desk, key).await;
    assert!(browser.get("/sign-in/app?page=/account").await.2.contains("Set up your second factor"));
    let (_, to, _) = browser.post("/do/disconnect_provider?page=/account", "").await;
    assert_eq!(without_proof(&to), "/account?done=provider-disconnected");
}

#[tokio::test]
async fn sign_in_survives_a_new_key_and_an_unreachable_provider() {
    let (desk, fake) = connected("librarian", "s-1").await;
    fake.change_key();
    assert_eq!(sign_in(&desk, &fake, "s-1").await.0, "/users");
    assert_eq!(fake.discoveries(), 2);

    let settings = Settings {
        issuer: IssuerUrl::new("http://127.0.0.1:9".to_owned()).unwrap(),
        client_id: CLIENT.to_owned(),
        secret: None,
        name: "Example University".to_owned(),
        proves_second_factor: false,
    };
    let provider =
        Provider::new(settings, RedirectUrl::new(format!("http://localhost{CALLBACK_ROUTE}")).unwrap())
            .unwrap();
    let network = NetworkConfig { provider: Some(Arc::new(provider)), ..NetworkConfig::default() };
    let desk = Desk::with(|_| (), |_| (), network).await;
    let (status, headers, _) = desk.get("/sign-in/provider?page=/users").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(location(&headers), "/sign-in?problem=provider&page=%2Fusers");
}

#[tokio::test]
async fn without_a_provider_no_page_mentions_single_sign_on() {
    let desk = Desk::open().await;
    let (_, _, page) = signed_out(&desk).get("/sign-in?problem=not-connected").await;
    assert!(!page.contains("provider") && !page.contains("Sign in with"));
    assert!(!desk.get("/account").await.2.contains("Single sign-on"));
    for address in ["/sign-in/provider", "/sign-in/provider/again", CALLBACK_ROUTE] {
        assert_eq!(desk.get(address).await.0, StatusCode::NOT_FOUND, "{address}");
    }
}
