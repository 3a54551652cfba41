//! Roles that may not see users: in no answer of any address stands a value of a user. Every personal value of the
//! library is one that stands nowhere else, made from the register of personal data.

#[path = "../../../../../app/records/tests/store/canary/plant.rs"]
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
use records::{Actor, Store, residue, run};
use std::collections::BTreeSet;

/// Ana with all roles, people full of values, a preview of them, a run, somebody who was anonymised alone.
pub(super) async fn library() -> (Desk, Vec<Person>) {
    let desk = four_eyes().await;
    let store = &desk.store;
    let guarantor = leaver(store, "Bystander").await;
    let away = format!("UPDATE users SET leaving_on = NULL, imported = FALSE WHERE number = {guarantor}");
    execute(store, &away).await;
    execute(store, "INSERT INTO custom_fields (key, label) VALUES ('locker', 'Locker')").await;
    let record = "INSERT INTO catalogue_records (title, created_on) VALUES ('A title', '2017-01-01')";
    execute(store, record).await;
    let planter = Planter::new(store.database(), guarantor.0).await;
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
    let alone = leaver(store, "Alone").await;
    run::anonymise_one(store, Actor::COMMAND_LINE, alone, &alone.to_string()).await.unwrap().unwrap();
    residue::background_scans().await;
    run::preview(store, Actor::COMMAND_LINE, task).await.unwrap();
    lend(store).await;
    (desk, people)
}

/// One of the people, who has also made the record, has an item of it at home.
async fn lend(store: &Store) {
    for sql in [
        "INSERT INTO items (record_id, barcode, branch) VALUES (1, 'I1', 'central')",
        "INSERT INTO loans (user_number, item_id, branch, issued_on, due_on) VALUES (11, 1, 'central', '2018-01-02', '2018-01-30')",
        "UPDATE catalogue_records SET created_by = (SELECT number FROM users WHERE last_name = 'Bystander')",
    ] {
        execute(store, sql).await;
    }
}

/// Every address of the router with everything that there is in the place of its names, and its filters.
async fn questions(desk: &Desk) -> Vec<String> {
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

/// What narrows or widens what an address shows.
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

/// The whole answer, as text: status, head and body. What a page has for its scripts stands in it.
async fn answer(desk: &Desk, address: &str) -> (StatusCode, String) {
    let (status, headers, body) = desk.answer(request(address, &desk.token)).await;
    (status, format!("{headers:?}\n{body}"))
}

pub(super) fn told<'a>(people: &'a [Person], text: &str) -> Vec<&'a str> {
    let values = people.iter().flat_map(|person| &person.present);
    let mut told: Vec<&str> = values.map(String::as_str).filter(|value| text.contains(*value)).collect();
    if told.is_empty() && text.contains("canary-") {
        told.push("a part of a value");
    }
    told
}

/// The health of a server without a scheduler is bad after a minute.
fn is_no_failure(address: &str, status: StatusCode) -> bool {
    !status.is_server_error() || ["/healthz", "/readyz"].contains(&address)
}

/// Addresses that end the session, or that somebody may only ask once.
const NOT_ASKED: [&str; 1] = ["/do/sign_out"];

#[tokio::test]
async fn who_may_not_see_users_is_told_nothing_of_any() {
    let (desk, people) = library().await;
    let questions: Vec<String> =
        questions(&desk).await.into_iter().filter(|address| !NOT_ASKED.contains(&address.as_str())).collect();
    // The search finds what is there: somebody who may see users sees it at many addresses.
    let mut seen = BTreeSet::new();
    for address in questions.iter().filter(|address| !address.starts_with("/do/")) {
        let (status, text) = answer(&desk, address).await;
        assert!(is_no_failure(address, status), "{address}: {status}");
        if !told(&people, &text).is_empty() {
            seen.insert(address);
        }
    }
    assert!(seen.len() > 40, "{seen:#?}");
    for role in Role::ALL.into_iter().filter(|role| !role.may(Action::SeeUsers)) {
        desk.staff(role.code(), &[role]).await;
        let low = desk.another(role.code()).await;
        let mut open = 0;
        for address in &questions {
            let (status, text) = answer(&low, address).await;
            assert!(is_no_failure(address, status), "{address}: {status}");
            assert_eq!(told(&people, &text), Vec::<&str>::new(), "{role:?} {address}");
            open += usize::from(status.is_success());
        }
        assert!(open > 10, "{role:?}: {open}");
        eprintln!(
            "{}: {} addresses, {open} open, no value of a user (with all roles: at {} of them)",
            role.code(),
            questions.len(),
            seen.len()
        );
    }
}

/// The catalogue says until when an item is away, and to whom it went only to those who may see users. Who made a record
/// is named to everybody.
#[tokio::test]
async fn who_has_an_item_is_told_only_to_those_who_see_users() {
    let (desk, people) = library().await;
    let (_, _, page) = desk.get("/catalogue/1").await;
    assert!(!told(&people, &page).is_empty() && page.contains("href=\"/users/11\""));
    desk.staff("cataloguer", &[Role::Cataloguer]).await;
    let cataloguer = desk.another("cataloguer").await;
    for address in ["/catalogue", "/catalogue/1"] {
        let (status, _, page) = cataloguer.get(address).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(told(&people, &page), Vec::<&str>::new(), "{address}");
        assert!(!page.contains("(user ") && !page.contains("href=\"/users"), "{address}");
        assert!(page.contains("FirstBystander Bystander"), "{address}");
    }
    let (_, _, page) = cataloguer.get("/catalogue/1").await;
    assert!(page.contains("On loan") && page.contains("30 Jan 2018"));
}

/// Whether somebody is a user, and how it stands with them, cannot be asked of a preview by those who may not see
/// users.
#[tokio::test]
async fn the_people_of_a_preview_are_for_those_who_see_users() {
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
        assert_eq!(answers.len(), 1, "{role:?}: the answer is the same for everybody and every reason");
        // Nor whether there is such a preview, or such a user.
        for [there, not] in [["/runs/1", "/runs/999"], ["/users/11", "/users/999999"]] {
            let [there, not] = [low.get(there).await, low.get(not).await];
            assert_eq!((there.0, not.0), (StatusCode::FORBIDDEN, StatusCode::FORBIDDEN));
            assert_eq!(without_nonce(&there.2), without_nonce(&not.2));
        }
        for function in ["make_preview", "ask_approval", "start_run", "anonymise_user"] {
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
