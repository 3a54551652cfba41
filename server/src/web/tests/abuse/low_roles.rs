//! Roles that may not see users: no response of any address contains a value of a user. The personal values of the
//! library are unique. They are made from the register of personal data.

#[path = "../../../../../app/store_tests/tests/store/canary/plant.rs"]
#[allow(dead_code, missing_docs, reason = "the store tests use more of it")]
mod plant;

use super::library::{add_task, confirmed_preview, execute, four_eyes, leaver, number};
use crate::web::tests::desk::{Desk, post};
use crate::web::tests::route_access::addresses;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use plant::{Person, Planter};
use policy::{Action, Outcome, Reason, Role, RunId, UserNumber, VerdictKind};
use records::report::{Key, Report};
use std::collections::BTreeSet;
use task_centre::run;
use trail::{Actor, Store};

/// Opens a library with users whose columns all have values, a preview of them, a run, and a single anonymised user.
/// Ana has all roles.
pub(super) async fn library() -> (Desk, Vec<Person>) {
    let desk = four_eyes().await;
    let store = &desk.store;
    let guarantor = leaver(store, "Bystander").await;
    let stays = format!("UPDATE users SET leaving_on = NULL, imported = FALSE WHERE number = {guarantor}");
    execute(store, &stays).await;
    execute(store, "INSERT INTO custom_fields (key, label) VALUES ('locker', 'Locker')").await;
    let record = "INSERT INTO catalogue_records (title, created_on) VALUES ('A title', '2017-01-01')";
    execute(store, record).await;
    let planter = Planter::new(&store.db, guarantor.0).await;
    let mut people = Vec::new();
    for number in 1..=3 {
        people.push(planter.plant(10 + number).await);
    }
    execute(store, "UPDATE users SET imported = TRUE WHERE number > 10").await;
    let task = add_task(store, "Leavers", true).await;
    let preview = confirmed_preview(store, Actor::COMMAND_LINE, task).await;
    assert_eq!(run::read(store, preview).await.unwrap().previewed, 3);
    let started = run::start(store, Actor::COMMAND_LINE, preview, "3").await.unwrap();
    execute(store, &format!("UPDATE runs SET state = 'succeeded' WHERE id = {started}")).await;
    let single = leaver(store, "Alone").await;
    run::anonymise_one(store, Actor::COMMAND_LINE, single, &single.to_string()).await.unwrap().unwrap();
    run::background_scans().await;
    run::preview(store, Actor::COMMAND_LINE, task).await.unwrap();
    lend(store).await;
    (desk, people)
}

/// Lends an item to one of the users. The record of the item was created by another one.
async fn lend(store: &Store) {
    for sql in [
        "INSERT INTO items (record_id, barcode, branch) VALUES (1, 'I1', 'central')",
        "INSERT INTO loans (user_number, item_id, branch, issued_on, due_on) VALUES (11, 1, 'central', '2018-01-02', '2018-01-30')",
        "UPDATE catalogue_records SET created_by = (SELECT number FROM users WHERE last_name = 'Bystander')",
    ] {
        execute(store, sql).await;
    }
}

/// Returns every address of the router with all existing ids, and with its filters.
async fn all_addresses(desk: &Desk) -> Vec<String> {
    let mut ids: BTreeSet<i64> = (1..=6).collect();
    ids.extend([11, 12, 13]);
    ids.insert(number(&desk.store, "SELECT MAX(number) FROM users").await);
    let mut all = Vec::new();
    for address in addresses() {
        let ids: Vec<String> = if address.contains("{id}") {
            ids.iter().map(|id| address.replace("{id}", &id.to_string())).collect()
        } else if address.contains("{report}") {
            Report::ALL.iter().map(|report| address.replace("{report}", report.code())).collect()
        } else {
            vec![address.replace("{key}", "none")]
        };
        for address in ids {
            all.extend(filters(&address).into_iter().map(|filter| format!("{address}{filter}")));
        }
    }
    all
}

/// Returns the filters of an address.
fn filters(address: &str) -> Vec<String> {
    let mut filters = vec![String::new()];
    match address.split('/').nth(1) {
        Some("users") => {
            filters.extend(
                ["loans", "history", "requests", "charges", "messages", "catalogue"]
                    .map(|tab| format!("?tab={tab}")),
            );
            filters.extend(["?q=canary", "?q=11", "?role=librarian"].map(str::to_owned));
        }
        Some("runs" | "events") => {
            filters.extend(VerdictKind::ALL.map(|kind| format!("?verdict={}", kind.code())));
            filters.extend(Reason::ALL.iter().map(|reason| format!("?reason={}", reason.code())));
            filters.extend(Outcome::ALL.iter().map(|outcome| format!("?outcome={}", outcome.code())));
            filters.extend(["?q=canary", "?q=11"].map(str::to_owned));
        }
        Some("reports") => filters.extend(Key::ALL.map(|key| format!("?by={}", key.code()))),
        Some("audit" | "approvals" | "residue") => {
            filters.extend(["?show=all", "?staff=11", "?action=user_anonymised"].map(str::to_owned));
        }
        _ => {}
    }
    filters
}

fn request(address: &str, token: &str) -> Request<Body> {
    if address.starts_with("/do/") {
        let form = format!("form[user]=11&form[number]=11&form_token={token}");
        return post(&format!("{address}?page=/users/11"), form);
    }
    if address.starts_with("/api/") {
        return post(address, "run=1&id=1".to_owned());
    }
    Request::get(address).body(Body::empty()).unwrap()
}

/// Returns the status, and the headers and body as text. The body contains the data of the islands.
async fn answer(desk: &Desk, address: &str) -> (StatusCode, String) {
    let (status, headers, body) = desk.answer(request(address, &desk.token)).await;
    (status, format!("{headers:?}\n{body}"))
}

/// Returns the values of these users that a text contains.
pub(super) fn values_in<'a>(people: &'a [Person], text: &str) -> Vec<&'a str> {
    let values = people.iter().flat_map(|person| &person.present);
    let mut found: Vec<&str> = values.map(String::as_str).filter(|value| text.contains(*value)).collect();
    if found.is_empty() && text.contains("canary-") {
        found.push("a part of a value");
    }
    found
}

/// Without a scheduler, health fails after a minute.
fn is_expected(address: &str, status: StatusCode) -> bool {
    !status.is_server_error() || ["/healthz", "/readyz"].contains(&address)
}

/// Addresses that end the session.
const EXCLUDED: [&str; 1] = ["/do/sign_out"];

#[tokio::test]
async fn a_role_that_may_not_see_users_gets_no_value_of_a_user() {
    let (desk, people) = library().await;
    let addresses: Vec<String> = all_addresses(&desk)
        .await
        .into_iter()
        .filter(|address| !EXCLUDED.contains(&address.as_str()))
        .collect();
    // The check finds values: with all roles, they appear at many addresses.
    let mut seen = BTreeSet::new();
    for address in addresses.iter().filter(|address| !address.starts_with("/do/")) {
        let (status, text) = answer(&desk, address).await;
        assert!(is_expected(address, status), "{address}: {status}");
        if !values_in(&people, &text).is_empty() {
            seen.insert(address);
        }
    }
    assert!(seen.len() > 40, "{seen:#?}");
    for role in Role::ALL.into_iter().filter(|role| !role.may(Action::SeeUsers)) {
        desk.staff(role.code(), &[role]).await;
        let low = desk.another(role.code()).await;
        let mut open = 0;
        for address in &addresses {
            let (status, text) = answer(&low, address).await;
            assert!(is_expected(address, status), "{address}: {status}");
            assert_eq!(values_in(&people, &text), Vec::<&str>::new(), "{role:?} {address}");
            open += usize::from(status.is_success());
        }
        assert!(open > 10, "{role:?}: {open}");
        eprintln!(
            "{}: {} addresses, {open} open, no value of a user (with all roles: at {} of them)",
            role.code(),
            addresses.len(),
            seen.len()
        );
    }
}

/// All roles see the due date of an item, and the creator of a record.
#[tokio::test]
async fn the_borrower_of_an_item_is_shown_only_to_roles_that_may_see_users() {
    let (desk, people) = library().await;
    let (_, _, page) = desk.get("/catalogue/1").await;
    assert!(!values_in(&people, &page).is_empty() && page.contains("href=\"/users/11\""));
    desk.staff("cataloguer", &[Role::Cataloguer]).await;
    let cataloguer = desk.another("cataloguer").await;
    for address in ["/catalogue", "/catalogue/1"] {
        let (status, _, page) = cataloguer.get(address).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(values_in(&people, &page), Vec::<&str>::new(), "{address}");
        assert!(!page.contains("(user ") && !page.contains("href=\"/users"), "{address}");
        assert!(page.contains("FirstBystander Bystander"), "{address}");
    }
    let (_, _, page) = cataloguer.get("/catalogue/1").await;
    assert!(page.contains("On loan") && page.contains("30 Jan 2018"));
}

/// Otherwise a preview would reveal whether a person is a user, and their verdict.
#[tokio::test]
async fn the_users_of_a_preview_are_shown_only_to_roles_that_may_see_users() {
    for role in Role::ALL {
        assert!(!role.may(Action::SeeTasks) || role.may(Action::SeeUsers), "{role:?} sees people of runs");
        assert!(!role.may(Action::SeeResidue) || role.may(Action::SeeUsers), "{role:?} sees texts");
    }
    let (desk, _) = library().await;
    let preview = number(&desk.store, "SELECT MAX(id) FROM runs WHERE kind = 'preview'").await;
    let preview = RunId(preview);
    let (status, _, page) = desk.get(&format!("/runs/{preview}")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("would be anonymised") && page.contains("/users/11"));
    for role in Role::ALL.into_iter().filter(|role| !role.may(Action::SeeUsers)) {
        desk.staff(role.code(), &[role]).await;
        let low = desk.another(role.code()).await;
        let mut answers = BTreeSet::new();
        for member in [UserNumber(11), UserNumber(999_999)] {
            for what in ["", "verdict=eligible", "verdict=blocked", "reason=staff", "reason=open_loan"] {
                let (status, _, page) = low.get(&format!("/runs/{preview}?{what}&q={member}")).await;
                assert_eq!(status, StatusCode::FORBIDDEN, "{role:?}");
                answers.insert(without_nonce(&page));
            }
        }
        assert_eq!(answers.len(), 1, "{role:?}: the response is the same for every user and every reason");
        // The response does not reveal whether the preview or the user exists.
        for [existing, missing] in [["/runs/1", "/runs/999"], ["/users/11", "/users/999999"]] {
            let [existing, missing] = [low.get(existing).await, low.get(missing).await];
            assert_eq!((existing.0, missing.0), (StatusCode::FORBIDDEN, StatusCode::FORBIDDEN));
            assert_eq!(without_nonce(&existing.2), without_nonce(&missing.2));
        }
        for function in ["make_preview", "request_approval", "start_run", "anonymise_user"] {
            let (status, ..) = low.post(&format!("/do/{function}?page=/runs/1"), "form[task]=1").await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{role:?} {function}");
        }
    }
}

fn without_nonce(page: &str) -> String {
    let nonce = page.split("nonce=\"").nth(1).unwrap_or_default().split('"').next().unwrap_or_default();
    let page = if nonce.is_empty() { page.to_owned() } else { page.replace(nonce, "") };
    // Each form has a random key.
    let mut parts = page.split("name=\"form_key\" value=\"");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| part.split_once('"').expect("the end of a key").1);
    rest.fold(first, |page, part| page + part)
}
