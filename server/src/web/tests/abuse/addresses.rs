//! What is typed to find somebody stands in no address that others could read.

use super::library::{ANA, BEN, four_eyes};
use crate::web::tests::desk::Desk;
use axum::http::StatusCode;
use policy::user_form::UserForm;
use records::{Actor, user};
use scraper::{Html, Selector};

async fn reader(desk: &Desk, name: &str) {
    let (last_name, email) = (name.to_owned(), format!("{name}@example.org"));
    let form = UserForm { last_name, email, ..UserForm::default() };
    user::save(&desk.store, Actor::COMMAND_LINE, &form).await.unwrap();
}

/// Where a posted search leads to.
async fn search(desk: &Desk, typed: &str) -> String {
    let (status, address, page) = desk.post("/do/find_users?page=/users", &format!("form[q]={typed}")).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    address
}

/// The addresses on a page that carry a search.
fn sealed_addresses(page: &str) -> Vec<String> {
    let links = Selector::parse("a[href*='find=']").unwrap();
    Html::parse_document(page).select(&links).map(|link| link.attr("href").unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_was_typed_stands_in_no_address() {
    let desk = four_eyes().await;
    for number in 0..60 {
        reader(&desk, &format!("Quartermaine{number:02}")).await;
    }
    let address = search(&desk, "Quartermaine").await;
    let (path, sealed) = address.split_once("?find=").unwrap();
    assert_eq!(path, "/users");
    assert!(sealed.bytes().all(|byte| byte.is_ascii_hexdigit()), "{address}");
    // It says nothing by being the same twice, either.
    assert_ne!(search(&desk, "Quartermaine").await, address);

    let (status, _, page) = desk.get(&address).await;
    assert_eq!(status, StatusCode::OK);
    for part in ["value=\"Quartermaine\"", "Quartermaine00", "Quartermaine49"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("Quartermaine50"));
    // The next page, and the same search in another order: what was typed and the last name shown are sealed there.
    let others = sealed_addresses(&page);
    assert!(others.len() > 2, "{others:?}");
    for other in others {
        assert!(!other.to_lowercase().contains("quartermaine"), "{other}");
        let (status, _, page) = desk.get(&other).await;
        assert_eq!(status, StatusCode::OK, "{other}");
        assert!(page.contains("value=\"Quartermaine\""), "{other}");
    }
    assert!(sealed_addresses(&page).len() > 2);
}

#[tokio::test]
async fn a_search_opens_for_whoever_made_it_only() {
    let desk = four_eyes().await;
    reader(&desk, "Quartermaine").await;
    let address = search(&desk, "Quartermaine").await;
    // The same person in another browser.
    let (status, _, page) = desk.another(ANA).await.get(&address).await;
    assert!(status.is_success() && page.contains("Quartermaine</"));
    let changed =
        format!("{}{}", &address[..address.len() - 1], if address.ends_with('0') { '1' } else { '0' });
    for (who, address) in [
        (desk.another(BEN).await, address.as_str()),
        (desk.clone(), changed.as_str()),
        (desk.clone(), "/users?find=00"),
        (desk.clone(), "/users?find=Quartermaine"),
    ] {
        let (_, _, page) = who.get(address).await;
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
async fn a_search_that_is_too_long_is_refused_in_words() {
    let desk = four_eyes().await;
    let (status, _, page) =
        desk.post("/do/find_users?page=/users", &format!("form[q]={}", "a".repeat(5_000))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("Enter at most 200 characters"), "{page}");
    assert!(page.contains(&"a".repeat(5_000)), "what was typed comes back to be shortened");
}
