//! Every place that must know a field of a user record knows it. The fields are those of `policy::user_field`.

use crate::legal_holds::first_on_user;
use crate::support::{execute, for_each_database, import_users};
use crate::transfer::file;
use db::RecordsError;
use db::entity::audit_events;
use db::pagination::Paging;
use policy::UserNumber;
use policy::personal_data::TABLES;
use policy::user_field::{FieldKind, Protection, Search, USER_FIELDS, UserField};
use policy::user_form::UserForm;
use records::user::{self, UserQuery};
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder, Statement};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use trail::{Actor, Store};
use transfer::export_users;

/// Returns a value that no other field has. `version` makes another value of the same field.
fn value_of(field: &UserField, version: usize) -> Value {
    let position = USER_FIELDS.iter().position(|other| other == field).unwrap();
    match field.kind {
        FieldKind::Line | FieldKind::Key | FieldKind::LastName | FieldKind::Lines | FieldKind::Term => {
            json!(format!("value{position}x{version}"))
        }
        FieldKind::Email => json!(format!("value{position}x{version}@example.org")),
        FieldKind::PastDate | FieldKind::Date => json!(format!("{} Mar {}", version + 1, 1980 + position)),
        FieldKind::Flag => json!(version == 1),
    }
}

/// Returns a form with this value in the field.
fn with(form: &UserForm, field: &UserField, value: Value) -> UserForm {
    let mut json = serde_json::to_value(form).unwrap();
    json[field.name] = value;
    serde_json::from_value(json).unwrap()
}

fn value(form: &UserForm, field: &UserField) -> Value {
    serde_json::to_value(form).unwrap()[field.name].clone()
}

/// Returns a form with a value in every field.
fn full() -> UserForm {
    USER_FIELDS.iter().fold(UserForm::default(), |form, field| with(&form, field, value_of(field, 0)))
}

async fn save(store: &Store, form: &UserForm) -> Result<UserNumber, RecordsError> {
    user::save(store, Actor::COMMAND_LINE, form).await
}

async fn form_of(store: &Store, number: UserNumber) -> UserForm {
    user::form_of(&user::read(store, number).await.unwrap())
}

async fn last_event(store: &Store) -> String {
    let newest = audit_events::Entity::find().order_by_desc(audit_events::Column::Id);
    newest.one(&store.db).await.unwrap().unwrap().detail
}

#[tokio::test]
async fn every_field_is_stored_and_its_change_is_recorded() {
    for_each_database(async |store| {
        let number = save(&store, &full()).await.unwrap();
        for field in USER_FIELDS {
            assert_eq!(value(&form_of(&store, number).await, field), value_of(field, 0), "{}", field.name);
        }
        for field in USER_FIELDS {
            let changed = with(&form_of(&store, number).await, field, value_of(field, 1));
            save(&store, &changed).await.unwrap();
            assert_eq!(value(&form_of(&store, number).await, field), value_of(field, 1), "{}", field.name);
            assert_eq!(last_event(&store).await, field.name);
        }
    })
    .await;
}

#[tokio::test]
async fn a_legal_hold_protects_every_personal_field() {
    for_each_database(async |store| {
        let number = save(&store, &full()).await.unwrap();
        first_on_user(&store, number.0).await;
        for field in USER_FIELDS {
            let result = save(&store, &with(&form_of(&store, number).await, field, value_of(field, 1))).await;
            let is_rejected = matches!(result, Err(RecordsError::Refused(_)));
            assert_eq!(
                is_rejected,
                field.protection != Protection::Organisational,
                "{}: {result:?}",
                field.name
            );
        }
    })
    .await;
}

#[tokio::test]
async fn an_export_contains_every_field_and_its_import_restores_it() {
    for_each_database(async |store| {
        let number = save(&store, &full()).await.unwrap();
        let mut exported = Vec::new();
        export_users(&store, Actor::COMMAND_LINE, &mut exported).await.unwrap();
        for field in USER_FIELDS {
            // Another import must not change what identifies the line, nor whether the user is fictitious.
            let is_key = ["user_id", "barcode", "external_id"].contains(&field.name);
            if is_key || field.kind == FieldKind::Flag {
                continue;
            }
            execute(&store, &format!("UPDATE users SET {} = NULL WHERE number = {number}", field.name)).await;
            import_users(&store, Actor::COMMAND_LINE, file(&exported).path(), false).await.unwrap();
            assert_eq!(value(&form_of(&store, number).await, field), value_of(field, 0), "{}", field.name);
        }
        let text = String::from_utf8(exported).unwrap();
        let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
        for field in USER_FIELDS {
            assert!(header.contains(&field.name), "{}", field.name);
        }
    })
    .await;
}

#[tokio::test]
async fn the_search_finds_a_user_by_exactly_the_searched_fields() {
    for_each_database(async |store| {
        let number = save(&store, &full()).await.unwrap();
        for field in USER_FIELDS {
            let Value::String(text) = value_of(field, 0) else { continue };
            let query = UserQuery { text, ..UserQuery::default() };
            let found = user::find(&store, &query, &Paging::default()).await.unwrap();
            let is_found = found.rows.iter().any(|row| row.number == number);
            assert_eq!(is_found, field.search == Search::Searched, "{}", field.name);
        }
    })
    .await;
}

/// The columns of users that no row of the table describes: staff don't edit them as fields.
const OTHER_COLUMNS: [&str; 20] = [
    "number",
    "uuid",
    "scim_id",
    "name_order",
    "user_id_key",
    "barcode_key",
    "external_id_key",
    "birth_period",
    "imported",
    "created_on",
    "last_activity_on",
    "marked_on",
    "announced_on",
    "kept_on",
    "dates_by_month",
    "guarantor_number",
    "replacement",
    "anonymised_on",
    "rules_version",
    "version",
];

#[test]
fn the_register_classifies_every_field_and_no_other_column() {
    let users = TABLES.iter().find(|table| table.name == "users").unwrap();
    let registered: BTreeSet<&str> = users.columns.iter().map(|column| column.name).collect();
    let known: BTreeSet<&str> = USER_FIELDS.iter().map(|field| field.name).chain(OTHER_COLUMNS).collect();
    assert_eq!(registered, known);
}

#[tokio::test]
async fn the_demo_library_uses_every_field() {
    for_each_database(async |store| {
        demo::fill(&store, Actor::COMMAND_LINE, 300, 7).await.unwrap();
        let db = &store.db;
        for field in USER_FIELDS {
            let condition = if field.kind == FieldKind::Flag { "" } else { " IS NOT NULL" };
            let sql = format!("SELECT COUNT(*) AS n FROM users WHERE {}{condition}", field.name);
            let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
            let n: i64 = row.unwrap().try_get("", "n").unwrap();
            assert!(n > 0, "{}", field.name);
        }
    })
    .await;
}
