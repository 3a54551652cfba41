//! Taking over somebody's sign-in, or taking it away: by their record, by their password alone, in the moment in which they
//! are shut out.

use super::library::{execute, number};
use crate::web::Outside;
use crate::web::tests::desk::{Desk, PASSWORD, cookie, post};
use axum::http::StatusCode;
use policy::{Role, UserNumber};
use records::session::{self, Session};
use records::{Actor, SignIn, staff, user};
use totp_rs::{Builder, Secret};

async fn library() -> (Desk, UserNumber, UserNumber) {
    let desk = Desk::closed(SignIn { allow_password_only: true, ..SignIn::default() }).await;
    let ng = desk.staff("ng", &[Role::SystemsLibrarian]).await;
    let chief = desk.staff("chief", &[Role::Administrator]).await;
    (desk, ng, chief)
}

/// Saves a record as the form shows it, with other values in some fields.
async fn save(by: &Desk, of: UserNumber, user_id: &str, more: &str) -> StatusCode {
    let record = user::read(&by.store, of).await.unwrap();
    let (version, last_name) = (record.version, record.last_name.unwrap_or_default());
    let form = format!(
        "form[number]={of}&form[version]={version}&form[user_id]={user_id}&form[last_name]={last_name}{more}"
    );
    by.post(&format!("/do/save_user?page=/users/{of}/edit"), form).await.0
}

async fn opens(desk: &Desk) -> bool {
    desk.get("/users").await.0 == StatusCode::OK
}

#[tokio::test]
async fn nobody_shuts_out_staff_by_editing_their_record() {
    let (desk, ng, chief) = library().await;
    let (by_ng, by_chief) = (desk.another("ng").await, desk.another("chief").await);
    for (user_id, more) in [
        ("chief", "&form[remove_sign_in]=true"),
        ("chief", "&form[fictitious]=true"),
        ("somebody.else", ""),
        ("", ""),
    ] {
        assert_eq!(save(&by_ng, chief, user_id, more).await, StatusCode::FORBIDDEN, "{user_id}{more}");
        assert_eq!(save(&by_chief, chief, user_id, more).await, StatusCode::CONFLICT, "one's own");
        assert!(opens(&by_chief).await, "{user_id}{more}");
    }
    let (_, _, page) = by_ng.get(&format!("/users/{chief}/edit")).await;
    assert!(!page.contains("remove_sign_in") && page.contains("who manages staff"), "nothing is offered");
    // The rest of the record is like everybody's, and who manages staff may.
    assert_eq!(save(&by_ng, chief, "chief", "&form[phone]=12345").await, StatusCode::SEE_OTHER);
    assert_eq!(save(&by_chief, ng, "ng", "&form[remove_sign_in]=true").await, StatusCode::CONFLICT);
    let (_, _, page) = by_chief.get(&format!("/users/{ng}/edit")).await;
    assert!(!page.contains("remove_sign_in") && page.contains("Disable sign-in"), "{page}");
    assert_eq!(
        by_chief.post("/do/disable_staff?page=/staff", format!("form[user]={ng}")).await.0,
        StatusCode::SEE_OTHER
    );
    assert!(!opens(&by_ng).await);
    assert_eq!(desk.try_to_sign_in("ng", PASSWORD).await.0, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_new_password_is_no_younger_sign_in() {
    let (desk, ng, _) = library().await;
    let mut chief = desk.another("chief").await;
    let long_ago = (records::Clock::real() - chrono::Duration::minutes(6)).to_rfc3339();
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
    chief.token = halfway(&desk, &chief.cookie).await.form_token;
    let invite = format!("form[user]={ng}");
    let (status, location, _) = chief.post("/do/invite_staff?page=/staff", invite).await;
    assert_eq!((status, location.starts_with("/sign-in/again")), (StatusCode::SEE_OTHER, true), "{location}");
}

/// A password is looked at for a moment, and longer while others try: whoever is shut out in that moment is out.
#[tokio::test]
async fn whoever_is_shut_out_while_their_password_is_looked_at_is_out() {
    let (desk, ng, _) = library().await;
    for taken in [true, false] {
        staff::set_demo_password(&desk.store, Actor::COMMAND_LINE, ng, PASSWORD).await.unwrap();
        let tries = (0..8).map(|_| desk.try_to_sign_in("nobody", PASSWORD));
        let others = futures::future::join_all(tries);
        let right = desk.try_to_sign_in("ng", PASSWORD);
        let shut_out = async {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            if taken {
                staff::disable(&desk.store, Actor::COMMAND_LINE, ng).await.unwrap();
            } else {
                let role = Role::SystemsLibrarian;
                staff::revoke_role(&desk.store, Actor::COMMAND_LINE, ng, role).await.unwrap();
            }
        };
        let (_, (_, headers, _), ()) = tokio::join!(others, right, shut_out);
        let sessions = number(&desk.store, "SELECT COUNT(*) FROM sessions").await;
        assert_eq!(sessions, 0, "the sign-in was whole: {}", cookie(&headers).is_some());
    }
}

/// The session behind a cookie.
async fn halfway(desk: &Desk, cookie: &str) -> Session {
    session::find(&desk.store, cookie.strip_prefix("lethe=").unwrap()).await.unwrap().unwrap()
}

/// Whoever has learned a password does not learn the second factor that its owner sets up at the same time.
#[tokio::test]
async fn the_secret_of_an_app_is_shown_to_one_session() {
    let desk = Desk::with(|_| (), |_| (), Outside::default()).await;
    desk.staff("ng", &[Role::Librarian]).await;
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let (_, headers, _) = desk.try_to_sign_in("ng", PASSWORD).await;
        sessions.push(halfway(&desk, &cookie(&headers).unwrap()).await);
    }
    let setup = async |session: &Session| staff::begin_setup(&desk.store, session).await.unwrap().secret;
    let (owner, thief) = (&sessions[0], &sessions[1]);
    let (of_owner, of_thief) = (setup(owner).await, setup(thief).await);
    assert_ne!(of_owner, of_thief);
    assert_eq!(setup(owner).await, of_owner, "a page that is loaded again shows the same");

    let code = |secret: &str| {
        let secret = Secret::try_from_base32(secret).unwrap();
        Builder::new().with_secret(secret).build().unwrap().generate_current().to_string()
    };
    let failed = "SELECT COUNT(*) FROM audit_events WHERE action = 'sign_in_failed'";
    assert_eq!(number(&desk.store, failed).await, 0);
    assert!(staff::confirm_setup(&desk.store, owner, &code(&of_thief)).await.is_err());
    assert_eq!(number(&desk.store, failed).await, 1, "a wrong code is noted");
    let (codes, _) = staff::confirm_setup(&desk.store, owner, &code(&of_owner)).await.unwrap();
    assert_eq!(codes.len(), 10);
    // The other session has ended, and what it was shown is worth nothing.
    assert!(staff::confirm_setup(&desk.store, thief, &code(&of_thief)).await.is_err());
    let (_, headers, _) = desk.try_to_sign_in("ng", PASSWORD).await;
    let again = halfway(&desk, &cookie(&headers).unwrap()).await;
    assert!(session::second_factor(&desk.store, &again, &code(&of_thief), None).await.is_err());
    assert!(session::second_factor(&desk.store, &again, &codes[0], None).await.is_ok());
}

/// Every sign-in that is whole is noted, by whatever it began.
#[tokio::test]
async fn the_first_sign_in_after_an_invitation_is_noted() {
    let desk = Desk::closed(SignIn { allow_password_only: true, ..SignIn::default() }).await;
    let added = staff::add(&desk.store, Actor::COMMAND_LINE, "new", Role::Statistics).await.unwrap();
    let key = added.1.unwrap().token;
    let new = || zeroize::Zeroizing::new(PASSWORD.to_owned());
    let text = |key: &session::Token| key.reveal().to_owned();
    staff::accept(&desk.store, &text(&key), new(), PASSWORD).await.unwrap();
    let noted = "SELECT COUNT(*) FROM audit_events WHERE action = 'signed_in' AND detail = 'password'";
    assert_eq!(number(&desk.store, noted).await, 1);
    // An invitation that is out when the owner sets a password counts no more.
    let later = staff::invite(&desk.store, Actor::COMMAND_LINE, added.0).await.unwrap().token;
    let (_, headers, _) = desk.try_to_sign_in("new", PASSWORD).await;
    let session = halfway(&desk, &cookie(&headers).unwrap()).await;
    let other = "another tractor eighteen";
    let typed = zeroize::Zeroizing::new(other.to_owned());
    session::change_password(&desk.store, &session, new(), typed, other).await.unwrap();
    assert!(staff::accept(&desk.store, &text(&later), new(), PASSWORD).await.is_err());
}

/// Where a password was enough yesterday and a second factor is needed today, nobody goes on with yesterday's session.
#[tokio::test]
async fn a_session_is_as_whole_as_the_settings_of_today_say() {
    let (desk, ..) = library().await;
    let chief = desk.another("chief").await;
    assert!(opens(&chief).await);
    let mut settings = desk.store.settings().clone();
    settings.sign_in.allow_password_only = false;
    let stricter = desk.store.with_settings(settings);
    let key = chief.cookie.strip_prefix("lethe=").unwrap();
    let session = session::find(&stricter, key).await.unwrap().unwrap();
    assert_eq!(session.stage, session::Stage::SetUp);
    assert!(session.actor().staff.is_none());
}
