//! The form, the record page and the command line show every field of a user record.

use super::desk::Desk;
use crate::command::record_text;
use axum::http::StatusCode;
use policy::user_field::{FieldKind, USER_FIELDS, UserField};
use policy::user_form::UserForm;
use records::user;
use serde_json::{Value, json};
use trail::Actor;

/// Returns a value for the form that no other field has, and the same value as a page shows it.
fn value_of(field: &UserField, position: usize) -> (Value, String) {
    match field.kind {
        FieldKind::Email => {
            let email = format!("value{position}x@example.org");
            (json!(email), email)
        }
        FieldKind::PastDate | FieldKind::Date => {
            (json!(format!("{}-03-01", 1980 + position)), (1980 + position).to_string())
        }
        FieldKind::Flag => (json!(true), "ictitious".to_owned()),
        FieldKind::Line | FieldKind::Key | FieldKind::LastName | FieldKind::Lines | FieldKind::Term => {
            let text = format!("value{position}x");
            (json!(text), text)
        }
    }
}

#[tokio::test]
async fn every_field_is_on_the_form_on_the_record_and_on_the_command_line() {
    let desk = Desk::open().await;
    let mut form = json!(UserForm::default());
    for (position, field) in USER_FIELDS.iter().enumerate() {
        form[field.name] = value_of(field, position).0;
    }
    let form: UserForm = serde_json::from_value(form).expect("a form");
    let number = user::save(&desk.store, Actor::COMMAND_LINE, &form).await.expect("saved");
    let record = user::read(&desk.store, number).await.expect("a record");
    let line = record_text(&record);
    let (status, _, edit) = desk.get(&format!("/users/{number}/edit")).await;
    assert_eq!(status, StatusCode::OK);
    let (status, _, details) = desk.get(&format!("/users/{number}")).await;
    assert_eq!(status, StatusCode::OK);
    for (position, field) in USER_FIELDS.iter().enumerate() {
        let (_, shown) = value_of(field, position);
        let input = format!("name=\"form[{}]\"", field.name);
        assert!(edit.contains(&input), "the form has no field {}", field.name);
        assert!(details.contains(&shown), "the record does not show {}", field.name);
        assert!(line.contains(&shown), "the command line does not show {}: {line}", field.name);
    }
}
