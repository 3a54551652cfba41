//! Access requests: recorded on the record, listed, answered with everything held, and closed.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::desk::{Desk, without_proof};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use policy::Role;
use sea_orm::ConnectionTrait as _;

async fn library(desk: Desk) -> Desk {
    let user = "INSERT INTO users (number, uuid, user_id, first_name, last_name, phone, imported, created_on) VALUES \
                (70, 'u70', 'nob70', 'Niamh', 'O''Brien', '0170 4711', TRUE, '2016-01-01')";
    desk.store.db.execute_unprepared(user).await.unwrap();
    desk
}

async fn page(desk: &Desk, address: &str) -> String {
    let (status, _, html) = desk.get(address).await;
    assert_eq!(status, StatusCode::OK, "{address} {html}");
    let page = scraper::Html::parse_document(&html);
    page.root_element().text().collect::<Vec<_>>().concat()
}

async fn a_request_is_recorded_seen_everywhere_and_closed(desk: Desk) {
    let record = "/do/record_access_request?page=/users/70";
    let (status, _, html) = desk.post(record, "form[user]=70&form[received_on]=soon").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(html.contains("id=\"received_on-problem\"") && html.contains("value=\"soon\""), "{html}");
    let (status, to, _) = desk.post(record, "form[user]=70&form[received_on]=15+Jan+2018").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(without_proof(&to), "/access-requests/1?done=access-request-recorded");
    for (address, text) in [
        ("/users/70", "Access request 1, received on 15 Jan 2018, to be answered by 15 Feb 2018"),
        (
            "/users/70/anonymise",
            "Answer it first: after anonymising, the library can no longer say what it held.",
        ),
        ("/access-requests", "Open, overdue"),
        ("/access-requests/1", "To be answered by15 Feb 2018"),
    ] {
        let shown = page(&desk, address).await;
        assert!(shown.contains(text), "{address}: {shown}");
    }
    let close = "/do/close_access_request?page=/access-requests/1";
    let (status, _, html) = desk.post(close, "form[request]=1&form[state]=declined&form[answer]=Typed").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(html.contains("Choose a reason for declining") && html.contains(">Typed</textarea>"), "{html}");
    let (status, to, html) =
        desk.post(close, "form[request]=1&form[state]=answered&form[answer]=By+letter").await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{html}");
    assert_eq!(without_proof(&to), "/access-requests/1?done=access-request-closed");
    assert!(page(&desk, "/access-requests/1").await.contains("By letter"));
    assert!(!page(&desk, "/users/70").await.contains("Open access request"));
    assert!(page(&desk, "/access-requests?show=closed").await.contains("Answered"));
}

async fn everything_held_is_a_page_and_a_file(desk: Desk) {
    let shown = page(&desk, "/users/70/data").await;
    for value in ["Niamh O'Brien", "0170 4711", "nob70", "UserID (login name)", "Backups (lethe backup)"] {
        assert!(shown.contains(value), "{value}: {shown}");
    }
    let (status, headers, json) = desk.get("/users/70/data.json").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers[CONTENT_TYPE], "application/json");
    assert_eq!(headers[CONTENT_DISPOSITION], "attachment; filename=\"user-70.json\"");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["format"], "lethe-access-1");
    assert_eq!(json["tables"][0]["rows"][0]["phone"], "0170 4711");
    assert_eq!(json["tables"][0]["rows"][0]["imported"], true);
    assert_eq!(json["tables"][0]["rows"][0]["number"], 70);
    assert_eq!(desk.get("/users/71/data.json").await.0, StatusCode::NOT_FOUND);
    assert!(page(&desk, "/audit").await.contains("Everything held about a user exported"));
    desk.staff("cataloguer", &[Role::Cataloguer]).await;
    let other = desk.another("cataloguer").await;
    for address in ["/users/70/data", "/users/70/data.json", "/access-requests"] {
        assert_eq!(other.get(address).await.0, StatusCode::FORBIDDEN, "{address}");
    }
}

on_both!(super::library; a_request_is_recorded_seen_everywhere_and_closed, everything_held_is_a_page_and_a_file);
