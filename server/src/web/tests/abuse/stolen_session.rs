//! A stolen session, even with a fresh sign-in, cannot change the password or the second factor.

use super::library::number;
use crate::network::NetworkConfig;
use crate::web::tests::desk::{Desk, PASSWORD, cookie, post};
use axum::http::StatusCode;
use identity::Session;
use identity::session;
use policy::Role;
use totp_rs::{Builder, Secret};

async fn session_of(desk: &Desk) -> Session {
    session::load_and_touch(&desk.store, desk.cookie.strip_prefix("lethe=").unwrap()).await.unwrap().unwrap()
}

/// Signs a member of staff in with password and app. Returns the client and the recovery codes.
async fn fresh_session() -> (Desk, Vec<String>) {
    let mut desk = Desk::with(|_| (), |_| (), NetworkConfig::default()).await;
    desk.staff("ng", &[Role::Librarian]).await;
    let (_, headers, _) = desk.try_to_sign_in("ng", PASSWORD).await;
    desk.cookie = cookie(&headers).unwrap();
    let halfway = session_of(&desk).await;
    let secret = session::begin_setup(&desk.store, &halfway).await.unwrap().secret;
    let totp = Builder::new().with_secret(Secret::try_from_base32(&*secret).unwrap()).build().unwrap();
    let code = totp.generate_current().to_string();
    let (codes, token) = session::confirm_setup(&desk.store, &halfway, &code).await.unwrap();
    desk.cookie = format!("lethe={}", token.reveal());
    desk.token = session_of(&desk).await.form_token;
    (desk, codes)
}

/// Reauthenticates with password and code. Returns the status.
async fn reauthenticate(desk: &mut Desk, password: &str, code: &str, more: &str) -> StatusCode {
    let form = format!(
        "form[password]={}&form[code]={code}&form[page]=/account{more}&form_token={}",
        password.replace(' ', "+"),
        desk.token
    );
    let (status, headers, _) = desk.answer(post("/do/sign_in_again?page=/sign-in/again", form)).await;
    if let Some(cookie) = cookie(&headers) {
        desk.cookie = cookie;
        desk.token = session_of(desk).await.form_token;
    }
    status
}

/// Asserts that no new app can be set up.
async fn assert_cannot_set_up(desk: &Desk) {
    let (_, headers, page) = desk.get("/sign-in/app").await;
    assert!(!page.contains("<svg") && !page.contains("otpauth"), "{page}");
    assert!(headers["location"].to_str().unwrap().starts_with("/sign-in/again"));
    let (status, location, _) = desk.post("/do/confirm_app?page=/account", "form[code]=123456").await;
    assert_eq!((status, location.contains("for=sign-in")), (StatusCode::SEE_OTHER, true), "{location}");
    let session = session_of(desk).await;
    assert!(session::begin_setup(&desk.store, &session).await.is_err());
    assert!(session::disconnect(&desk.store, &session).await.is_err());
    let apps = "SELECT COUNT(*) FROM credentials WHERE kind IN ('totp', 'totp_to_confirm')";
    assert_eq!(number(&desk.store, apps).await, 1);
}

#[tokio::test]
async fn a_fresh_session_alone_cannot_change_a_factor() {
    let (mut desk, codes) = fresh_session().await;
    assert!(session_of(&desk).await.is_fresh());
    assert_cannot_set_up(&desk).await;
    // A wrong code, a wrong password, and a reauthentication for another purpose.
    let sign_in = "&form[changes_sign_in]=true";
    assert_eq!(
        reauthenticate(&mut desk, PASSWORD, "000000", sign_in).await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let wrong = reauthenticate(&mut desk, "a wrong password", &codes[0], sign_in).await;
    assert_eq!(wrong, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(reauthenticate(&mut desk, PASSWORD, &codes[0], "").await, StatusCode::SEE_OTHER);
    assert_cannot_set_up(&desk).await;

    assert_eq!(reauthenticate(&mut desk, PASSWORD, &codes[1], sign_in).await, StatusCode::SEE_OTHER);
    let (status, _, page) = desk.get("/sign-in/app").await;
    assert!(status == StatusCode::OK && page.contains("<svg"), "{page}");
    let session = session_of(&desk).await;
    let secret = session::begin_setup(&desk.store, &session).await.unwrap().secret;
    let totp = Builder::new().with_secret(Secret::try_from_base32(&*secret).unwrap()).build().unwrap();
    let form = format!("form[code]={}&form_token={}", totp.generate_current(), desk.token);
    let (status, headers, page) = desk.answer(post("/do/confirm_app?page=/sign-in/app", form)).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    desk.cookie = cookie(&headers).unwrap();
    // The reauthentication can be used only once.
    assert_cannot_set_up(&Desk { token: session_of(&desk).await.form_token, ..desk.clone() }).await;
    let (_, _, page) = desk.get("/account").await;
    for notice in ["An authenticator app was set up, with new recovery codes", "A recovery code was used"] {
        assert!(page.contains(notice), "{notice}");
    }
}

#[tokio::test]
async fn five_wrong_codes_end_the_session() {
    let (mut desk, codes) = fresh_session().await;
    for (number, code) in ["000000"; 5].into_iter().enumerate() {
        let status = reauthenticate(&mut desk, PASSWORD, code, "&form[changes_sign_in]=true").await;
        let expected = if number < 4 { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::CONFLICT };
        assert_eq!(status, expected, "{number}");
    }
    assert_eq!(desk.get("/account").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(reauthenticate(&mut desk, PASSWORD, &codes[0], "").await, StatusCode::UNAUTHORIZED);
}
