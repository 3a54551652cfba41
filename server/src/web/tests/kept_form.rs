//! A form survives a sign-in and a wrong confirmation, encrypted in the address of its page for one member of staff.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::desk::{Desk, PASSWORD, post, without_proof};
use axum::http::StatusCode;
use policy::{Policy, Role, TaskSettings};
use sea_orm::ConnectionTrait as _;

async fn execute(desk: &Desk, sql: &str) {
    desk.store.db.execute_unprepared(sql).await.unwrap();
}

/// Returns a client, and the number of a user who can be anonymised.
async fn library() -> (Desk, i64) {
    let desk = Desk::open().await;
    let settings = TaskSettings::AnonymiseUserData(Policy::default());
    let settings = serde_json::to_string(&settings).unwrap();
    let task = format!(
        "INSERT INTO tasks (id, description, active, task_type, visibility, settings, schedule, single_default, created_at, \
         changed_at) VALUES (1, 'One', FALSE, 'anonymise_user_data', 'shared', '{settings}', '{{\"kind\":\"manual_only\"}}', \
         TRUE, '2018-01-01T12:00:00+00:00', '2018-01-01T12:00:00+00:00')"
    );
    execute(&desk, &task).await;
    let user = "INSERT INTO users (number, uuid, user_id, last_name, imported, created_on) VALUES \
                (77, 'ng', 'ng', 'Ng', TRUE, '2016-01-01')";
    execute(&desk, user).await;
    (desk, 77)
}

async fn age_sign_in(desk: &Desk) {
    let old = (db::Clock::system_now() - chrono::Duration::minutes(6)).to_rfc3339();
    execute(desk, &format!("UPDATE sessions SET signed_in_at = '{old}'")).await;
}

/// The response is a redirect, so that the browser never asks whether to send the form again.
#[tokio::test]
async fn a_wrong_confirmation_redirects_to_the_page_with_the_entries() {
    let (desk, ng) = library().await;
    let form = |typed: &str| {
        format!(
            "form[user]={ng}&form[task]=1&form[version]=1&form[erasure_reason]=left&form[confirm]={typed}"
        )
    };
    let address = format!("/do/anonymise_user?page=/users/{ng}/anonymise");
    desk.staff("other", &[Role::Librarian]).await;
    let mut page = format!("/users/{ng}/anonymise");
    for typed in ["7", "seven"] {
        let address = format!("/do/anonymise_user?page={}", page.replace('?', "%3F").replace('&', "%26"));
        let (status, to, _) = desk.post(&address, form(typed)).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{typed}");
        assert!(to.starts_with(&format!("/users/{ng}/anonymise?kept=")), "{to}");
        assert_eq!(to.matches("kept=").count(), 1, "{to}");
        let (status, _, html) = desk.get(&to).await;
        assert_eq!(status, StatusCode::OK);
        assert!(html.contains("Enter 77 to confirm"), "{html}");
        assert!(html.contains(&format!("value=\"{typed}\"")), "{html}");
        // Another member of staff cannot decrypt the address.
        let others = desk.another("other").await.get(&to).await.2;
        assert!(
            !others.contains("Nothing has been changed") && !others.contains(&format!("value=\"{typed}\""))
        );
        page = to;
    }
    let (status, to, html) = desk.post(&address, form("77")).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{html}");
    assert!(without_proof(&to).ends_with("done=anonymised"), "{to}");
}

#[tokio::test]
async fn the_entries_are_shown_again_after_confirming_the_sign_in() {
    let (mut desk, ng) = library().await;
    age_sign_in(&desk).await;
    let form =
        format!("form[user]={ng}&form[task]=1&form[version]=1&form[erasure_reason]=left&form[confirm]=77");
    let address = format!("/do/anonymise_user?page=/users/{ng}/anonymise");
    let (status, to, _) = desk.post(&address, &form).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, _, html) = desk.get(&to).await;
    let page = html.split("name=\"form[page]\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let again = format!(
        "form[password]={}&form[page]={}&form_token={}",
        PASSWORD.replace(' ', "+"),
        page.replace('?', "%3F"),
        desk.token
    );
    let (status, headers, html) = desk.answer(post("/do/sign_in_again?page=/sign-in/again", again)).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{html}");
    desk.cookie = super::desk::cookie(&headers).unwrap();
    let to = headers["location"].to_str().unwrap();
    let html = desk.get(to).await.2;
    let field = html.split("id=\"confirm\"").nth(1).unwrap().split('>').next().unwrap();
    assert!(field.contains("value=\"77\""), "{field}");
    assert!(html.contains("Nothing has been changed yet. Your entries are still here"), "{html}");
}

/// Forms with a secret and long forms are not put into an address.
#[tokio::test]
async fn no_secret_and_no_long_form_is_put_into_an_address() {
    let (desk, _) = library().await;
    age_sign_in(&desk).await;
    for form in [
        "form[user_id]=ng&form[role]=librarian&form[password]=x".to_owned(),
        format!("form[user_id]={}&form[role]=librarian", "x".repeat(1_500)),
    ] {
        let (_, to, _) = desk.post("/do/add_staff?page=/staff", form).await;
        assert!(!to.contains("kept"), "{to}");
    }
    let (_, to, _) = desk.post("/do/add_staff?page=/staff", "form[user_id]=ng&form[role]=librarian").await;
    assert!(to.contains("kept"), "{to}");
}

/// The message is the same if another member of staff has signed in since.
#[tokio::test]
async fn a_form_of_an_earlier_session_is_rejected_with_the_reason() {
    let (mut desk, ng) = library().await;
    let old = desk.token.clone();
    desk.staff("other", &[Role::Librarian]).await;
    desk.sign_in("other").await;
    let form = format!("form[user]={ng}&form_token={old}");
    let (status, _, html) = desk.answer(post(&format!("/do/mark_user?page=/users/{ng}"), form)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(html.contains("opened in another session"), "{html}");
    assert!(!html.contains("You are not signed in"), "{html}");
}
