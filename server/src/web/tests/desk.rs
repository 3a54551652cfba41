//! A test client: the router over a separate library, with the session of one browser.

use crate::network::NetworkConfig;
use crate::scheduler::Heartbeat;
use crate::site::Site;
use crate::web::{router, state};
use app::state::{AppState, Cookies};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, COOKIE, HeaderValue, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Request, StatusCode};
use db::{Settings, SignIn};
use identity::session::FormOnce;
use policy::{Role, UserNumber};
use records::accounts;
use sea_orm::{ConnectionTrait as _, Database};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;
use tower::ServiceExt as _;
use trail::{Actor, Store};

/// The password of all members of staff in these tests.
pub(in crate::web) const PASSWORD: &str = "plum tractor seventeen";

/// A router over a library in a temporary folder, and the session of one browser.
#[derive(Clone)]
pub(in crate::web) struct Desk {
    pub(in crate::web) folder: Arc<TempDir>,
    pub(in crate::web) store: Store,
    pub(in crate::web) router: Router,
    /// The cookie that is sent with every request. Empty if no member of staff is signed in.
    pub(in crate::web) cookie: String,
    /// The token of the forms of this session.
    pub(in crate::web) token: String,
}

impl Desk {
    /// Opens a library and signs in a member of staff with every role.
    pub(in crate::web) async fn open() -> Self {
        let mut desk = Self::closed(SignIn { allow_password_only: true, ..SignIn::default() }).await;
        desk.staff("everything", &Role::ALL).await;
        desk.sign_in("everything").await;
        desk
    }

    /// Opens a library without a signed-in member of staff.
    pub(in crate::web) async fn closed(sign_in: SignIn) -> Self {
        Self::with(|settings| settings.sign_in = sign_in, |_| (), NetworkConfig::default()).await
    }

    /// Opens a library with separate settings and state, without a signed-in member of staff.
    pub(in crate::web) async fn with(
        set: impl FnOnce(&mut Settings),
        change: impl FnOnce(&mut AppState),
        network: NetworkConfig,
    ) -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        let url = format!("sqlite://{}/test.db?mode=rwc", folder.path().display());
        Self::at(folder, &url, set, change, network).await
    }

    /// Does the same as [`Desk::open`] on a new PostgreSQL database. Returns `None` if no server is configured, which
    /// fails in continuous integration.
    pub(in crate::web) async fn open_on_postgres() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = std::env::var("TEST_POSTGRES_URL") else {
            assert!(std::env::var("CI").is_err(), "TEST_POSTGRES_URL is not set");
            eprintln!("PostgreSQL is not tested: TEST_POSTGRES_URL is not set (make test sets it)");
            return None;
        };
        let name = format!("w{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let admin = Database::connect(&server).await.expect("a server");
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.expect("a database");
        admin.close().await.expect("closed");
        let (base, _) = server.rsplit_once('/').expect("an address");
        let sign_in = SignIn { allow_password_only: true, ..SignIn::default() };
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        let set = |settings: &mut Settings| settings.sign_in = sign_in;
        let mut desk =
            Self::at(folder, &format!("{base}/{name}"), set, |_| (), NetworkConfig::default()).await;
        desk.staff("everything", &Role::ALL).await;
        desk.sign_in("everything").await;
        Some(desk)
    }

    async fn at(
        folder: Arc<TempDir>,
        url: &str,
        set: impl FnOnce(&mut Settings),
        change: impl FnOnce(&mut AppState),
        network: NetworkConfig,
    ) -> Self {
        let clock = db::Clock::new(chrono_tz::Tz::Europe__London);
        let mut settings = Settings::in_folder(folder.path());
        set(&mut settings);
        let store = operations::open_store(url, clock, settings).await.expect("a store");
        let site = Site::Folder(folder.path().to_owned());
        let mut state = state(&site, store.clone(), Cookies::Plain, &network);
        change(&mut state);
        let router = router(&state, &site, &network, Heartbeat::default());
        Self { folder, store, router, cookie: String::new(), token: String::new() }
    }

    /// Signs in a member of staff in another browser.
    pub(in crate::web) async fn another(&self, user_id: &str) -> Self {
        let mut other = self.clone();
        other.sign_in(user_id).await;
        other
    }

    /// Adds a member of staff with these roles and [`PASSWORD`].
    pub(in crate::web) async fn staff(&self, user_id: &str, roles: &[Role]) -> UserNumber {
        let mut user = None;
        for role in roles {
            let added = accounts::add(&self.store, Actor::COMMAND_LINE, user_id, *role).await;
            user = Some(added.expect("staff").0);
        }
        let user = user.expect("a role");
        accounts::set_demo_password(&self.store, Actor::COMMAND_LINE, user, PASSWORD)
            .await
            .expect("a password");
        user
    }

    /// Signs in by the form.
    pub(in crate::web) async fn sign_in(&mut self, user_id: &str) {
        (self.cookie, self.token) = (String::new(), String::new());
        let (status, headers, page) = self.try_to_sign_in(user_id, PASSWORD).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
        self.cookie = cookie(&headers).expect("a cookie");
        self.token = self.read_token().await;
    }

    pub(in crate::web) async fn try_to_sign_in(
        &self,
        user_id: &str,
        password: &str,
    ) -> (StatusCode, HeaderMap, String) {
        let form = format!("form[user_id]={user_id}&form[password]={}", password.replace(' ', "+"));
        self.send(post("/do/sign_in?page=/sign-in", form)).await
    }

    /// Reads the token in the forms of the account page.
    async fn read_token(&self) -> String {
        let (_, _, page) = self.get("/account").await;
        let (_, rest) = page.split_once("name=\"form_token\" value=\"").expect("a form with a token");
        rest.split('"').next().expect("its end").to_owned()
    }

    pub(in crate::web) async fn get(&self, address: &str) -> (StatusCode, HeaderMap, String) {
        self.answer(Request::get(address).body(Body::empty()).expect("a request")).await
    }

    /// Sends a request with the cookie of the session.
    pub(in crate::web) async fn answer(&self, mut request: Request<Body>) -> (StatusCode, HeaderMap, String) {
        if !self.cookie.is_empty() {
            request.headers_mut().insert(COOKIE, HeaderValue::try_from(&self.cookie).expect("a cookie"));
        }
        self.send(request).await
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
        let answer = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, 8 << 20).await.expect("a body");
        // Leptos writes invisible markers between texts.
        (parts.status, parts.headers, String::from_utf8_lossy(&body).replace("<!>", ""))
    }

    /// Posts a form of this session. Returns the status, the location and the page.
    pub(in crate::web) async fn post(
        &self,
        address: &str,
        form: impl AsRef<str>,
    ) -> (StatusCode, String, String) {
        let form = form.as_ref();
        let glue = if form.is_empty() { "" } else { "&" };
        let (status, headers, page) =
            self.answer(post(address, format!("{form}{glue}form_token={}", self.token))).await;
        let location = headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        (status, location.to_owned(), page)
    }
}

/// Returns the request that posts a form. A form with a token also gets a key of its page.
pub(in crate::web) fn post(address: &str, mut form: String) -> Request<Body> {
    let has_key = form.contains("form_key=") || form.contains("form%5Fkey=");
    if form.contains("form_token=") && !has_key {
        form = format!("{form}&form_key={}", FormOnce::new_key());
    }
    Request::post(address)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .expect("a request")
}

/// Returns an address without the proof of its message.
pub(in crate::web) fn without_proof(address: &str) -> &str {
    address.split_once("&proof=").map_or(address, |(address, _)| address)
}

/// Returns the cookie that a response sets, as the browser sends it back.
pub(in crate::web) fn cookie(headers: &HeaderMap) -> Option<String> {
    let set = headers.get(SET_COOKIE)?.to_str().ok()?;
    set.split(';').next().map(str::to_owned)
}
