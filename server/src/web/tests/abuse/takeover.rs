//! Attempts to take over or disable the sign-in of another user: by the record, by the password alone, or while the
//! user is being disabled.

use super::library::{execute, number};
use crate::network::NetworkConfig;
use crate::web::tests::desk::{Desk, PASSWORD, cookie, post};
use axum::http::StatusCode;
use db::{Settings, SignIn};
use identity::Session;
use identity::session;
use policy::{Role, UserNumber};
use records::{accounts, user};
use totp_rs::{Builder, Secret};
use trail::Actor;

async fn library() -> (Desk, UserNumber, UserNumber) {
    let desk = Desk::closed(SignIn { allow_password_only: true, ..SignIn::default() }).await;
    let ng = desk.staff("ng", &[Role::SystemsLibrarian]).await;
    let chief = desk.staff("chief", &[Role::Administrator]).await;
    (desk, ng, chief)
}

/// Saves the record of a user by the form, with other values in some fields.
async fn save(by: &Desk, of: UserNumber, user_id: &str, more: &str) -> StatusCode {
    let record = user::read(&by.store, of).await.unwrap();
    let (version, last_name) = (record.version, record.last_name.unwrap_or_default());
    let form = format!(
        "form[number]={of}&form[version]={version}&form[user_id]={user_id}&form[last_name]={last_name}{more}"
    );
    by.post(&format!("/do/save_user?page=/users/{of}/edit"), form).await.0
}

async fn is_signed_in(desk: &Desk) -> bool {
    desk.get("/users").await.0 == StatusCode::OK
}

#[tokio::test]
async fn editing_a_record_cannot_disable_the_sign_in_of_a_member_of_staff() {
    let (desk, ng, chief) = library().await;
    let (by_ng, by_chief) = (desk.another("ng").await, desk.another("chief").await);
    for (user_id, more) in [
        ("chief", "&form[remove_sign_in]=true"),
        ("chief", "&form[fictitious]=true"),
        ("another.name", ""),
        ("", ""),
    ] {
        assert_eq!(save(&by_ng, chief, user_id, more).await, StatusCode::FORBIDDEN, "{user_id}{more}");
        assert_eq!(save(&by_chief, chief, user_id, more).await, StatusCode::CONFLICT, "the own record");
        assert!(is_signed_in(&by_chief).await, "{user_id}{more}");
    }
    let (_, _, page) = by_ng.get(&format!("/users/{chief}/edit")).await;
    assert!(
        !page.contains("remove_sign_in") && page.contains("permission to manage staff"),
        "the option is not shown"
    );
    // Other fields can be edited, and staff who manage staff can disable the sign-in.
    assert_eq!(save(&by_ng, chief, "chief", "&form[phone]=12345").await, StatusCode::SEE_OTHER);
    assert_eq!(save(&by_chief, ng, "ng", "&form[remove_sign_in]=true").await, StatusCode::CONFLICT);
    let (_, _, page) = by_chief.get(&format!("/users/{ng}/edit")).await;
    assert!(!page.contains("remove_sign_in") && page.contains("Disable sign-in"), "{page}");
    assert_eq!(
        by_chief.post("/do/disable_staff?page=/staff", format!("form[user]={ng}")).await.0,
        StatusCode::SEE_OTHER
    );
    assert!(!is_signed_in(&by_ng).await);
    assert_eq!(desk.try_to_sign_in("ng", PASSWORD).await.0, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_new_password_does_not_make_the_sign_in_recent() {
    let (desk, ng, _) = library().await;
    let mut chief = desk.another("chief").await;
    let long_ago = (db::Clock::system_now() - chrono::Duration::minutes(6)).to_rfc3339();
    execute(&desk.store, &format!("UPDATE sessions SET signed_in_at = '{long_ago}'")).await;
    let new = "another+tractor+eighteen";
    let form = format!(
        "form[old]={}&form[password]={new}&form[repeated]={new}&form_token={}",
        PASSWORD.replace(' ', "+"),
        chief.token
    );
    let (status, headers, page) = chief.answer(post("/do/change_password?page=/account", form)).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    chief.cookie = cookie(&headers).unwrap();
    chief.token = session_of(&desk, &chief.cookie).await.form_token;
    let invite = format!("form[user]={ng}");
    let (status, location, _) = chief.post("/do/invite_staff?page=/staff", invite).await;
    assert_eq!((status, location.starts_with("/sign-in/again")), (StatusCode::SEE_OTHER, true), "{location}");
}

/// Checking a password takes a moment, and longer under load.
#[tokio::test]
async fn a_user_who_is_disabled_while_the_password_is_checked_cannot_sign_in() {
    let (desk, ng, _) = library().await;
    for is_disabled in [true, false] {
        accounts::set_demo_password(&desk.store, Actor::COMMAND_LINE, ng, PASSWORD).await.unwrap();
        let tries = (0..8).map(|_| desk.try_to_sign_in("nobody", PASSWORD));
        let others = futures::future::join_all(tries);
        let sign_in = desk.try_to_sign_in("ng", PASSWORD);
        let disabling = async {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            if is_disabled {
                accounts::disable(&desk.store, Actor::COMMAND_LINE, ng).await.unwrap();
            } else {
                let role = Role::SystemsLibrarian;
                accounts::revoke_role(&desk.store, Actor::COMMAND_LINE, ng, role).await.unwrap();
            }
        };
        let (_, (_, headers, _), ()) = tokio::join!(others, sign_in, disabling);
        let sessions = number(&desk.store, "SELECT COUNT(*) FROM sessions").await;
        assert_eq!(sessions, 0, "the sign-in was completed: {}", cookie(&headers).is_some());
    }
}

/// Returns the session of a cookie.
async fn session_of(desk: &Desk, cookie: &str) -> Session {
    session::load_and_touch(&desk.store, cookie.strip_prefix("lethe=").unwrap()).await.unwrap().unwrap()
}

/// A thief of the password cannot learn the second factor that the owner sets up at the same time.
#[tokio::test]
async fn every_session_gets_its_own_secret_of_an_app() {
    let desk = Desk::with(|_| (), |_| (), NetworkConfig::default()).await;
    desk.staff("ng", &[Role::Librarian]).await;
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let (_, headers, _) = desk.try_to_sign_in("ng", PASSWORD).await;
        sessions.push(session_of(&desk, &cookie(&headers).unwrap()).await);
    }
    let setup = async |session: &Session| session::begin_setup(&desk.store, session).await.unwrap().secret;
    let (owner, thief) = (&sessions[0], &sessions[1]);
    let (of_owner, of_thief) = (setup(owner).await, setup(thief).await);
    assert_ne!(of_owner, of_thief);
    assert_eq!(setup(owner).await, of_owner, "a reloaded page shows the same secret");

    let code = |secret: &str| {
        let secret = Secret::try_from_base32(secret).unwrap();
        Builder::new().with_secret(secret).build().unwrap().generate_current().to_string()
    };
    let failed = "SELECT COUNT(*) FROM audit_events WHERE action = 'sign_in_failed'";
    assert_eq!(number(&desk.store, failed).await, 0);
    assert!(session::confirm_setup(&desk.store, owner, &code(&of_thief)).await.is_err());
    assert_eq!(number(&desk.store, failed).await, 1, "a wrong code is recorded");
    let (codes, _) = session::confirm_setup(&desk.store, owner, &code(&of_owner)).await.unwrap();
    assert_eq!(codes.len(), 10);
    // The other session has ended, and its secret is invalid.
    assert!(session::confirm_setup(&desk.store, thief, &code(&of_thief)).await.is_err());
    let (_, headers, _) = desk.try_to_sign_in("ng", PASSWORD).await;
    let again = session_of(&desk, &cookie(&headers).unwrap()).await;
    assert!(session::second_factor(&desk.store, &again, &code(&of_thief), None).await.is_err());
    assert!(session::second_factor(&desk.store, &again, &codes[0], None).await.is_ok());
}

#[tokio::test]
async fn the_sign_in_by_an_invitation_is_recorded() {
    let desk = Desk::closed(SignIn { allow_password_only: true, ..SignIn::default() }).await;
    let added = accounts::add(&desk.store, Actor::COMMAND_LINE, "new", Role::Statistics).await.unwrap();
    let key = added.1.unwrap().token;
    let new = || zeroize::Zeroizing::new(PASSWORD.to_owned());
    let text = |key: &session::Token| key.reveal().to_owned();
    accounts::accept(&desk.store, &text(&key), new(), PASSWORD).await.unwrap();
    let signed_in = "SELECT COUNT(*) FROM audit_events WHERE action = 'signed_in' AND detail = 'password'";
    assert_eq!(number(&desk.store, signed_in).await, 1);
    // A new password makes open invitations invalid.
    let later = accounts::invite(&desk.store, Actor::COMMAND_LINE, added.0).await.unwrap().token;
    let (_, headers, _) = desk.try_to_sign_in("new", PASSWORD).await;
    let session = session_of(&desk, &cookie(&headers).unwrap()).await;
    let other = "another tractor eighteen";
    let typed = zeroize::Zeroizing::new(other.to_owned());
    session::change_password(&desk.store, &session, new(), typed, other).await.unwrap();
    assert!(accounts::accept(&desk.store, &text(&later), new(), PASSWORD).await.is_err());
}

/// A session that was complete with a password alone is incomplete if a second factor is now required.
#[tokio::test]
async fn an_existing_session_follows_the_current_settings() {
    let (desk, ..) = library().await;
    let chief = desk.another("chief").await;
    assert!(is_signed_in(&chief).await);
    let mut settings = Settings::clone(&desk.store.settings);
    settings.sign_in.allow_password_only = false;
    let stricter = desk.store.with_settings(settings);
    let key = chief.cookie.strip_prefix("lethe=").unwrap();
    let session = session::load_and_touch(&stricter, key).await.unwrap().unwrap();
    assert_eq!(session.stage, session::Stage::SetUp);
    assert!(session.actor().staff.is_none());
}
