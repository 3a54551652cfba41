//! The page of the user search: exact matches, proposals, pages, columns and saved searches.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::desk::Desk;
use axum::http::StatusCode;
use policy::Role;
use policy::user_form::UserForm;
use records::user;
use scraper::{Html, Selector};
use trail::Actor;

async fn add(desk: &Desk, form: UserForm) -> i64 {
    user::save(&desk.store, Actor::COMMAND_LINE, &form).await.unwrap().0
}

fn named(first: &str, last: &str) -> UserForm {
    UserForm { first_name: first.to_owned(), last_name: last.to_owned(), ..UserForm::default() }
}

/// Posts a form that redirects. Returns the address.
async fn post(desk: &Desk, function: &str, form: &str) -> String {
    let (status, address, page) = desk.post(&format!("/do/{function}?page=/users"), form).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{function} {form}: {page}");
    address
}

async fn get(desk: &Desk, address: &str) -> String {
    let (status, _, page) = desk.get(address).await;
    assert_eq!(status, StatusCode::OK, "{address}");
    page
}

/// Returns the text and the address of each link in the main part of a page.
fn links(page: &str) -> Vec<(String, String)> {
    let page = Html::parse_document(page);
    let links = Selector::parse("main a[href]").unwrap();
    let link = |link: scraper::ElementRef<'_>| {
        (link.text().collect::<String>().trim().to_owned(), link.attr("href").unwrap().to_owned())
    };
    page.select(&links).map(link).collect()
}

fn link(page: &str, label: &str) -> String {
    let links = links(page);
    let found = links.iter().find(|(text, _)| text == label);
    found.unwrap_or_else(|| panic!("no link {label}: {links:?}")).1.clone()
}

/// Returns the texts of the elements that match.
fn texts(page: &str, selector: &str) -> Vec<String> {
    let page = Html::parse_document(page);
    let found = Selector::parse(selector).unwrap();
    page.select(&found).map(|one| one.text().collect::<String>().trim().to_owned()).collect()
}

#[tokio::test]
async fn the_key_of_one_user_opens_the_record_with_a_way_back_to_the_list() {
    for desk in [Some(Desk::open().await), Desk::open_on_postgres().await].into_iter().flatten() {
        let niamh = UserForm {
            barcode: "29001234567".to_owned(),
            user_id: "nob1".to_owned(),
            email: "niamh@x.org".to_owned(),
            ..named("Niamh", "O'Brien")
        };
        let number = add(&desk, niamh).await;
        add(&desk, UserForm { email: "niamh@x.org.uk".to_owned(), ..named("Niamh", "Ng") }).await;
        let record = format!("/users/{number}");
        for typed in
            ["*29001234567*", "2900+1234+567", "nob1", "Niamh+%3Cniamh%40x.org%3E", "mailto:niamh%40x.org"]
        {
            let address = post(&desk, "find_users", &format!("form[q]={typed}")).await;
            let (path, sealed) = address.split_once("?find=").unwrap();
            assert_eq!(path, record, "{typed}");
            assert!(!sealed.contains("2900"), "{address}");
            let page = get(&desk, &address).await;
            let list = get(&desk, &link(&page, "Show all results")).await;
            assert!(links(&list).iter().any(|(_, href)| *href == record), "{typed}");
        }
        // A user number is a key; a name and a search with a filter lead to the list.
        assert!(post(&desk, "find_users", &format!("form[q]=%23{number}")).await.starts_with(&record));
        for form in ["form[q]=Niamh", "form[q]=nob1&form[marked]=no", "form[q]=", "form[q]=unknown"] {
            assert!(!post(&desk, "find_users", form).await.starts_with("/users/"), "{form}");
        }
    }
}

#[tokio::test]
async fn a_search_without_result_says_what_to_try() {
    let desk = Desk::open().await;
    let number = add(&desk, named("Anna", "Müller")).await;
    let page = get(&desk, "/users?q=Mullre").await;
    assert!(page.contains("No users found."));
    let found = get(&desk, &link(&page, "Müller")).await;
    assert!(links(&found).iter().any(|(_, href)| *href == format!("/users/{number}")));
    let page = get(&desk, "/users?q=Anna+Braque").await;
    let found = get(&desk, &link(&page, "Without “Braque”: Anna")).await;
    assert!(links(&found).iter().any(|(_, href)| *href == format!("/users/{number}")));
    let page = get(&desk, "/users?q=Anna&marked=yes").await;
    assert!(links(&page).iter().any(|(text, _)| text == "Search without the filters"));
    let page = get(&desk, "/users?q=Frau+M%C3%BCller").await;
    assert!(page.contains("Not searched for: “Frau”"), "{page}");
    assert!(!get(&desk, "/users?q=M%C3%BCller").await.contains("Not searched for"));
}

#[tokio::test]
async fn the_list_has_pages_in_both_directions_a_true_number_and_announced_order() {
    let desk = Desk::open().await;
    for number in 0..60 {
        add(&desk, named("Ana", &format!("Quartermaine{number:02}"))).await;
    }
    post(&desk, "arrange_user_list", "form[rows]=25&form[user_id]=on&form[barcode]=on").await;
    let address = post(&desk, "find_users", "form[q]=quartermaine&form[sort]=name&form[order]=desc").await;
    let names = |page: &str| texts(page, "tbody th");
    let first = get(&desk, &address).await;
    assert_eq!(texts(&first, "caption"), ["60 users, sorted by name, Z to A"]);
    assert_eq!(texts(&first, "thead th"), ["Number", "Name", "UserID", "Barcode"]);
    assert_eq!(texts(&first, "th[aria-sort=descending]"), ["Name"]);
    assert_eq!(texts(&first, "th[aria-sort=none]"), ["Number"]);
    assert_eq!(names(&first).len(), 25);
    assert_eq!(names(&first)[0], "Ana Quartermaine59");
    assert!(links(&first).iter().all(|(text, _)| text != "Previous page"));
    let second = get(&desk, &link(&first, "Next page")).await;
    assert_eq!(names(&second)[0], "Ana Quartermaine34");
    let third = get(&desk, &link(&second, "Next page")).await;
    assert_eq!(names(&third).len(), 10);
    assert!(links(&third).iter().all(|(text, _)| text != "Next page"));
    let back = get(&desk, &link(&third, "Previous page")).await;
    assert_eq!(names(&back), names(&second));
    let back = get(&desk, &link(&back, "Previous page")).await;
    assert_eq!(names(&back), names(&first));
    assert_eq!(texts(&first, "button[type=submit]").iter().filter(|text| *text == "Find users").count(), 1);
}

#[tokio::test]
async fn the_columns_are_those_of_the_member_of_staff() {
    let desk = Desk::open().await;
    add(&desk, UserForm { city: "Zürich".to_owned(), ..named("Ana", "Ng") }).await;
    let before = texts(&get(&desk, "/users").await, "thead th");
    assert!(before.contains(&"E-mail".to_owned()) && !before.contains(&"City".to_owned()));
    let address = post(&desk, "arrange_user_list", "form[rows]=100&form[city]=on").await;
    assert_eq!(address, "/users");
    let page = get(&desk, "/users").await;
    assert_eq!(texts(&page, "thead th"), ["Number", "Name", "City"]);
    assert!(texts(&page, "tbody td").contains(&"Zürich".to_owned()));
    assert_eq!(texts(&page, "#rows option[selected]"), ["100"]);
    let number = desk.staff("other", &[Role::Librarian]).await;
    assert!(number.0 > 0);
    let other = desk.another("other").await;
    assert_eq!(texts(&get(&other, "/users").await, "thead th"), before);
    for form in ["form[rows]=7", "form[city]=on", "form[rows]=25&form[password]=on"] {
        let (status, ..) = desk.post("/do/arrange_user_list?page=/users", form).await;
        assert!(status.is_client_error(), "{form}");
    }
}

#[tokio::test]
async fn a_saved_search_is_run_shared_renamed_and_deleted_by_its_owner() {
    for desk in [Some(Desk::open().await), Desk::open_on_postgres().await].into_iter().flatten() {
        let number = add(&desk, named("Ana", "Ng")).await;
        add(&desk, named("Ben", "Ode")).await;
        let form = "form[q]=ng&form[marked]=no&form[sort]=name&form[order]=desc&form[name]=Unmarked";
        post(&desk, "save_search", form).await;
        let page = get(&desk, "/users").await;
        let found = get(&desk, &link(&page, "Unmarked")).await;
        assert_eq!(texts(&found, "caption"), ["1 user, sorted by name, Z to A"]);
        assert!(links(&found).iter().any(|(_, href)| *href == format!("/users/{number}")));
        // A name is used once, and every search has one.
        for name in ["unmarked", "", "+"] {
            let form = format!("form[q]=ng&form[name]={name}");
            let (status, _, page) = desk.post("/do/save_search?page=/users", &form).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{name}: {page}");
        }
        desk.staff("other", &[Role::Librarian]).await;
        let other = desk.another("other").await;
        let sees = async |client: &Desk, name: &str| {
            links(&get(client, "/users").await).iter().any(|(text, _)| text == name)
        };
        assert!(!sees(&other, "Unmarked").await);
        let shared = "form[search]=1&form[name]=For+all&form[shared]=on";
        let (status, ..) = other.post("/do/change_search?page=/users/searches", shared).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        post(&desk, "change_search", shared).await;
        assert!(sees(&other, "For all").await);
        let found = get(&other, &link(&get(&other, "/users").await, "For all")).await;
        assert_eq!(texts(&found, "caption"), ["1 user, sorted by name, Z to A"]);
        let (status, ..) = other.post("/do/delete_search?page=/users/searches", "form[search]=1").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(texts(&get(&other, "/users/searches").await, "main form").is_empty());
        post(&desk, "delete_search", "form[search]=1").await;
        assert!(!sees(&desk, "For all").await && !sees(&other, "For all").await);
    }
}
