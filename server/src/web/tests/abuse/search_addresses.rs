//! Search terms do not appear in clear text in any address.

use super::library::{ANA, BEN, four_eyes};
use crate::web::tests::desk::Desk;
use axum::http::StatusCode;
use policy::user_form::UserForm;
use records::user;
use scraper::{Html, Selector};
use trail::Actor;

async fn add_user(desk: &Desk, name: &str) {
    let (last_name, email) = (name.to_owned(), format!("{name}@example.org"));
    let form = UserForm { last_name, email, ..UserForm::default() };
    user::save(&desk.store, Actor::COMMAND_LINE, &form).await.unwrap();
}

/// Posts a search. Returns the location.
async fn search(desk: &Desk, typed: &str) -> String {
    let (status, address, page) = desk.post("/do/find_users?page=/users", &format!("form[q]={typed}")).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    address
}

/// Returns the addresses on a page that contain a search.
fn search_addresses(page: &str) -> Vec<String> {
    let links = Selector::parse("a[href*='find=']").unwrap();
    Html::parse_document(page).select(&links).map(|link| link.attr("href").unwrap().to_owned()).collect()
}

#[tokio::test]
async fn search_terms_are_encrypted_in_every_address() {
    let desk = four_eyes().await;
    for number in 0..60 {
        add_user(&desk, &format!("Quartermaine{number:02}")).await;
    }
    let address = search(&desk, "Quartermaine").await;
    let (path, encrypted) = address.split_once("?find=").unwrap();
    assert_eq!(path, "/users");
    assert!(encrypted.bytes().all(|byte| byte.is_ascii_hexdigit()), "{address}");
    // The same search never has the same address.
    assert_ne!(search(&desk, "Quartermaine").await, address);

    let (status, _, page) = desk.get(&address).await;
    assert_eq!(status, StatusCode::OK);
    for part in ["value=\"Quartermaine\"", "Quartermaine00", "Quartermaine49"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("Quartermaine50"));
    // The links to the next page and to other orders encrypt the search terms and the last name on the page.
    let others = search_addresses(&page);
    assert!(others.len() > 2, "{others:?}");
    for other in others {
        assert!(!other.to_lowercase().contains("quartermaine"), "{other}");
        let (status, _, page) = desk.get(&other).await;
        assert_eq!(status, StatusCode::OK, "{other}");
        assert!(page.contains("value=\"Quartermaine\""), "{other}");
    }
    assert!(search_addresses(&page).len() > 2);
}

#[tokio::test]
async fn a_search_address_works_only_for_the_member_of_staff_who_searched() {
    let desk = four_eyes().await;
    add_user(&desk, "Quartermaine").await;
    let address = search(&desk, "Quartermaine").await;
    // It works for the same member of staff in another browser.
    let (status, _, page) = desk.another(ANA).await.get(&address).await;
    assert!(status.is_success() && page.contains("Quartermaine</"));
    let changed =
        format!("{}{}", &address[..address.len() - 1], if address.ends_with('0') { '1' } else { '0' });
    for (client, address) in [
        (desk.another(BEN).await, address.as_str()),
        (desk.clone(), changed.as_str()),
        (desk.clone(), "/users?find=00"),
        (desk.clone(), "/users?find=Quartermaine"),
    ] {
        let (_, _, page) = client.get(address).await;
        assert!(
            page.contains(
                "This search address is incomplete or belongs to another member of staff. Search again"
            ),
            "{address}"
        );
        assert!(!page.contains("Quartermaine</") && !page.contains("value=\"Quartermaine\""), "{address}");
    }
}

#[tokio::test]
async fn a_search_that_is_too_long_is_rejected_with_the_reason() {
    let desk = four_eyes().await;
    let (status, _, page) =
        desk.post("/do/find_users?page=/users", &format!("form[q]={}", "a".repeat(5_000))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("Enter at most 200 characters"), "{page}");
    assert!(page.contains(&"a".repeat(5_000)), "the typed text is shown again");
}
