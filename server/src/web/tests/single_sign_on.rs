//! Single sign-on, against an identity provider of the tests.
#![allow(clippy::unwrap_used, reason = "tests")]

mod fake;

use super::desk::Desk;
use crate::oidc::{Provider, Settings};
use crate::web::{Outside, RETURN};
use axum::http::StatusCode;
use axum::http::header::{HeaderMap, LOCATION, SET_COOKIE};
use fake::{CLIENT, Fake, Question, SECRET, Signed};
use openidconnect::{IssuerUrl, RedirectUrl};
use policy::{Role, UserNumber};
use records::audit::{self, AuditAction, AuditQuery};
use records::pagination::Paging;
use records::session::{self, Identity};
use records::{Actor, SignIn, staff};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// A library with a provider. A password is enough where the test does not say otherwise.
async fn library(allow_password_only: bool, proves_second_factor: bool) -> (Desk, Fake) {
    let fake = Fake::open().await;
    let settings = Settings {
        issuer: IssuerUrl::new(fake.issuer.clone()).unwrap(),
        client_id: CLIENT.to_owned(),
        secret: Some(SECRET.to_owned()),
        name: "Example University".to_owned(),
        proves_second_factor,
    };
    let return_to = RedirectUrl::new(format!("http://localhost{RETURN}")).unwrap();
    let provider = Provider::new(settings, return_to).unwrap();
    let outside = Outside { provider: Some(Arc::new(provider)), ..Outside::default() };
    let sign_in = SignIn { allow_password_only, ..SignIn::default() };
    let desk = Desk::with(|settings| settings.sign_in = sign_in, |_| (), outside).await;
    (desk, fake)
}

/// Somebody at that library who is signed in and connected as `subject`.
async fn connected(user_id: &str, subject: &str) -> (Desk, Fake) {
    let (mut desk, fake) = library(true, false).await;
    desk.staff(user_id, &[Role::Librarian]).await;
    desk.sign_in(user_id).await;
    assert_eq!(connect(&desk, &fake, subject).await, "/account?done=provider-connected");
    (desk, fake)
}

fn location(headers: &HeaderMap) -> String {
    headers.get(LOCATION).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

/// The cookies that an answer sets, as they are sent back: name and value.
fn cookies(headers: &HeaderMap) -> Vec<(String, String)> {
    let set = headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap());
    set.filter_map(|set| set.split(';').next()?.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn cookie_of(headers: &HeaderMap, sought: &str) -> Option<String> {
    let found = cookies(headers).into_iter().find(|(name, value)| name == sought && !value.is_empty());
    found.map(|(_, value)| value)
}

/// A login state that has begun: what the provider was asked, and the browser that went.
struct LoginState {
    question: Question,
    browser: Desk,
}

async fn begin(desk: &Desk, address: &str) -> LoginState {
    let (status, headers, page) = desk.get(address).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{address}: {page}");
    let to = location(&headers);
    assert!(to.contains("/authorise?"), "{address} leads to {to}");
    let login_state = cookie_of(&headers, "lethe-login-state").expect("a login state");
    let mut browser = desk.clone();
    let glue = if browser.cookie.is_empty() { "" } else { "; " };
    browser.cookie = format!("{}{glue}lethe-login-state={login_state}", browser.cookie);
    LoginState { question: Question::of(&to), browser }
}

impl LoginState {
    /// Comes back with this code: where it leads, and the key of the session that was begun.
    async fn come_back(&self, code: &str) -> (String, Option<String>) {
        self.come_back_with(&format!("code={code}&state={}", self.question.part("state"))).await
    }

    async fn come_back_with(&self, query: &str) -> (String, Option<String>) {
        let (status, headers, page) = self.browser.get(&format!("{RETURN}?{query}")).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
        let to = location(&headers);
        // A login state that was for nothing leads back with the page that was wanted.
        let (to, _) = to.split_once("&page=").unwrap_or((&to, ""));
        (to.to_owned(), cookie_of(&headers, "lethe"))
    }
}

/// The address on the account page that begins to connect.
async fn connecting(desk: &Desk) -> String {
    let (_, _, page) = desk.get("/account").await;
    let (_, rest) = page.split_once("href=\"/account/provider?from=").expect("a link to the provider");
    format!("/account/provider?from={}", rest.split('"').next().unwrap())
}

/// Has everybody who is signed in confirm that they change what they sign in with, at this instant.
async fn confirm(desk: &Desk, at: &str) {
    let confirmed = format!("UPDATE sessions SET signed_in_at = '{at}', confirmed_at = '{at}'");
    desk.store.database().execute_unprepared(&confirmed).await.unwrap();
}

/// Connects whoever is at the desk: where it leads.
async fn connect(desk: &Desk, fake: &Fake, subject: &str) -> String {
    let (status, headers, _) = desk.get(&connecting(desk).await).await;
    let again = (StatusCode::SEE_OTHER, "/sign-in/again?page=/account&for=sign-in".to_owned());
    assert_eq!((status, location(&headers)), again, "a fresh sign-in is not enough");
    confirm(desk, &records::Clock::real().to_rfc3339()).await;
    let login_state = begin(desk, &connecting(desk).await).await;
    assert_eq!((login_state.question.part("prompt"), login_state.question.part("max_age")), ("login", "0"));
    let code =
        fake.code(&login_state.question, &fake.claims(&login_state.question, subject), Signed::Rightly);
    login_state.come_back(&code).await.0
}

/// Signs in by the provider: where it leads, and the key of the session.
async fn sign_in(desk: &Desk, fake: &Fake, subject: &str) -> (String, Option<String>) {
    sign_in_as(desk, fake, |claims| claims["sub"] = subject.into(), Signed::Rightly).await
}

async fn sign_in_as(
    desk: &Desk,
    fake: &Fake,
    change: impl Fn(&mut Value),
    signed: Signed,
) -> (String, Option<String>) {
    let login_state = begin(&nobody(desk), "/sign-in/provider?page=/users").await;
    let mut claims = fake.claims(&login_state.question, "s-1");
    change(&mut claims);
    login_state.come_back(&fake.code(&login_state.question, &claims, signed)).await
}

fn nobody(desk: &Desk) -> Desk {
    Desk { cookie: String::new(), token: String::new(), ..desk.clone() }
}

fn with_key(desk: &Desk, key: Option<String>) -> Desk {
    Desk { cookie: format!("lethe={}", key.expect("a session")), ..desk.clone() }
}

async fn deeds(desk: &Desk, action: AuditAction) -> Vec<String> {
    let query = AuditQuery { action: Some(action), ..AuditQuery::default() };
    let events = audit::list(&desk.store, Actor::COMMAND_LINE, &query, &Paging::default()).await.unwrap();
    events.rows.into_iter().map(|event| event.detail).collect()
}

#[tokio::test]
async fn somebody_connects_their_account_and_signs_in_by_it() {
    let (desk, fake) = connected("librarian", "s-1").await;
    let (_, _, page) = desk.get("/account?done=provider-connected").await;
    for part in ["Single sign-on is connected", "You are connected", "Example University"] {
        assert!(page.contains(part), "{part}");
    }
    // What is kept tells nobody who that is at the provider.
    let sql = "SELECT COUNT(*) FROM credentials WHERE kind = 'provider' AND secret NOT LIKE '%s-1%'";
    let statement = sea_orm::Statement::from_string(desk.store.database().get_database_backend(), sql);
    let row = desk.store.database().query_one_raw(statement).await.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), 1);

    let (_, _, page) = nobody(&desk).get("/sign-in?page=/users").await;
    assert!(page.contains("href=\"/sign-in/provider?page=%2Fusers\""), "{page}");
    let (to, key) = sign_in(&desk, &fake, "s-1").await;
    assert_eq!(to, "/users");
    let (status, _, page) = with_key(&desk, key).get("/account").await;
    assert!(status.is_success() && page.contains("signed in as librarian"));
    assert_eq!(deeds(&desk, AuditAction::SignedIn).await, ["provider", "password"]);
    assert_eq!(deeds(&desk, AuditAction::ProviderConnected).await, [""]);
    // One description of the provider served them all.
    assert_eq!(fake.discoveries(), 1);
}

#[tokio::test]
async fn the_second_factor_is_lethes_unless_the_provider_is_believed() {
    for (believed, amr, leads) in [
        (false, json!(["pwd"]), "/sign-in/app?page=%2Fusers"),
        (false, json!(["pwd", "mfa"]), "/sign-in/app?page=%2Fusers"),
        (true, json!(["pwd"]), "/sign-in/app?page=%2Fusers"),
        (true, json!(["pwd", "mfa"]), "/users"),
    ] {
        let (desk, fake) = library(false, believed).await;
        let user = desk.staff("librarian", &[Role::Librarian]).await;
        connected_before(&desk, &fake, user, "s-1").await;
        let (to, key) = sign_in_as(&desk, &fake, |claims| claims["amr"] = amr.clone(), Signed::Rightly).await;
        assert_eq!(to, leads, "{believed} {amr}");
        let (status, ..) = with_key(&desk, key).get("/users").await;
        assert_eq!(status == StatusCode::OK, leads == "/users", "{believed} {amr}: {status}");
    }
}

/// Connects somebody who is not at the desk.
async fn connected_before(desk: &Desk, fake: &Fake, user: UserNumber, subject: &str) {
    let key = "a key of a session that was ended";
    let hash = base16ct::lower::encode_string(&Sha256::digest(key));
    let now = records::Clock::real().to_rfc3339();
    let session = format!(
        "INSERT INTO sessions (id_hash, user_number, created_at, last_seen_at, stage, signed_in_at, confirmed_at) \
         VALUES ('{hash}', {user}, '{now}', '{now}', 'whole', '{now}', '{now}')"
    );
    desk.store.database().execute_unprepared(&session).await.unwrap();
    let session = session::find(&desk.store, key).await.unwrap().unwrap();
    let identity = Identity {
        issuer: fake.issuer.clone(),
        subject: subject.to_owned(),
        shown_at: None,
        has_second_factor: false,
    };
    assert!(session::connect(&desk.store, &session, &identity).await.unwrap());
    session::end(&desk.store, &session).await.unwrap();
}

/// What is wrong, what is changed in the claims for it, and how they are signed.
type Change = (&'static str, Box<dyn Fn(&mut Value)>, Signed);

/// A token that the provider has not signed for Lethe, this login state and this moment opens no session.
#[tokio::test]
async fn what_is_not_proven_signs_nobody_in() {
    let (desk, fake) = connected("librarian", "s-1").await;
    let now = chrono::Utc::now().timestamp();
    let same = || Box::new(|_: &mut Value| ());
    let set =
        |name: &'static str, value: Value| Box::new(move |claims: &mut Value| claims[name] = value.clone());
    let without = |name: &'static str| {
        Box::new(move |claims: &mut Value| _ = claims.as_object_mut().unwrap().remove(name))
    };
    let changes: Vec<Change> = vec![
        ("signed with another key", same(), Signed::ByAnother),
        ("signed with the secret of both", same(), Signed::WithTheSecret),
        ("not signed", same(), Signed::NotAtAll),
        ("of another login state", set("nonce", json!("another")), Signed::Rightly),
        ("of no login state", without("nonce"), Signed::Rightly),
        ("for another client", set("aud", json!("another")), Signed::Rightly),
        ("for Lethe and another client", set("aud", json!([CLIENT, "another"])), Signed::Rightly),
        ("by another issuer", set("iss", json!("https://login.example.org")), Signed::Rightly),
        ("expired", set("exp", json!(now - 60)), Signed::Rightly),
        ("of the future", set("auth_time", json!(now + 3_600)), Signed::Rightly),
        ("about nobody", without("sub"), Signed::Rightly),
    ];
    for (what, change, signed) in changes {
        let (to, key) = sign_in_as(&desk, &fake, change, signed).await;
        assert_eq!((to.as_str(), key), ("/sign-in?problem=provider", None), "{what}");
    }
    let (_, _, page) = nobody(&desk).get("/sign-in?problem=provider").await;
    assert!(page.contains("Example University cannot be reached or sent an invalid answer"));
    // It was for what was changed that these were refused.
    assert_eq!(sign_in(&desk, &fake, "s-1").await.0, "/users");
}

/// An answer counts in the browser that asked, for the question that it asked, once.
#[tokio::test]
async fn an_answer_belongs_to_a_question_of_the_same_browser() {
    let (desk, fake) = connected("librarian", "s-1").await;
    let start = nobody(&desk);
    let login_state = begin(&start, "/sign-in/provider").await;
    let claims = fake.claims(&login_state.question, "s-1");
    let code = fake.code(&login_state.question, &claims, Signed::Rightly);
    let state = login_state.question.part("state").to_owned();
    let right = format!("code={code}&state={state}");

    let other = begin(&start, "/sign-in/provider").await;
    let stranger = LoginState { question: Question::of("?"), browser: start.clone() };
    let forged = Desk { cookie: "lethe-login-state=00".to_owned(), ..start.clone() };
    let forged = LoginState { question: Question::of("?"), browser: forged };
    for (what, login_state, query, problem) in [
        ("without the cookie", &stranger, right.as_str(), "login-state"),
        ("with a forged cookie", &forged, &right, "login-state"),
        ("in another browser", &other, &right, "login-state"),
        ("without a state", &login_state, &format!("code={code}"), "login-state"),
        ("without a code", &login_state, &format!("state={state}"), "declined"),
        ("declined", &login_state, &format!("error=access_denied&state={state}"), "declined"),
        ("declined, with a code", &login_state, &format!("error=access_denied&{right}"), "declined"),
        ("with a code that is none", &login_state, &format!("code=none&state={state}"), "provider"),
    ] {
        let (to, key) = login_state.come_back_with(query).await;
        assert_eq!((to, key), (format!("/sign-in?problem={problem}"), None), "{what}");
    }
    // A code belongs to its login state: another login state cannot use it.
    let (to, key) = other.come_back(&code).await;
    assert_eq!((to.as_str(), key), ("/sign-in?problem=provider", None));

    let code = fake.code(&login_state.question, &claims, Signed::Rightly);
    let named = format!("code={code}&state={state}&iss=https%3A%2F%2Fother.example");
    assert_eq!(login_state.come_back_with(&named).await.0, "/sign-in?problem=provider");
    let code = fake.code(&login_state.question, &claims, Signed::Rightly);
    let (to, key) = login_state.come_back(&code).await;
    assert_eq!(to, "/");
    assert!(key.is_some());
    assert_eq!(login_state.come_back(&code).await.0, "/sign-in?problem=provider", "the code is used up");
}

#[tokio::test]
async fn whoever_is_connected_with_nobody_stays_outside() {
    let (desk, fake) = connected("librarian", "s-1").await;
    let nobody = ("/sign-in?problem=nobody".to_owned(), None);
    assert_eq!(sign_in(&desk, &fake, "s-2").await, nobody);
    // Not by having the name of somebody here.
    assert_eq!(sign_in(&desk, &fake, "librarian").await, nobody);
    assert_eq!(deeds(&desk, AuditAction::SignInFailed).await, ["provider"], "the second one is counted");

    // Who was disabled, and who was disconnected.
    let mut other = desk.clone();
    other.staff("other", &[Role::Cataloguer]).await;
    other.sign_in("other").await;
    connect(&other, &fake, "s-3").await;
    let (_, to, _) = other.post("/do/disconnect_provider?page=/account", "").await;
    assert_eq!(to, "/account?done=provider-disconnected");
    assert_eq!(sign_in(&desk, &fake, "s-3").await, nobody);
    let user = staff::user_with_id(&desk.store, "librarian").await.unwrap().unwrap();
    staff::disable(&desk.store, Actor::COMMAND_LINE, user).await.unwrap();
    assert_eq!(sign_in(&desk, &fake, "s-1").await, nobody);
}

/// Nobody is connected without their doing: only from the page of their account, by a young sign-in.
#[tokio::test]
async fn an_account_is_connected_by_its_owner_only() {
    let (desk, fake) = connected("librarian", "s-1").await;
    let mut other = desk.clone();
    other.staff("other", &[Role::Librarian]).await;
    other.sign_in("other").await;
    assert_eq!(connect(&other, &fake, "s-1").await, "/account?problem=somebody-else");
    let (_, _, page) = other.get("/account?problem=somebody-else").await;
    assert!(page.contains("is connected to another user. Nothing was changed"));

    // A link that another site, or somebody else's page, leads to.
    let of_other = connecting(&other).await;
    let again = desk.another("librarian").await;
    confirm(&desk, &records::Clock::real().to_rfc3339()).await;
    again.post("/do/disconnect_provider?page=/account", "").await;
    for address in ["/account/provider", "/account/provider?from=00", &of_other] {
        let (status, headers, _) = again.get(address).await;
        assert_eq!((status, location(&headers)), (StatusCode::SEE_OTHER, "/account".to_owned()), "{address}");
    }
    // A login state of another user.
    let login_state = begin(&other, &of_other).await;
    let code = fake.code(&login_state.question, &fake.claims(&login_state.question, "s-9"), Signed::Rightly);
    let kept = login_state.browser.cookie.split("; ").nth(1).unwrap();
    let browser = Desk { cookie: format!("{}; {kept}", again.cookie), ..again.clone() };
    let (to, _) = LoginState { browser, question: login_state.question }.come_back(&code).await;
    assert_eq!(to, "/account?problem=login-state");
    // A sign-in that is not young.
    let address = connecting(&again).await;
    confirm(&desk, "2018-01-01T00:00:00Z").await;
    let (_, headers, _) = again.get(&address).await;
    assert_eq!(location(&headers), "/sign-in/again?page=/account&for=sign-in");
    assert_eq!(deeds(&desk, AuditAction::ProviderConnected).await.len(), 1);
}

/// Before what cannot be undone the provider asks again, and the session is young afterwards.
#[tokio::test]
async fn the_provider_asks_again_before_what_cannot_be_undone() {
    let (desk, fake) = connected("librarian", "s-1").await;
    let (_, key) =
        sign_in_as(&desk, &fake, |claims| claims["auth_time"] = json!(1_500_000_000), Signed::Rightly).await;
    let old = with_key(&desk, key);
    let session = async |desk: &Desk| {
        let key = desk.cookie.trim_start_matches("lethe=").to_owned();
        session::find(&desk.store, &key).await.unwrap()
    };
    assert!(!session(&old).await.unwrap().is_fresh(), "they signed in there long ago");
    let (_, key) = sign_in_as(
        &desk,
        &fake,
        |claims| _ = claims.as_object_mut().unwrap().remove("auth_time"),
        Signed::Rightly,
    )
    .await;
    assert!(
        !session(&with_key(&desk, key)).await.unwrap().is_fresh(),
        "nobody knows when they signed in there"
    );

    let (_, _, page) = old.get("/sign-in/again?page=/users").await;
    assert!(page.contains("href=\"/sign-in/provider/again?page=%2Fusers\""), "{page}");
    let again = async |change: &dyn Fn(&mut Value)| {
        let login_state = begin(&old, "/sign-in/provider/again?page=/users").await;
        assert_eq!(
            (login_state.question.part("prompt"), login_state.question.part("max_age")),
            ("login", "0")
        );
        let mut claims = fake.claims(&login_state.question, "s-1");
        change(&mut claims);
        login_state.come_back(&fake.code(&login_state.question, &claims, Signed::Rightly)).await
    };
    let not = |problem: &str| (format!("/sign-in/again?problem={problem}"), None);
    assert_eq!(again(&|claims| claims["auth_time"] = json!(1_500_000_000)).await, not("not-asked-again"));
    assert_eq!(again(&|claims| claims["sub"] = json!("s-2")).await, not("nobody"));
    let (to, key) = again(&|_| ()).await;
    assert_eq!(to, "/users");
    assert!(session(&with_key(&desk, key)).await.unwrap().is_fresh());
    assert!(session(&old).await.is_none(), "the old key opens nothing any more");
}

/// An account with single sign-on alone: a sign-in of this moment does not open what it signs in with. A login state to the provider
/// for this purpose does.
#[tokio::test]
async fn an_account_without_a_password_is_confirmed_by_its_provider() {
    let (desk, fake) = connected("librarian", "s-1").await;
    let whole = async |desk: &Desk, key: Option<String>| {
        let mut browser = with_key(desk, key);
        browser.token = session::form_token(browser.cookie.trim_start_matches("lethe="));
        browser
    };
    let to_again = "/sign-in/again?page=/account&for=sign-in";
    let is_shut = async |browser: &Desk| {
        let (_, headers, _) = browser.get("/sign-in/app?page=/account").await;
        let set_up = headers.get("location").map(|_| location(&headers));
        let key = browser.cookie.trim_start_matches("lethe=");
        let from = session::find(&desk.store, key).await.unwrap().unwrap().connecting().unwrap();
        let connect = location(&browser.get(&format!("/account/provider?from={from}")).await.1);
        let (_, disconnect, _) = browser.post("/do/disconnect_provider?page=/account", "").await;
        (set_up.as_deref(), connect.as_str()) == (Some(to_again), to_again)
            && disconnect.starts_with("/sign-in/again?")
    };
    let confirm_by_provider = async |browser: &Desk| {
        let login_state = begin(browser, "/sign-in/provider/again?page=/account&for=sign-in").await;
        assert_eq!(
            (login_state.question.part("prompt"), login_state.question.part("max_age")),
            ("login", "0")
        );
        let claims = fake.claims(&login_state.question, "s-1");
        login_state.come_back(&fake.code(&login_state.question, &claims, Signed::Rightly)).await
    };
    // While there is a password, it is what they show.
    let browser = whole(&desk, sign_in(&desk, &fake, "s-1").await.1).await;
    let browser = whole(&desk, confirm_by_provider(&browser).await.1).await;
    assert!(is_shut(&browser).await);

    let none = "DELETE FROM credentials WHERE kind = 'password'";
    desk.store.database().execute_unprepared(none).await.unwrap();
    let browser = whole(&desk, sign_in(&desk, &fake, "s-1").await.1).await;
    assert!(is_shut(&browser).await, "a fresh session is not enough");
    let (_, _, page) = browser.get(to_again).await;
    let link = "href=\"/sign-in/provider/again?page=%2Faccount&amp;for=sign-in\"";
    assert!(page.contains(link), "{page}");
    let (to, key) = confirm_by_provider(&browser).await;
    assert_eq!(to, "/account");
    let browser = whole(&desk, key).await;
    assert!(browser.get("/sign-in/app?page=/account").await.2.contains("Set up your second factor"));
    let (_, to, _) = browser.post("/do/disconnect_provider?page=/account", "").await;
    assert_eq!(to, "/account?done=provider-disconnected");
}

#[tokio::test]
async fn the_provider_may_change_its_key_and_may_be_silent() {
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
        Provider::new(settings, RedirectUrl::new(format!("http://localhost{RETURN}")).unwrap()).unwrap();
    let outside = Outside { provider: Some(Arc::new(provider)), ..Outside::default() };
    let desk = Desk::with(|_| (), |_| (), outside).await;
    let (status, headers, _) = desk.get("/sign-in/provider?page=/users").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(location(&headers), "/sign-in?problem=provider&page=%2Fusers");
}

#[tokio::test]
async fn where_there_is_no_provider_nothing_is_said_of_one() {
    let desk = Desk::open().await;
    let (_, _, page) = nobody(&desk).get("/sign-in?problem=nobody").await;
    assert!(!page.contains("provider") && !page.contains("Sign in with"));
    assert!(!desk.get("/account").await.2.contains("Single sign-on"));
    for address in ["/sign-in/provider", "/sign-in/provider/again", RETURN] {
        assert_eq!(desk.get(address).await.0, StatusCode::NOT_FOUND, "{address}");
    }
}
