//! Forms that were opened before a user was anonymised and are sent afterwards: they restore no value.

use super::html::form;
use super::library::{add_task, dump, execute, four_eyes, insert, leaver, number, unchanged};
use crate::web::tests::desk::Desk;
use axum::http::StatusCode;
use policy::UserNumber;
use task_centre::run;
use trail::Actor;

/// A unique name.
const NAME: &str = "Nguyenovaquist";

/// Opens a library with a user who has a custom field, and a default task.
async fn library() -> (Desk, UserNumber) {
    let desk = four_eyes().await;
    let ng = leaver(&desk.store, NAME).await;
    execute(&desk.store, "INSERT INTO custom_fields (key, label) VALUES ('locker', 'Locker')").await;
    let value = format!("INSERT INTO custom_values VALUES ({ng}, 'locker', 'Locker of {NAME}')");
    execute(&desk.store, &value).await;
    add_task(&desk.store, "Settings for one", true).await;
    (desk, ng)
}

async fn anonymise(desk: &Desk, user: UserNumber) {
    run::anonymise_one(&desk.store, Actor::COMMAND_LINE, user, &user.to_string()).await.unwrap().unwrap();
    run::background_scans().await;
}

/// Asserts that no value of the user is stored.
async fn assert_nothing_is_left(desk: &Desk) {
    let left: Vec<String> = dump(&desk.store).await.into_iter().filter(|line| line.contains(NAME)).collect();
    assert!(left.is_empty(), "{left:#?}");
}

#[tokio::test]
async fn saving_a_record_after_it_was_anonymised_restores_nothing() {
    let (desk, ng) = library().await;
    let edit = format!("/users/{ng}/edit");
    let (status, _, page) = desk.get(&edit).await;
    assert_eq!(status, StatusCode::OK);
    let opened = form(&page, "/do/save_user");
    for part in ["form[last_name]=", "Notes%20on%20", "Locker%20of%20", "%40example.org"] {
        assert!(opened.contains(part), "{part}: {opened}");
    }
    anonymise(&desk, ng).await;
    let before = dump(&desk.store).await;
    let version = number(&desk.store, &format!("SELECT version FROM users WHERE number = {ng}")).await;
    let address = format!("/do/save_user?page={edit}");
    // The form as it was opened, and with the current version.
    let current = opened.replace("form[version]=1", &format!("form[version]={version}"));
    assert_ne!(opened, current, "anonymising makes a new version");
    for sent in [&opened, &current] {
        let (status, _, page) = desk.post(&address, sent).await;
        assert_eq!(status, StatusCode::CONFLICT, "{page}");
        unchanged(&desk.store, &before, sent).await;
        assert!(!page.contains("Notes on"), "the page does not show the values again");
    }
    assert_nothing_is_left(&desk).await;
    assert_eq!(desk.get(&edit).await.0, StatusCode::CONFLICT, "the form is no longer available");
}

#[tokio::test]
async fn actions_of_an_old_page_on_an_anonymised_user_are_rejected() {
    let (desk, ng) = library().await;
    let hold = format!("form[user]={ng}&form[reason]=dispute&form[review_on]=2027-01-01");
    let forms = [
        ("/do/mark_user", form(&desk.get(&format!("/users/{ng}")).await.2, "/do/mark_user")),
        ("/do/unmark_user", format!("form[user]={ng}")),
        ("/do/grant_role", format!("form[user]={ng}&form[role]=librarian")),
        ("/do/place_legal_hold", hold),
    ];
    anonymise(&desk, ng).await;
    let before = dump(&desk.store).await;
    for (function, sent) in forms {
        let (status, _, page) = desk.post(&format!("{function}?page=/users/{ng}"), &sent).await;
        assert!(status.is_client_error(), "{function}: {status} {page}");
        assert!(
            [StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY].contains(&status),
            "{function}: {status}"
        );
        unchanged(&desk.store, &before, function).await;
    }
    assert_nothing_is_left(&desk).await;
}

/// An old page still shows the charge.
#[tokio::test]
async fn a_charge_of_an_anonymised_user_cannot_be_changed_from_an_old_page() {
    let (desk, ng) = library().await;
    let charge = format!(
        "charges (user_number, kind, cents, charged_on, settled_on, note) VALUES ({ng}, 'fine', 250, '2018-01-01', \
         '2018-01-05', '{NAME} has paid')"
    );
    let charge = insert(&desk.store, "id", &charge).await;
    anonymise(&desk, ng).await;
    let before = dump(&desk.store).await;
    let (status, _, page) =
        desk.post(&format!("/do/settle_charge?page=/users/{ng}"), format!("form[charge]={charge}")).await;
    assert!(!status.is_server_error(), "{status} {page}");
    unchanged(&desk.store, &before, "settling").await;
    assert_nothing_is_left(&desk).await;
}
