//! Letters before erasure and receipts: what they contain, who may print them, and that none is kept.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::desk::{Desk, without_proof};
use super::task_form;
use axum::http::StatusCode;
use policy::Role;
use policy::library::LibraryForm;
use sea_orm::{ConnectionTrait as _, Statement};
use trail::{Actor, library};

async fn execute(desk: &Desk, sql: &str) {
    desk.store.db.execute_unprepared(sql).await.unwrap();
}

async fn number(desk: &Desk, sql: &str) -> i64 {
    let statement =
        Statement::from_string(desk.store.db.get_database_backend(), format!("SELECT ({sql}) AS n"));
    desk.store.db.query_one_raw(statement).await.unwrap().unwrap().try_get("", "n").unwrap()
}

/// A library with a name, a task, and three users: two have left long ago, one has not.
async fn prepared(desk: Desk) -> Desk {
    let named = LibraryForm {
        name: "Town {name} Library".to_owned(),
        currency: "GBP".to_owned(),
        address: "1 High Street\nTown".to_owned(),
        contact: "020 7946 0000".to_owned(),
        ..LibraryForm::default()
    };
    library::save(&desk.store, Actor::COMMAND_LINE, &named).await.unwrap();
    let users = "INSERT INTO users (number, uuid, first_name, last_name, leaving_on, imported, created_on) VALUES \
                 (801, 'u1', 'Zelda', 'Canary', '2016-01-01', TRUE, '2015-01-01'), \
                 (802, 'u2', 'Bo', 'O’Brien <b>', '2016-01-01', TRUE, '2015-01-01'), \
                 (803, 'u3', 'Cy', 'Stays', NULL, TRUE, '2015-01-01')";
    execute(&desk, users).await;
    let form = task_form("form[by_leaving]=true&form[leaving_days]=5");
    let (status, _, page) = desk.post("/do/save_task?page=/tasks/new", form).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    desk
}

on_both!(super::prepared;
    the_text_of_a_task_is_validated_and_used,
    all_users_of_a_preview_get_a_letter,
    a_receipt_has_no_personal_data,
    only_staff_who_may_anonymise_print_letters,
);

async fn the_text_of_a_task_is_validated_and_used(desk: Desk) {
    let (_, _, page) = desk.get("/users/801/letter").await;
    for words in ["Dear Zelda Canary", "Town {name} Library", "1 High Street\nTown", "020 7946 0000"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let save = "/do/save_letter?page=/tasks/1/letter";
    let (status, _, page) = desk.post(save, "form[task]=1&form[text]=Dear+{nmae}").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("{nmae} is not one of them") && page.contains("Dear {nmae}"), "{page}");
    let (_, location, _) =
        desk.post(save, "form[task]=1&form[text]=Hello+{name},+by+{library}+until+{due}").await;
    assert_eq!(without_proof(&location), "/tasks/1?done=letter-saved");
    let (_, _, page) = desk.get("/users/802/letter?task=1").await;
    // A placeholder and a tag in a value stay text.
    assert!(page.contains("Hello Bo O’Brien &lt;b&gt;, by Town {name} Library until "), "{page}");
    let (_, _, page) = desk.get("/users/803/letter").await;
    assert!(page.contains("so there is no letter") && !page.contains("Hello Cy"), "{page}");
    // The day of the erasure of a blocked user is unknown.
    execute(&desk, "INSERT INTO loans (user_number, branch, issued_on, due_on) VALUES (802, 'main', '2017-01-01', '2017-02-01')").await;
    let (_, _, page) = desk.get("/users/802/letter").await;
    assert!(page.contains("so there is no letter") && !page.contains("Hello Bo"), "{page}");
    execute(&desk, "DELETE FROM loans WHERE user_number = 802").await;
    // The settings are the same, so the task stays confirmed, and a copy has the text.
    assert_eq!(number(&desk, "SELECT CAST(version AS BIGINT) FROM tasks WHERE id = 1").await, 1);
    desk.post("/do/copy_task?page=/tasks/1", "form[task]=1").await;
    assert_eq!(number(&desk, "SELECT COUNT(*) FROM tasks WHERE letter LIKE 'Hello {name}%'").await, 2);
    let (_, _, file) = desk.get("/tasks/1/export").await;
    assert!(file.contains("Hello {name}"), "{file}");
    let (status, ..) = desk.post(save, "form[task]=1&form[text]=").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, _, page) = desk.get("/users/801/letter").await;
    assert!(page.contains("Dear Zelda Canary"), "the standard text applies again");
}

async fn all_users_of_a_preview_get_a_letter(desk: Desk) {
    let (_, preview, _) = desk.post("/do/make_preview?page=/tasks/1", "form[task]=1").await;
    let (_, _, page) = desk.get(&preview).await;
    assert!(page.contains(&format!("href=\"{preview}/letters\"")), "{page}");
    let (status, _, page) = desk.get(&format!("{preview}/letters")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(page.matches("<article").count(), 2, "{page}");
    assert!(
        page.contains("Dear Zelda Canary") && page.contains("Dear Bo O’Brien") && !page.contains("Dear Cy")
    );
    // A long preview is printed page by page.
    let many: Vec<String> = (0..60)
        .map(|n| format!("({}, 'm{n}', 'M', 'Many{n}', '2016-01-01', TRUE, '2015-01-01')", 900 + n))
        .collect();
    let columns = "number, uuid, first_name, last_name, leaving_on, imported, created_on";
    execute(&desk, &format!("INSERT INTO users ({columns}) VALUES {}", many.join(", "))).await;
    let (_, outdated, _) = desk.post("/do/make_preview?page=/tasks/1", "form[task]=1").await;
    desk.post(&format!("/do/discard_preview?page={outdated}"), format!("form[preview]={}", &outdated[6..]))
        .await;
    let (status, _, page) = desk.get(&format!("{outdated}/letters")).await;
    assert_eq!(status, StatusCode::CONFLICT, "{page}");
    assert!(page.contains("so there are no letters") && !page.contains("Dear Zelda"), "{page}");
    let (_, preview, _) = desk.post("/do/make_preview?page=/tasks/1", "form[task]=1").await;
    let (mut letters, mut address) = (0, format!("{preview}/letters"));
    while !address.is_empty() {
        let (_, _, page) = desk.get(&address).await;
        let on_page = page.matches("<article").count();
        assert!(on_page <= 50, "{on_page}");
        letters += on_page;
        let next = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        address = next
            .into_iter()
            .find(|href| href.contains("letters?after="))
            .unwrap_or_default()
            .replace("&amp;", "&");
    }
    assert_eq!(letters, 62);
}

async fn a_receipt_has_no_personal_data(desk: Desk) {
    let form = "form[user]=801&form[task]=1&form[version]=1&form[erasure_reason]=left&form[confirm]=801";
    let (status, location, page) = desk.post("/do/anonymise_user?page=/users/801/anonymise", form).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    task_centre::run::background_scans().await;
    let run = number(&desk, "SELECT MAX(id) FROM runs WHERE kind = 'single'").await;
    let (_, _, page) = desk.get(&location).await;
    let receipt = format!("/runs/{run}/receipt");
    assert!(page.contains(&format!("href=\"{receipt}\"")), "the result links to the receipt: {page}");
    let (status, _, page) = desk.get(&receipt).await;
    assert_eq!(status, StatusCode::OK);
    let (_, main) = page.split_once("<main").unwrap();
    for words in ["Receipt of erasure", "Town {name} Library", "E-mail", "020 7946 0000"] {
        assert!(main.contains(words), "{words}: {main}");
    }
    assert!(main.contains(&format!("<dd>{run}</dd>")), "{main}");
    for value in ["Canary", "Zelda", "801", "Anonymised user"] {
        assert!(!main.contains(value), "{value}: {main}");
    }
    // A bulk run, a preview and an unknown run have none.
    let (_, preview, _) = desk.post("/do/make_preview?page=/tasks/1", "form[task]=1").await;
    for other in [format!("{preview}/receipt"), "/runs/999/receipt".to_owned()] {
        assert_eq!(desk.get(&other).await.0, StatusCode::NOT_FOUND, "{other}");
    }
    // The anonymised user gets no letter.
    let (_, _, page) = desk.get("/users/801/letter").await;
    assert!(page.contains("so there is no letter"), "{page}");
}

async fn only_staff_who_may_anonymise_print_letters(mut desk: Desk) {
    let (_, preview, _) = desk.post("/do/make_preview?page=/tasks/1", "form[task]=1").await;
    for role in Role::ALL {
        desk.staff(role.code(), &[role]).await;
        desk.sign_in(role.code()).await;
        for (address, action) in [
            ("/users/801/letter".to_owned(), policy::Action::AnonymiseOne),
            (format!("{preview}/letters"), policy::Action::Preview),
            ("/tasks/1/letter".to_owned(), policy::Action::EditTasks),
        ] {
            let expected = if role.may(action) { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(desk.get(&address).await.0, expected, "{role:?} {address}");
        }
    }
}
