//! The pages *Held lines*, *Create user* and *Suppression list*.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::desk::{Desk, post};
use axum::http::StatusCode;
use axum::http::header::ORIGIN;
use db::entity::{held_lines, suppressed_keys, tasks};
use db::pagination::Paging;
use policy::import_profile::{FileKind, ImportProfile};
use policy::suppression::HeldDecision;
use policy::{Policy, Role, Schedule, TaskSettings, TaskType, UserNumber};
use records::user::{self, UserQuery};
use safeguards::suppression::held_line::{self, Show};
use sea_orm::{ActiveModelTrait as _, ConnectionTrait as _, EntityTrait as _, PaginatorTrait as _, Set};
use std::io::Write as _;
use task_centre::run;
use trail::{Actor, Store};
use transfer::{ImportOrder, ImportSummary, Watch};

const FILE: &str = "external_id,user_id,barcode,last_name\n\
                    SECRET-E1,secret-u1,SECRET-B1,Secretone\n\
                    SECRET-E2,secret-u2,SECRET-B2,Secrettwo\n\
                    SECRET-E3,secret-u3,SECRET-B3,Secretthree\n";

async fn import(store: &Store) -> ImportSummary {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(FILE.as_bytes()).unwrap();
    let watch = Watch::default();
    let order = ImportOrder::on_command_line(file.path(), ImportProfile::own_format(FileKind::Users), &watch);
    transfer::import(store, Actor::COMMAND_LINE, &order).await.unwrap().summary
}

/// Adds the task whose settings apply to single users.
pub(super) async fn single_task(store: &Store) {
    let now = store.clock.now();
    let task = tasks::ActiveModel {
        description: Set("Single users".to_owned()),
        active: Set(true),
        task_type: Set(TaskType::AnonymiseUserData),
        visibility: Set(policy::task_form::Visibility::Shared),
        settings: Set(TaskSettings::AnonymiseUserData(Policy::default())),
        schedule: Set(Schedule::ManualOnly),
        single_default: Set(true),
        created_at: Set(now),
        changed_at: Set(now),
        ..Default::default()
    };
    task.insert(&store.db).await.unwrap();
}

/// Imports three users, anonymises them and imports the file again.
async fn held(desk: &Desk) -> Vec<i64> {
    let store = &desk.store;
    single_task(store).await;
    assert_eq!(import(store).await.created, 3);
    let query = UserQuery { text: "secretone secrettwo".to_owned(), ..UserQuery::default() };
    assert!(user::find(store, &query, &Paging::default()).await.unwrap().rows.is_empty());
    for name in ["secretone", "secrettwo", "secretthree"] {
        let query = UserQuery { text: name.to_owned(), ..UserQuery::default() };
        let found = user::find(store, &query, &Paging::default()).await.unwrap().rows;
        let number: UserNumber = found[0].number;
        run::anonymise_one(store, Actor::COMMAND_LINE, number, &number.to_string()).await.unwrap();
    }
    run::background_scans().await;
    assert_eq!(import(store).await.suppressed, 3);
    rows(store).await.into_iter().map(|row| row.id).collect()
}

async fn rows(store: &Store) -> Vec<held_lines::Model> {
    let mut rows = held_lines::Entity::find().all(&store.db).await.unwrap();
    rows.sort_by_key(|row| row.id);
    rows
}

const DECIDE: &str = "/do/decide_held_lines?page=/users/held-lines";

#[tokio::test]
async fn held_lines_are_decided_singly_and_in_bulk() {
    for desk in [Some(Desk::open().await), Desk::open_on_postgres().await].into_iter().flatten() {
        let ids = held(&desk).await;
        let (status, _, page) = desk.get("/users/held-lines").await;
        assert_eq!(status, StatusCode::OK);
        for decision in HeldDecision::ALL {
            assert!(
                page.contains(decision.label()) && page.contains(&decision.consequence()[..40]),
                "{page}"
            );
        }
        assert!(page.contains("External identifier") && page.contains("All 3 lines to decide"), "{page}");
        assert!(!page.to_lowercase().contains("secret"), "no value of a line: {page}");
        let link = "<a href=\"/users/held-lines\">3 held lines</a>";
        assert!(!desk.get("/").await.2.contains(link), "they are new");
        let sql = "UPDATE held_lines SET first_seen_on = '2001-01-01'";
        desk.store.db.execute_unprepared(sql).await.unwrap();
        let (_, _, home) = desk.get("/").await;
        assert!(home.contains(link) && home.contains("1 Jan 2001"), "{home}");

        let one = format!("form[lines][line_{}]=true&form[decision]=always_ignore", ids[0]);
        let (status, location, _) = desk.post(DECIDE, one).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        assert!(location.starts_with("/users/held-lines?done=held-lines-ignored&"), "{location}");
        let unseen = "form[all]=true&form[undecided]=1&form[decision]=new_membership";
        let (_, location, _) = desk.post(DECIDE, unseen).await;
        assert!(!location.contains("done="), "another line came meanwhile: {location}");
        let (_, location, _) =
            desk.post(DECIDE, "form[all]=true&form[undecided]=2&form[decision]=new_membership").await;
        assert!(location.starts_with("/users/held-lines?done=held-lines-created-later&"), "{location}");
        let decisions: Vec<_> = rows(&desk.store).await.into_iter().map(|row| row.decision).collect();
        let expected = [HeldDecision::AlwaysIgnore, HeldDecision::NewMembership, HeldDecision::NewMembership];
        assert_eq!(decisions, expected.map(Some));
        let (_, _, page) = desk.get("/users/held-lines").await;
        assert!(page.contains("No held lines."));
        let (_, _, page) = desk.get("/users/held-lines?show=decided").await;
        assert!(page.contains("Always ignore") && page.contains(&format!("form[lines][line_{}]", ids[0])));
        let summary = import(&desk.store).await;
        assert_eq!((summary.created, summary.suppressed_ignored), (2, 1));
    }
}

#[tokio::test]
async fn an_incomplete_decision_keeps_the_ticks_and_names_the_problem() {
    let desk = Desk::open().await;
    let ids = held(&desk).await;
    for (form, problem) in [
        (String::new(), "could not be read"),
        ("form[decision]=ignore".to_owned(), "Choose at least one line"),
        (format!("form[lines][line_{}]=true", ids[0]), "Choose a decision"),
        (format!("form[lines][line_{}]=true&form[decision]=maybe", ids[0]), "Choose one of the options"),
        (format!("form[lines][{}]=true&form[decision]=ignore", ids[0]), "Choose one of the options"),
        (
            "form[all]=true&form[undecided]=3&form[decision]=ignore&form[user]=7".to_owned(),
            "could not be read",
        ),
    ] {
        let (status, _, page) = desk.post(DECIDE, form.as_str()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(page.contains(problem), "{form}: {page}");
    }
    let (_, _, page) = desk.post(DECIDE, format!("form[lines][line_{}]=true", ids[1])).await;
    let ticked = format!("id=\"line_{}\"", ids[1]);
    let (_, rest) = page.split_once(&ticked).unwrap();
    assert!(rest.split('>').next().unwrap().contains("checked"), "{rest}");
    let (status, _, _) = desk.post(DECIDE, "form[lines][line_999]=true&form[decision]=ignore").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(rows(&desk.store).await.iter().all(|row| row.decision.is_none()), "nothing was decided");
}

#[tokio::test]
async fn create_user_shows_which_field_is_suppressed_and_offers_two_decisions() {
    let desk = Desk::open().await;
    held(&desk).await;
    let save = "/do/save_user?page=/users/new";
    let (_, _, page) = desk.get("/users/new").await;
    assert!(!page.contains("form[suppressed]"), "no question without a reason");
    let form = "form[last_name]=Back&form[external_id]=secret-e1&form[barcode]=X9";
    let (status, _, page) = desk.post(save, form).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (_, problem) = page.split_once("id=\"external_id-problem\"").unwrap();
    assert!(problem.contains("An anonymised user had this value"), "{page}");
    let (_, problem) = page.split_once("id=\"barcode-problem\"").unwrap();
    assert!(!problem.split("</p>").next().unwrap().contains("anonymised"), "the barcode is new");
    for code in ["new_membership", "different_person"] {
        assert!(
            page.contains(&format!("name=\"form[suppressed]\" type=\"radio\" value=\"{code}\"")),
            "{page}"
        );
    }
    assert!(!page.contains("value=\"always_ignore\""));
    let (status, _, _) = desk.post(save, format!("{form}&form[suppressed]=ignore")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, location, _) = desk.post(save, format!("{form}&form[suppressed]=new_membership")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(location.contains("done=user-created&"), "{location}");
    assert_eq!(rows(&desk.store).await.len(), 2, "the held line of this user is settled");
}

#[tokio::test]
async fn only_permitted_staff_decide_and_only_from_a_page_of_lethe() {
    let mut desk = Desk::open().await;
    held(&desk).await;
    let decision = "form[all]=true&form[undecided]=1&form[decision]=new_membership";
    for role in [Role::Dpo, Role::Cataloguer, Role::Statistics] {
        desk.staff(role.code(), &[role]).await;
        let other = desk.another(role.code()).await;
        assert_eq!(other.get("/users/held-lines").await.0, StatusCode::FORBIDDEN, "{role:?}");
        assert_eq!(other.post(DECIDE, decision).await.0, StatusCode::FORBIDDEN, "{role:?}");
    }
    let without_token = desk.answer(post(DECIDE, decision.to_owned())).await.0;
    assert_ne!(without_token, StatusCode::SEE_OTHER);
    let mut foreign = post(DECIDE, format!("{decision}&form_token={}", desk.token));
    foreign.headers_mut().insert(ORIGIN, "https://evil.example".parse().unwrap());
    foreign.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
    assert_eq!(desk.answer(foreign).await.0, StatusCode::FORBIDDEN);
    desk.cookie.clear();
    assert_eq!(desk.post(DECIDE, decision).await.0, StatusCode::UNAUTHORIZED);
    assert!(rows(&desk.store).await.iter().all(|row| row.decision.is_none()), "nothing was decided");
    let listed = held_line::list(&desk.store, Actor::COMMAND_LINE, Show::Undecided, &Paging::default()).await;
    assert_eq!(listed.unwrap().rows.len(), 3);
}

#[tokio::test]
async fn the_key_is_destroyed_by_a_data_protection_officer_with_the_typed_word() {
    let desk = Desk::open().await;
    held(&desk).await;
    let destroy = "/do/destroy_suppression_key?page=/suppression";
    for role in [Role::Administrator, Role::SystemsLibrarian, Role::Librarian] {
        desk.staff(role.code(), &[role]).await;
        let other = desk.another(role.code()).await;
        assert_eq!(other.post(destroy, "form[confirm]=DESTROY").await.0, StatusCode::FORBIDDEN, "{role:?}");
    }
    let (status, _, page) = desk.get("/suppression").await;
    assert_eq!(status, StatusCode::OK);
    for part in ["9 keys", "24 months", "This cannot be undone", "To confirm, type DESTROY"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let keys = async || suppressed_keys::Entity::find().count(&desk.store.db).await.unwrap();
    let (status, location, _) = desk.post(destroy, "form[confirm]=yes").await;
    assert_eq!(status, StatusCode::SEE_OTHER, "a wrong confirmation is shown on the page");
    let (_, _, page) = desk.get(&location).await;
    assert!(page.contains("Enter DESTROY to confirm"), "{page}");
    assert_eq!(keys().await, 9);
    let (status, location, _) = desk.post(destroy, "form[confirm]=DESTROY").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(location.starts_with("/suppression?done=suppression-key-destroyed&"), "{location}");
    assert_eq!(keys().await, 0);
    assert!(rows(&desk.store).await.is_empty());
}

#[tokio::test]
async fn the_pages_say_that_the_key_is_lost_without_naming_a_file() {
    let desk = Desk::open().await;
    held(&desk).await;
    std::fs::remove_file(&desk.store.settings.suppression_key).unwrap();
    let (status, _, page) = desk.post("/do/save_user?page=/users/new", "form[last_name]=New").await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("The key of the suppression list is missing"), "{page}");
    let (_, _, page) = desk.get("/suppression").await;
    assert!(page.contains("is missing") && page.contains("lethe suppression destroy"));
    assert!(!page.contains(desk.folder.path().to_str().unwrap()), "no path of the server");
}
