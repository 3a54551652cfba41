//! A form that is sent again, by a second click or by going back, gets the response of the first one.

use super::abuse::guessing;
use super::desk::{Desk, PASSWORD, post};
use super::rendered::{Rendered, form};
use axum::http::StatusCode;
use sea_orm::{ConnectionTrait as _, Statement};
use std::time::Duration;

async fn count(desk: &Desk, what: &str) -> i64 {
    let db = &desk.store.db;
    let sql = format!("SELECT COUNT(*) FROM {what}");
    let row =
        db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.expect("a count");
    row.expect("a row").try_get_by_index(0).expect("a number")
}

async fn on_each_database(test: impl AsyncFn(Desk)) {
    test(Desk::open().await).await;
    if let Some(desk) = Desk::open_on_postgres().await {
        test(desk).await;
    }
}

/// Sends a form several times concurrently.
async fn send_concurrently(desk: &Desk, form: &Rendered) -> Vec<(StatusCode, String)> {
    let sent: Vec<_> = (0..6)
        .map(|_| {
            let (desk, action, body) = (desk.clone(), form.action.clone(), form.body());
            tokio::spawn(async move {
                let (status, location, _) = desk.post(&action, body).await;
                (status, location)
            })
        })
        .collect();
    let mut answers = Vec::new();
    for answer in sent {
        answers.push(answer.await.expect("an answer"));
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_click_creates_no_second_row() {
    on_each_database(async |desk| {
        let page = desk.get("/users/new").await.2;
        let mut user = form(&page, "/do/save_user");
        user.set("form[last_name]", "Clicked");
        let answers = send_concurrently(&desk, &user).await;
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        assert_eq!(answers[0].0, StatusCode::SEE_OTHER);
        assert_eq!(count(&desk, "users WHERE last_name = 'Clicked'").await, 1);
        // Going back and sending the same form again leads to the same user. With another name it is another form.
        assert_eq!(desk.post(&user.action, user.body()).await.1, answers[0].1);
        user.set("form[last_name]", "Changed");
        assert_ne!(desk.post(&user.action, user.body()).await.1, answers[0].1);
        // The reloaded page has another key.
        let mut again = form(&desk.get("/users/new").await.2, "/do/save_user");
        again.set("form[last_name]", "Clicked");
        assert_ne!(desk.post(&again.action, again.body()).await.1, answers[0].1);
        assert_eq!(count(&desk, "users WHERE last_name = 'Clicked'").await, 2);

        let mut task = form(&desk.get("/tasks/new").await.2, "/do/save_task");
        task.set("form[description]", "Clicked");
        task.set("form[owner]", "");
        let answers = send_concurrently(&desk, &task).await;
        assert!(
            answers.iter().all(|answer| *answer == answers[0] && answer.0 == StatusCode::SEE_OTHER),
            "{answers:?}"
        );
        assert_eq!(count(&desk, "tasks").await, 1);

        let id = answers[0].1.split(['/', '?']).nth(2).expect("an id").to_owned();
        let page = desk.get(&format!("/tasks/{id}")).await.2;
        let buttons = super::rendered::forms(&page);
        for (function, table) in [("/do/copy_task", "tasks"), ("/do/make_preview", "runs")] {
            let before = count(&desk, table).await;
            let button = buttons.iter().find(|form| form.action.starts_with(function)).expect("a button");
            let answers = send_concurrently(&desk, button).await;
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{function} {answers:?}");
            assert_eq!(count(&desk, table).await, before + 1, "{function}");
        }
    })
    .await;
}

/// Another session does not see it, and the database contains it only encrypted.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_click_shows_the_same_invitation() {
    on_each_database(async |desk| {
        let mut add = form(&desk.get("/staff").await.2, "/do/add_staff");
        add.set("form[user_id]", "newcomer");
        add.set("form[role]", "librarian");
        let (first, _, page) = desk.post(&add.action, add.body()).await;
        let (second, _, again) = desk.post(&add.action, add.body()).await;
        let link = |page: &str| {
            let (_, rest) = page.split_once("/invitation/").expect("a link");
            rest[..64].to_owned()
        };
        assert_eq!((first, second), (StatusCode::OK, StatusCode::OK));
        assert_eq!(link(&page), link(&again));
        assert_eq!(count(&desk, "credentials WHERE kind = 'invitation'").await, 1);
        let stored = format!("form_keys WHERE outcome LIKE '%{}%'", link(&page));
        assert_eq!((count(&desk, "form_keys").await, count(&desk, &stored).await), (1, 0));
        // In another session it is another form.
        let other = desk.another("everything").await;
        assert_ne!(link(&other.post(&add.action, add.body()).await.2), link(&page));
    })
    .await;
}

/// It is executed once the obstacle is gone.
#[tokio::test]
async fn a_rejected_form_can_be_sent_again() {
    let desk = Desk::open().await;
    let mut user = form(&desk.get("/users/new").await.2, "/do/save_user");
    user.set("form[last_name]", "Ng");
    user.set("form[barcode]", "B1");
    let sql = "INSERT INTO users (uuid, last_name, barcode, barcode_key) VALUES ('u', 'Other', 'B1', 'b1')";
    desk.store.db.execute_unprepared(sql).await.expect("a user");
    for _ in 0..2 {
        assert_eq!(desk.post(&user.action, user.body()).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let sql = "UPDATE users SET barcode = NULL, barcode_key = NULL WHERE uuid = 'u'";
    desk.store.db.execute_unprepared(sql).await.expect("a change");
    assert_eq!(desk.post(&user.action, user.body()).await.0, StatusCode::SEE_OTHER);
    assert_eq!(desk.post(&user.action, user.body()).await.0, StatusCode::SEE_OTHER);
    assert_eq!(count(&desk, "users WHERE last_name = 'Ng'").await, 1);
}

/// Second factor, reauthentication and password change renew the session token. The browser may wait for any of the
/// responses.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_click_gets_the_session_token_of_the_first() {
    let desk = guessing::library(false).await;
    let (codes, device) = guessing::with_app(&desk).await;
    let (_, headers, _) = guessing::sign_in(&desk, "192.0.2.1", &device, PASSWORD).await;
    let mut cookie = guessing::cookies(&headers);
    let new = "violet anchor ninety marbles";
    for (page, function, fields) in [
        ("/sign-in/code?page=/users", "/do/second_factor", vec![("code", codes[0].as_str())]),
        (
            "/sign-in/again?page=/users",
            "/do/sign_in_again",
            vec![("password", PASSWORD), ("code", &codes[1])],
        ),
        ("/account", "/do/change_password", vec![("old", PASSWORD), ("password", new), ("repeated", new)]),
    ] {
        let mut browser = Desk { cookie: format!("{cookie}; {device}"), ..desk.clone() };
        let html = browser.get(page).await.2;
        let mut sent = form(&html, function);
        for (field, value) in fields {
            sent.set(&format!("form[{field}]"), value);
        }
        let token = sent.fields.iter().find(|field| field.name == "form_token").expect("a token");
        browser.token.clone_from(&token.value);
        let body = format!("{}&form_token={}", sent.body(), browser.token);
        let click = || {
            let (browser, request) = (browser.clone(), post(&sent.action, body.clone()));
            tokio::spawn(async move { browser.answer(request).await })
        };
        let clicks = [click(), click(), click()];
        let mut answers = Vec::new();
        for answer in clicks {
            answers.push(answer.await.expect("an answer"));
        }
        // One more click after the first is answered.
        answers.push(click().await.expect("an answer"));
        let mut keys = Vec::new();
        for (status, headers, html) in &answers {
            assert_eq!(*status, StatusCode::SEE_OTHER, "{function} {html}");
            assert_eq!(headers["location"], answers[0].1["location"], "{function}");
            let renewed = guessing::cookies(headers);
            keys.push(renewed.split("; ").find(|one| one.starts_with("lethe=")).map(str::to_owned));
        }
        assert!(keys.iter().all(|key| key.is_some() && *key == keys[0]), "{function} {keys:?}");
        cookie = keys.remove(0).expect("a cookie");
        let browser = Desk { cookie: cookie.clone(), ..desk.clone() };
        assert_eq!(browser.get("/account").await.0, StatusCode::OK, "{function}");
        // With another session token it is a form of a session that has ended.
        let other = Desk { cookie: browser.cookie.replace("lethe=", "lethe=0"), ..desk.clone() };
        assert_eq!(other.answer(post(&sent.action, body.clone())).await.0, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn an_ended_session_is_not_shown_the_response_again() {
    let desk = Desk::open().await;
    let mut add = form(&desk.get("/staff").await.2, "/do/add_staff");
    add.set("form[user_id]", "newcomer");
    add.set("form[role]", "librarian");
    assert!(desk.post(&add.action, add.body()).await.2.contains("/invitation/"));
    desk.store.db.execute_unprepared("DELETE FROM sessions").await.expect("no sessions");
    let (status, _, page) = desk.post(&add.action, add.body()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(!page.contains("/invitation/"));
}

/// A rejected form can be sent again as soon as the database works again.
#[tokio::test]
async fn the_claim_of_a_rejected_form_is_released_later_if_the_database_fails() {
    let desk = Desk::open().await;
    let execute = async |sql: &str| {
        desk.store.db.execute_unprepared(sql).await.expect("a change");
    };
    execute("INSERT INTO users (uuid, last_name, barcode, barcode_key) VALUES ('u', 'Other', 'B1', 'b1')")
        .await;
    execute("CREATE TRIGGER gone BEFORE DELETE ON form_keys BEGIN SELECT RAISE(ABORT, 'gone'); END").await;
    let mut user = form(&desk.get("/users/new").await.2, "/do/save_user");
    user.set("form[last_name]", "Ng");
    user.set("form[barcode]", "B1");
    assert_eq!(desk.post(&user.action, user.body()).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    execute("DROP TRIGGER gone").await;
    execute("UPDATE users SET barcode = NULL, barcode_key = NULL WHERE uuid = 'u'").await;
    let again = tokio::time::timeout(Duration::from_secs(30), desk.post(&user.action, user.body())).await;
    assert_eq!(again.expect("an answer").0, StatusCode::SEE_OTHER);
    assert_eq!(count(&desk, "users WHERE last_name = 'Ng'").await, 1);
}
