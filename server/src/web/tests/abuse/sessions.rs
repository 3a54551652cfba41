//! Session tokens that must be invalid: planted by an attacker, of an earlier sign-in step, of an ended session.

use super::library::{execute, number};
use crate::network::NetworkConfig;
use crate::web::tests::desk::{Desk, PASSWORD, cookie, post};
use axum::http::StatusCode;
use db::SignIn;
use identity::{session, staff};
use policy::Role;
use totp_rs::{Builder, Secret};

async fn library() -> Desk {
    let desk = Desk::closed(SignIn { allow_password_only: true, ..SignIn::default() }).await;
    desk.staff("ng", &[Role::Librarian]).await;
    desk.staff("chief", &[Role::Administrator]).await;
    desk
}

/// Asserts that a session cookie is invalid: for pages, functions and event streams.
async fn assert_invalid(desk: &Desk, cookie: &str, form_token: &str) {
    let mut thief = desk.clone();
    (thief.cookie, thief.token) = (cookie.to_owned(), form_token.to_owned());
    for page in ["/users", "/account", "/events/runs/1", "/reports/loans-per-month/csv"] {
        assert_eq!(thief.get(page).await.0, StatusCode::UNAUTHORIZED, "{page}");
    }
    let users = number(&desk.store, "SELECT COUNT(*) FROM users").await;
    let saved = thief.post("/do/save_user?page=/users/new", "form[last_name]=Thief").await;
    assert_eq!(saved.0, StatusCode::UNAUTHORIZED);
    assert_eq!(number(&desk.store, "SELECT COUNT(*) FROM users").await, users);
}

/// Asserts that the session of a client is valid.
async fn assert_valid(desk: &Desk) {
    assert_eq!(desk.get("/users").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_planted_session_token_is_never_valid() {
    let mut desk = library().await;
    // A well-formed token, a short one, and the token of an ended session.
    desk.sign_in("ng").await;
    let ended = desk.cookie.clone();
    desk.post("/do/sign_out?page=/", "").await;
    for fixed in [format!("lethe={}", "7".repeat(64)), "lethe=1".to_owned(), ended] {
        desk.cookie.clone_from(&fixed);
        desk.token = String::new();
        assert_invalid(&desk, &fixed, "").await;
        let form = format!("form[user_id]=ng&form[password]={}", PASSWORD.replace(' ', "+"));
        let (status, headers, page) = desk.answer(post("/do/sign_in?page=/sign-in", form)).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
        let own = cookie(&headers).unwrap();
        assert_ne!(own, fixed);
        assert_invalid(&desk, &fixed, "").await;
        desk.cookie = own;
        assert_valid(&desk).await;
    }
}

/// A planted cookie may come first.
#[tokio::test]
async fn a_second_cookie_with_the_same_name_is_not_a_valid_session() {
    let desk = library().await;
    let ng = desk.another("ng").await;
    let fixed = format!("lethe={}", "7".repeat(64));
    let mut both = ng.clone();
    both.cookie = format!("{fixed}; {}", ng.cookie);
    assert_eq!(both.get("/users").await.0, StatusCode::UNAUTHORIZED);
    assert_invalid(&desk, &fixed, &ng.token).await;
}

#[tokio::test]
async fn signing_in_again_ends_the_earlier_session() {
    let desk = library().await;
    let first = desk.another("ng").await;
    let mut browser = first.clone();
    let form = format!(
        "form[user_id]=chief&form[password]={}&form_token={}",
        PASSWORD.replace(' ', "+"),
        first.token
    );
    let (status, headers, _) = browser.answer(post("/do/sign_in?page=/sign-in", form)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    browser.cookie = cookie(&headers).unwrap();
    assert_valid(&browser).await;
    assert_invalid(&desk, &first.cookie, &first.token).await;
}

/// Each step renews the token, because others may have seen the earlier one.
#[tokio::test]
async fn the_token_of_an_earlier_sign_in_step_is_never_valid_afterwards() {
    let desk = Desk::with(|_| (), |_| (), NetworkConfig::default()).await;
    desk.staff("ng", &[Role::Librarian]).await;
    let (_, headers, _) = desk.try_to_sign_in("ng", PASSWORD).await;
    let after_password = cookie(&headers).unwrap();
    assert_invalid(&desk, &after_password, "").await;

    let key = after_password.strip_prefix("lethe=").unwrap();
    let halfway = session::load_and_touch(&desk.store, key).await.unwrap().unwrap();
    let secret = session::begin_setup(&desk.store, &halfway).await.unwrap().secret;
    let totp = Builder::new().with_secret(Secret::try_from_base32(&*secret).unwrap()).build().unwrap();
    let code = totp.generate_current().to_string();
    let mut browser = desk.clone();
    (browser.cookie, browser.token) = (after_password.clone(), halfway.form_token.clone());
    let form = format!("form[code]={code}&form_token={}", halfway.form_token);
    let (status, headers, page) =
        browser.answer(post("/do/confirm_app?page=/sign-in/app", form.clone())).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let recovery = page.split("<code>").nth(1).unwrap().split("</code>").next().unwrap().to_owned();
    browser.cookie = cookie(&headers).unwrap();
    assert_valid(&browser).await;
    assert_invalid(&desk, &after_password, &halfway.form_token).await;
    // Reloading the page with the recovery codes creates no new, unconfirmed secret.
    let (_, _, again) = browser.answer(post("/do/confirm_app?page=/sign-in/app", form)).await;
    assert!(again.contains("cannot be shown again") && !again.contains("class=\"secret\""), "{again}");

    // Now a code is required. The token before it is invalid, before and after the code.
    let (_, headers, _) = desk.try_to_sign_in("ng", PASSWORD).await;
    let before_code = cookie(&headers).unwrap();
    assert_invalid(&desk, &before_code, "").await;
    let key = before_code.strip_prefix("lethe=").unwrap();
    let halfway = session::load_and_touch(&desk.store, key).await.unwrap().unwrap();
    let mut browser = desk.clone();
    browser.cookie.clone_from(&before_code);
    // After the installation key was replaced, the secret of the app cannot be decrypted. Recovery codes still work.
    super::library::execute(&desk.store, "UPDATE credentials SET secret = '00' WHERE kind = 'totp'").await;
    // The code that set up the app cannot be used again.
    for (code, status) in [(&code, StatusCode::UNPROCESSABLE_ENTITY), (&recovery, StatusCode::SEE_OTHER)] {
        let form = format!("form[code]={code}&form_token={}", halfway.form_token);
        let (answer, headers, _) = browser.answer(post("/do/second_factor?page=/sign-in/code", form)).await;
        assert_eq!(answer, status);
        if let Some(cookie) = cookie(&headers) {
            browser.cookie = cookie;
        }
    }
    assert_valid(&browser).await;
    assert_invalid(&desk, &before_code, &halfway.form_token).await;
}

#[tokio::test]
async fn the_token_before_reauthentication_or_a_new_password_is_never_valid_afterwards() {
    let desk = library().await;
    let mut browser = desk.another("ng").await;
    let elsewhere = desk.another("ng").await;
    let password = PASSWORD.replace(' ', "+");
    let new = "another+tractor+eighteen";
    for (address, form) in [
        ("/do/sign_in_again?page=/sign-in/again", format!("form[password]={password}")),
        (
            "/do/change_password?page=/account",
            format!("form[old]={password}&form[password]={new}&form[repeated]={new}"),
        ),
    ] {
        let before = browser.clone();
        let form = format!("{form}&form_token={}", browser.token);
        let (status, headers, page) = browser.answer(post(address, form)).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
        browser.cookie = cookie(&headers).unwrap();
        let key = browser.cookie.strip_prefix("lethe=").unwrap();
        browser.token = session::load_and_touch(&desk.store, key).await.unwrap().unwrap().form_token;
        assert_ne!(browser.token, before.token);
        assert_valid(&browser).await;
        assert_invalid(&desk, &before.cookie, &before.token).await;
    }
    assert_invalid(&desk, &elsewhere.cookie, &elsewhere.token).await;
}

#[tokio::test]
async fn an_ended_session_is_never_valid_again() {
    let desk = library().await;
    let ng = staff::user_with_id(&desk.store, "ng").await.unwrap().unwrap();
    let chief = desk.another("chief").await;
    let librarian = "form[role]=librarian";
    let ends: [(&str, String); 5] = [
        ("/do/end_sessions?page=/staff", format!("form[user]={ng}")),
        ("/do/grant_role?page=/staff", format!("form[user]={ng}&form[role]=cataloguer")),
        ("/do/revoke_role?page=/staff", format!("form[user]={ng}&{librarian}")),
        ("/do/grant_role?page=/staff", format!("form[user]={ng}&{librarian}")),
        ("/do/disable_staff?page=/staff", format!("form[user]={ng}")),
    ];
    for (address, form) in ends {
        let theirs = desk.another("ng").await;
        let (status, _, page) = chief.post(address, &form).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{address}: {page}");
        assert_invalid(&desk, &theirs.cookie, &theirs.token).await;
    }
    let (status, ..) = desk.try_to_sign_in("ng", PASSWORD).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "a disabled account cannot sign in");
}

#[tokio::test]
async fn a_user_can_end_only_their_own_sessions() {
    let desk = library().await;
    let (here, there) = (desk.another("ng").await, desk.another("ng").await);
    let chief = desk.another("chief").await;
    let listed = |key: &str| {
        let store = desk.store.clone();
        let key = key.strip_prefix("lethe=").unwrap().to_owned();
        async move {
            let session = session::load_and_touch(&store, &key).await.unwrap().unwrap();
            let list = session::list(&store, &session).await.unwrap();
            list.into_iter().find(|one| one.is_this).unwrap().id
        }
    };
    let (of_there, of_chief) = (listed(&there.cookie).await, listed(&chief.cookie).await);
    for session in [&of_chief, "", "%", "________________", "0000000000000000"] {
        let (status, ..) =
            here.post("/do/end_session?page=/account", format!("form[session]={session}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{session}");
    }
    for session in [&here, &there, &chief] {
        assert_valid(session).await;
    }
    let (status, ..) = here.post("/do/end_session?page=/account", format!("form[session]={of_there}")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_invalid(&desk, &there.cookie, &there.token).await;
    assert_valid(&here).await;
    here.post("/do/sign_out?page=/", "").await;
    assert_invalid(&desk, &here.cookie, &here.token).await;
}

#[tokio::test]
async fn a_session_ends_when_idle_and_after_ten_hours() {
    let desk = library().await;
    let long_ago = |minutes| (db::Clock::system_now() - chrono::Duration::minutes(minutes)).to_rfc3339();
    let now = long_ago(0);
    for (created, seen) in [(long_ago(30), long_ago(21)), (long_ago(601), now)] {
        let session = desk.another("ng").await;
        assert_valid(&session).await;
        let over = format!("UPDATE sessions SET created_at = '{created}', last_seen_at = '{seen}'");
        execute(&desk.store, &over).await;
        assert_invalid(&desk, &session.cookie, &session.token).await;
        // Another request does not revive it.
        assert_invalid(&desk, &session.cookie, &session.token).await;
    }
}

#[tokio::test]
async fn after_an_old_sign_in_the_page_offers_to_confirm_it_before_typing() {
    let desk = Desk::open().await;
    let link = "href=\"/sign-in/again?page=%2Fstaff\"";
    assert!(!desk.get("/staff").await.2.contains(link));
    let long_ago = (db::Clock::system_now() - chrono::Duration::minutes(6)).to_rfc3339();
    execute(&desk.store, &format!("UPDATE sessions SET signed_in_at = '{long_ago}'")).await;
    assert!(desk.get("/staff").await.2.contains(link));
}
