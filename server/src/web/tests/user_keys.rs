//! The keys, the guarantor and the last activity of a user in forms.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::desk::Desk;
use axum::http::StatusCode;
use policy::Role;
use policy::form::Problem;
use sea_orm::{ConnectionTrait as _, Statement};

async fn number(desk: &Desk, name: &str) -> String {
    let db = &desk.store.db;
    let sql = format!("SELECT CAST(number AS TEXT) FROM users WHERE last_name = '{name}'");
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

async fn create(desk: &Desk, form: &str) -> (StatusCode, String) {
    let (status, _, page) = desk.post("/do/save_user?page=/users/new", form).await;
    (status, page)
}

/// Returns whether a page shows this problem of a form.
fn shows(page: &str, problem: &Problem) -> bool {
    page.contains(&problem.to_string().replace('\'', "&#39;")) || page.contains(&problem.to_string())
}

#[tokio::test]
async fn keys_that_look_alike_and_hidden_characters_are_rejected_at_their_field() {
    for desk in [Some(Desk::open().await), Desk::open_on_postgres().await].into_iter().flatten() {
        let first =
            "form[last_name]=Ng&form[user_id]=Jos%C3%A9&form[barcode]=B1&form[external_id]=Stra%C3%9Fe";
        assert_eq!(create(&desk, first).await.0, StatusCode::SEE_OTHER);
        for (field, same) in [("user_id", "JOSE%CC%81"), ("barcode", "b1"), ("external_id", "STRASSE")] {
            let (status, page) = create(&desk, &format!("form[last_name]=X&form[{field}]={same}")).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
            assert!(shows(&page, &Problem::Taken), "{field}: {page}");
        }
        for field in ["user_id", "barcode", "external_id", "email"] {
            for hidden in ["%C2%AD", "%E2%80%8E", "%E2%80%8D", "%E2%80%AE"] {
                let form = format!("form[last_name]=X&form[{field}]=a{hidden}b@c.org");
                let (status, page) = create(&desk, &form).await;
                assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
                assert!(shows(&page, &Problem::ControlCharacter), "{field}: {page}");
            }
        }
        // A name needs its joiner.
        let (status, page) = create(&desk, "form[last_name]=%D8%B9%D9%84%DB%8C%E2%80%8C%D8%B1").await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    }
}

#[tokio::test]
async fn a_ring_of_guarantors_is_rejected_and_can_be_resolved() {
    let desk = Desk::open().await;
    for name in ["Alder", "Birch"] {
        create(&desk, &format!("form[last_name]={name}")).await;
    }
    let (alder, birch) = (number(&desk, "Alder").await, number(&desk, "Birch").await);
    let edit = async |user: &str, version: u32, name: &str, guarantor: &str| {
        let form = format!(
            "form[number]={user}&form[version]={version}&form[last_name]={name}&form[guarantor]={guarantor}"
        );
        let (status, _, page) = desk.post(&format!("/do/save_user?page=/users/{user}/edit"), form).await;
        (status, page)
    };
    assert_eq!(edit(&alder, 1, "Alder", &birch).await.0, StatusCode::SEE_OTHER);
    let page = desk.get(&format!("/users/{alder}/edit")).await.2;
    assert!(page.contains(&format!("Saved: {birch}, Birch<")), "the form names the guarantor");
    let (status, page) = edit(&birch, 1, "Birch", &alder).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(shows(&page, &Problem::GuarantorRing), "{page}");
    let sql = format!("UPDATE users SET guarantor_number = {alder} WHERE number = {birch}");
    desk.store.db.execute_unprepared(&sql).await.unwrap();
    assert_eq!(edit(&birch, 1, "Birch", "").await.0, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn systems_librarians_correct_the_last_activity() {
    let desk = Desk::open().await;
    create(&desk, "form[last_name]=Alder").await;
    let user = number(&desk, "Alder").await;
    desk.staff("systems", &[Role::SystemsLibrarian]).await;
    desk.staff("desk", &[Role::Librarian]).await;
    let page = format!("/users/{user}?tab=details");
    let path = format!("/do/correct_last_activity?page={page}");
    let form = |date: &str| format!("form[user]={user}&form[last_activity_on]={date}");
    let systems = desk.another("systems").await;
    assert!(systems.get(&page).await.2.contains("Correct last activity"));
    let librarian = desk.another("desk").await;
    assert!(!librarian.get(&page).await.2.contains("Correct last activity"));
    assert_eq!(librarian.post(&path, form("2018-01-02")).await.0, StatusCode::FORBIDDEN);
    for (date, problem) in [
        ("2081-05-01", Problem::FutureDate),
        ("", Problem::required("the date of the last activity")),
        ("no date", Problem::NotADate),
    ] {
        let (status, _, page) = systems.post(&path, form(date)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{date}");
        assert!(shows(&page, &problem), "{date}: {page}");
    }
    let (status, to, _) = systems.post(&path, form("2018-01-02")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(systems.get(&to).await.2.contains("Last activity corrected."));
    let (status, _, html) = systems.post(&path, form("2+Jan+2018")).await;
    assert_eq!(status, StatusCode::CONFLICT, "{html}");
}
