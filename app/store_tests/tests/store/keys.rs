//! Keys of users: one normal form at every entry point.

mod exchanges;
mod former_owners;
mod guarantors;
mod terms;

use crate::support::{add, for_each_database, import_users, leaver};
use crate::transfer::{file, problems};
use db::RecordsError;
use db::entity::users;
use db::pagination::Paging;
use identity::staff;
use policy::UserNumber;
use policy::form::Problem;
use policy::key_form::normal;
use policy::user_form::UserForm;
use records::user::provision::{self, Membership, TextTest, UserCondition};
use records::user::{self, UserQuery};
use sea_orm::{EntityTrait, QueryOrder, Set};
use trail::{Actor, Store};
use transfer::{ImportSummary, TransferError};

pub async fn try_import(store: &Store, content: &str) -> Result<ImportSummary, TransferError> {
    import_users(store, Actor::COMMAND_LINE, file(content).path(), false).await
}

pub async fn import(store: &Store, content: &str) -> ImportSummary {
    try_import(store, content).await.unwrap()
}

/// Returns created, changed, unchanged and rejected.
pub fn counts(summary: &ImportSummary) -> [u64; 4] {
    [summary.created, summary.changed, summary.unchanged, summary.rejected]
}

/// Returns all users by number. Checks that the normal forms of their keys are those of the keys.
pub async fn all(store: &Store) -> Vec<users::Model> {
    let all = users::Entity::find().order_by_asc(users::Column::Number).all(&store.db).await.unwrap();
    for user in &all {
        for (key, form) in [
            (&user.user_id, &user.user_id_key),
            (&user.barcode, &user.barcode_key),
            (&user.external_id, &user.external_id_key),
        ] {
            assert_eq!(&key.as_deref().map(normal), form, "user {}", user.number);
        }
    }
    all
}

/// Returns the user with this last name.
pub async fn named(store: &Store, name: &str) -> users::Model {
    all(store).await.into_iter().find(|user| user.last_name.as_deref() == Some(name)).unwrap()
}

pub async fn form_of(store: &Store, name: &str) -> UserForm {
    user::form_of(&user::read(store, UserNumber(named(store, name).await.number)).await.unwrap())
}

pub async fn save(store: &Store, form: &UserForm) -> Result<UserNumber, RecordsError> {
    user::save(store, Actor::COMMAND_LINE, form).await
}

/// Spellings of one UserID, barcode and external identifier.
const SPELLINGS: [&str; 4] = ["José-Straße", "JOSE\u{301}-STRASSE", " jose\u{301}-straße ", "josé-strasse"];

#[tokio::test]
async fn keys_that_look_alike_belong_to_one_user() {
    for_each_database(async |store| {
        let content = format!("last_name,external_id,user_id,barcode\nNg,x{0},y{0},z{0}\n", SPELLINGS[0]);
        assert_eq!(counts(&import(&store, &content).await), [1, 0, 0, 0]);
        let number = UserNumber(all(&store).await[0].number);
        for spelling in SPELLINGS {
            let key = spelling.trim();
            for (column, first) in [("external_id", "X"), ("user_id", "Y"), ("barcode", "Z")] {
                let mut form = UserForm { last_name: "New".to_owned(), ..UserForm::default() };
                *form.text_mut(column).unwrap() = format!("{first}{key}");
                for new in [
                    save(&store, &form).await.map(|_| ()),
                    provision::create(&store, Actor::COMMAND_LINE, &form, Membership::Keep).await.map(|_| ()),
                ] {
                    let Err(RecordsError::Invalid(errors)) = new else { panic!("{column} {spelling}") };
                    assert_eq!(
                        errors.message(column),
                        Some(Problem::Taken.to_string()),
                        "{column} {spelling}"
                    );
                }
                let content = format!("last_name,{column}\nNg,{first}{key}\n");
                assert_eq!(import(&store, &content).await.created, 0, "{column} {spelling}");
            }
            let signs_in = staff::user_with_id(&store, &format!(" Y{key}")).await.unwrap();
            assert_eq!(signs_in, Some(number), "{spelling}");
            for (field, first) in [("external_id", "X"), ("user_id", "Y")] {
                let is = UserCondition::Text(field, TextTest::Is, format!("{first}{key}"));
                let found = provision::find(&store, Actor::COMMAND_LINE, &is, (0, 9)).await.unwrap();
                assert_eq!(found.0, 1, "{field} {spelling}");
                let is_not = UserCondition::Not(Box::new(is));
                assert_eq!(provision::find(&store, Actor::COMMAND_LINE, &is_not, (0, 9)).await.unwrap().0, 0);
            }
            for first in ["x", "Y", "Z"] {
                let query = UserQuery { text: format!("{first}{key}"), ..UserQuery::default() };
                let found = user::find(&store, &query, &Paging::default()).await.unwrap();
                assert_eq!(found.rows.len(), 1, "{first}{spelling}");
            }
        }
        assert_eq!(all(&store).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn invisible_characters_are_rejected_at_every_entry_point() {
    for_each_database(async |store| {
        let hidden = Problem::ControlCharacter.to_string();
        for unseen in ["\u{AD}", "\u{200E}", "\u{200C}", "\u{202E}", "\u{2066}", "\u{FEFF}"] {
            for column in ["external_id", "user_id", "barcode", "email"] {
                let mut form = UserForm { last_name: "Ng".to_owned(), ..UserForm::default() };
                let key = format!("ra{unseen}10001@example.org");
                key.clone_into(form.text_mut(column).unwrap());
                for new in [
                    save(&store, &form).await.map(|_| ()),
                    provision::create(&store, Actor::COMMAND_LINE, &form, Membership::Keep).await.map(|_| ()),
                ] {
                    let Err(RecordsError::Invalid(errors)) = new else { panic!("{column} {unseen:?}") };
                    assert_eq!(errors.message(column), Some(hidden.clone()), "{column} {unseen:?}");
                }
            }
            for column in ["external_id", "user_id", "barcode"] {
                let found =
                    problems(try_import(&store, &format!("last_name,{column}\nNg,ra{unseen}1\n")).await);
                assert_eq!(found, [format!("line 2, {column}: {hidden}")], "{unseen:?}");
            }
            let content =
                format!("last_name,barcode,email,guarantor_user_id\nNg,1,a{unseen}@b.org,g{unseen}\n");
            let found = problems(try_import(&store, &content).await);
            let expected = ["email", "guarantor_user_id"].map(|column| format!("line 2, {column}: {hidden}"));
            assert_eq!(found, expected, "{unseen:?}");
        }
        // Names keep the joiners that their scripts need.
        for name in ["علی\u{200C}رضا", "क्\u{200D}ष"] {
            let form = UserForm { last_name: name.to_owned(), ..UserForm::default() };
            save(&store, &form).await.unwrap();
            import(&store, &format!("last_name,barcode\n{name},{}\n", name.chars().count())).await;
        }
        let names = all(&store).await;
        assert_eq!(
            names.iter().filter(|user| user.last_name.as_deref() == Some("علی\u{200C}رضا")).count(),
            2
        );
    })
    .await;
}

#[tokio::test]
async fn every_writer_stores_the_normal_forms() {
    for_each_database(async |store| {
        demo::fill(&store, Actor::COMMAND_LINE, 60, 7).await.unwrap();
        let demo = all(&store).await;
        assert!(demo.iter().any(|user| user.user_id_key.is_some()));
        assert!(demo.iter().all(|user| user.scim_id.is_some() == user.anonymised_on.is_none()));
        let user =
            add(&store, users::ActiveModel { barcode: Set(Some("B-É".to_owned())), ..leaver("Ng") }).await;
        assert_eq!(user.barcode_key.as_deref(), Some("b-é"));
        let mut form = form_of(&store, "Ng").await;
        form.user_id = "NEW".to_owned();
        form.barcode = String::new();
        save(&store, &form).await.unwrap();
        let user = named(&store, "Ng").await;
        assert_eq!((user.user_id_key.as_deref(), user.barcode_key), (Some("new"), None));
    })
    .await;
}
