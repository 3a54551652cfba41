//! Merging duplicates: the page compares both records and says what moves; the form merges them once.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::desk::{Desk, without_proof};
use axum::http::StatusCode;
use sea_orm::ConnectionTrait as _;

async fn library(desk: Desk) -> Desk {
    let form = super::task_form("form[by_leaving]=true&form[leaving_days]=5");
    assert_eq!(desk.post("/do/save_task?page=/tasks/new", form).await.0, StatusCode::SEE_OTHER);
    for sql in [
        "INSERT INTO users (number, uuid, user_id, user_id_key, first_name, last_name, name_order, imported, created_on) VALUES \
         (70, 'u70', 'nob70', 'nob70', 'Niamh', 'O''Brien', 'obrien\tniamh', TRUE, '2016-01-01')",
        "INSERT INTO users (number, uuid, user_id, user_id_key, barcode, barcode_key, first_name, last_name, name_order, \
         imported, created_on) VALUES (71, 'u71', 'nob71', 'nob71', 'B-71', 'b-71', 'Niamh', 'O''Brien', 'obrien\tniamh', \
         FALSE, '2016-01-01')",
        "INSERT INTO loans (user_number, branch, issued_on, due_on) VALUES (71, 'main', '2018-01-01', '2018-02-01')",
    ] {
        desk.store.db.execute_unprepared(sql).await.unwrap();
    }
    desk
}

async fn page(desk: &Desk, address: &str) -> String {
    let (status, _, html) = desk.get(address).await;
    assert_eq!(status, StatusCode::OK, "{address} {html}");
    html
}

async fn both_records_are_compared_and_merged(desk: Desk) {
    assert!(page(&desk, "/users/70").await.contains("href=\"/users/70/merge\""));
    let choice = page(&desk, "/users/70/merge").await;
    assert!(choice.contains("href=\"/users/70/merge?with=71\"") && choice.contains("Compare with user 71"));
    for wrong in ["x", "70"] {
        let (status, _, html) = desk.get(&format!("/users/70/merge?with={wrong}")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        assert!(html.contains(&format!("value=\"{wrong}\"")), "{html}");
    }
    assert_eq!(desk.get("/users/70/merge?with=99").await.0, StatusCode::NOT_FOUND);
    let compared = page(&desk, "/users/70/merge?with=71").await;
    for part in [
        "nob70",
        "nob71",
        "href=\"/users/71/merge?with=70\"",
        "<th scope=\"row\">Loans</th><td class=\"number\">1</td>",
        "<b>Barcode</b>: user 70 has none and takes it over.",
        "<b>UserID</b>: user 70 has another.",
        "Merge into user 70 and anonymise user 71",
    ] {
        assert!(compared.contains(part), "{part}: {compared}");
    }
    let address = "/do/merge_users?page=/users/70/merge%3Fwith=71";
    let form = |typed: &str| {
        format!("form[staying]=70&form[losing]=71&form[task]=1&form[version]=1&form[confirm]={typed}")
    };
    let (status, to, _) = desk.post(address, form("70")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(to.starts_with("/users/70/merge?with=71&kept="), "{to}");
    assert!(page(&desk, &to).await.contains("Enter 71 to confirm"));
    let (status, to, html) = desk.post(address, form("71")).await;
    assert_eq!(
        (status, without_proof(&to)),
        (StatusCode::SEE_OTHER, "/users/70?done=users-merged"),
        "{html}"
    );
    let record = page(&desk, "/users/70?tab=loans").await;
    assert!(record.contains("Open loans <span class=\"count\">1</span>"), "{record}");
    assert!(page(&desk, "/users/70").await.contains("B-71"));
    assert!(page(&desk, "/users/71").await.contains("User 71 has been anonymised"));
    let (status, _, html) = desk.post(address, form("71")).await;
    assert_eq!(status, StatusCode::CONFLICT, "{html}");
}

async fn a_legal_hold_on_either_record_prevents_it(desk: Desk) {
    let form = "form[user]=71&form[reason]=dispute&form[review_on]=2027-03-01";
    assert_eq!(desk.post("/do/place_legal_hold?page=/users/71", form).await.0, StatusCode::SEE_OTHER);
    for (staying, losing) in [(70, 71), (71, 70)] {
        let html = page(&desk, &format!("/users/{staying}/merge?with={losing}")).await;
        assert!(html.contains("User 71 is under legal hold. It must be released first."), "{html}");
        assert!(!html.contains("/do/merge_users"), "{html}");
        let form = format!(
            "form[staying]={staying}&form[losing]={losing}&form[task]=1&form[version]=1&form[confirm]={losing}"
        );
        let address = format!("/do/merge_users?page=/users/{staying}/merge");
        assert_eq!(desk.post(&address, form).await.0, StatusCode::CONFLICT);
    }
}

on_both!(super::library; both_records_are_compared_and_merged, a_legal_hold_on_either_record_prevents_it);
