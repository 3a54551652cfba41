//! The form of a user record: its input and the validated result.

use crate::dates::{optional_date, optional_past_date};
use crate::form::{FieldErrors, Problem};
use crate::ids::UserNumber;
use crate::replacement::is_replacement;
use crate::task_form::{optional_user, required_line};
use crate::text;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The form as entered.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserForm {
    /// Number of the edited user; empty for a new one.
    pub number: String,
    /// Version of the record when the form was opened; empty for a new one.
    pub version: String,
    /// UserID (login name).
    pub user_id: String,
    /// Title.
    pub title: String,
    /// First name.
    pub first_name: String,
    /// Middle name.
    pub middle_name: String,
    /// Last name.
    pub last_name: String,
    /// Preferred name.
    pub preferred_name: String,
    /// E-mail.
    pub email: String,
    /// Phone.
    pub phone: String,
    /// Mobile phone.
    pub mobile: String,
    /// Street and house number.
    pub street: String,
    /// Postcode.
    pub postcode: String,
    /// City.
    pub city: String,
    /// Country.
    pub country: String,
    /// Birth date.
    pub birth_date: String,
    /// Gender.
    pub gender: String,
    /// Language.
    pub language: String,
    /// Barcode.
    pub barcode: String,
    /// External identifier.
    pub external_id: String,
    /// User category.
    pub category: String,
    /// Department.
    pub department: String,
    /// Branch.
    pub branch: String,
    /// Leaving date.
    pub leaving_on: String,
    /// User number of the guarantor.
    pub guarantor: String,
    /// Whether the record isn't a person.
    pub fictitious: bool,
    /// Free text.
    pub notes: String,
    /// Values of custom fields by key.
    pub custom: BTreeMap<String, String>,
    /// Whether to remove the photo.
    pub remove_photo: bool,
    /// Whether to remove password, second factor, tokens and sessions.
    pub remove_sign_in: bool,
}

/// A validated user form. Empty fields are `None`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of the form")]
pub struct UserDraft {
    pub user_id: Option<String>,
    pub title: Option<String>,
    pub first_name: Option<String>,
    pub middle_name: Option<String>,
    pub last_name: Option<String>,
    pub preferred_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub mobile: Option<String>,
    pub street: Option<String>,
    pub postcode: Option<String>,
    pub city: Option<String>,
    pub country: Option<String>,
    pub birth_date: Option<NaiveDate>,
    pub gender: Option<String>,
    pub language: Option<String>,
    pub barcode: Option<String>,
    pub external_id: Option<String>,
    pub category: Option<String>,
    pub department: Option<String>,
    pub branch: Option<String>,
    pub leaving_on: Option<NaiveDate>,
    pub guarantor: Option<UserNumber>,
    pub fictitious: bool,
    pub notes: Option<String>,
    pub custom: BTreeMap<String, String>,
    pub remove_photo: bool,
    pub remove_sign_in: bool,
}

/// Validates the form. Dates of past events can't lie after `today`.
///
/// The caller checks in the database that UserID, barcode and external identifier are unique.
pub fn validate(form: &UserForm, today: NaiveDate) -> Result<UserDraft, FieldErrors> {
    let mut errors = FieldErrors::default();
    let mut draft = UserDraft {
        fictitious: form.fictitious,
        remove_photo: form.remove_photo,
        remove_sign_in: form.remove_sign_in,
        ..UserDraft::default()
    };
    for (field, typed, place) in [
        ("user_id", &form.user_id, &mut draft.user_id),
        ("title", &form.title, &mut draft.title),
        ("first_name", &form.first_name, &mut draft.first_name),
        ("middle_name", &form.middle_name, &mut draft.middle_name),
        ("preferred_name", &form.preferred_name, &mut draft.preferred_name),
        ("phone", &form.phone, &mut draft.phone),
        ("mobile", &form.mobile, &mut draft.mobile),
        ("street", &form.street, &mut draft.street),
        ("postcode", &form.postcode, &mut draft.postcode),
        ("city", &form.city, &mut draft.city),
        ("country", &form.country, &mut draft.country),
        ("gender", &form.gender, &mut draft.gender),
        ("language", &form.language, &mut draft.language),
        ("barcode", &form.barcode, &mut draft.barcode),
        ("external_id", &form.external_id, &mut draft.external_id),
        ("category", &form.category, &mut draft.category),
        ("department", &form.department, &mut draft.department),
        ("branch", &form.branch, &mut draft.branch),
    ] {
        *place = errors.take(field, text::line(typed, text::SHORT)).and_then(some);
    }
    draft.last_name = errors.take("last_name", required_line(&form.last_name, "a last name"));
    if draft.last_name.as_deref().is_some_and(is_replacement) {
        errors.add("last_name", Problem::Reserved);
    }
    draft.email = errors.take("email", text::email(&form.email)).and_then(some);
    draft.notes = errors.take("notes", text::lines(&form.notes, text::LONG)).and_then(some);
    draft.birth_date = errors.take("birth_date", optional_past_date(&form.birth_date, today)).flatten();
    draft.leaving_on = errors.take("leaving_on", optional_date(&form.leaving_on)).flatten();
    draft.guarantor = errors.take("guarantor", optional_user(&form.guarantor)).flatten();
    for (key, typed) in &form.custom {
        let value = errors.take(&format!("custom.{key}"), text::line(typed, text::SHORT)).and_then(some);
        draft.custom.extend(value.map(|value| (key.clone(), value)));
    }
    if errors.is_empty() { Ok(draft) } else { Err(errors) }
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dates;

    #[test]
    fn a_valid_form_is_parsed_and_each_invalid_field_is_reported() {
        let valid = UserForm {
            last_name: " Ng ".to_owned(),
            birth_date: "1 Feb 1990".to_owned(),
            ..UserForm::default()
        };
        let today = NaiveDate::from_ymd_opt(2018, 1, 21).expect("a date");
        let draft = validate(&valid, today).expect("a valid form");
        assert_eq!(draft.last_name.as_deref(), Some("Ng"));
        assert_eq!(draft.birth_date.map(dates::iso).as_deref(), Some("1990-02-01"));
        assert_eq!(draft.first_name, None);

        let invalid = UserForm {
            first_name: "a\0b".to_owned(),
            last_name: "Anonymised user 7F3KQ2".to_owned(),
            email: "nobody".to_owned(),
            notes: "x".repeat(4_001),
            birth_date: "1890-01-01".to_owned(),
            guarantor: "the mother".to_owned(),
            ..UserForm::default()
        };
        let errors = validate(&invalid, today).expect_err("an invalid form");
        let fields: Vec<&str> = errors.0.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["first_name", "last_name", "email", "notes", "birth_date", "guarantor"]);
    }
}
