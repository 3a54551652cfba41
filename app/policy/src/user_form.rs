//! The form of a user record: its input and the validated result.

use crate::dates::{optional_date, optional_past_date};
use crate::form::{FieldErrors, Problem};
use crate::ids::UserNumber;
use crate::replacement::is_replacement;
use crate::suppression::HeldDecision;
use crate::task_form::optional_user;
use crate::text::required_line;
use crate::{key_form, list_user_fields, text, with_user_fields};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The type of a field in the form.
macro_rules! form_type {
    (Flag) => {
        bool
    };
    ($kind:ident) => {
        String
    };
}

/// The type of a validated field.
macro_rules! draft_type {
    (Flag) => {
        bool
    };
    (Date) => {
        Option<NaiveDate>
    };
    (PastDate) => {
        Option<NaiveDate>
    };
    ($kind:ident) => {
        Option<String>
    };
}

/// Validates one field.
macro_rules! validated {
    (Flag, $name:ident, $form:ident, $errors:ident, $today:ident) => {
        $form.$name
    };
    (Date, $name:ident, $form:ident, $errors:ident, $today:ident) => {
        $errors.take(stringify!($name), optional_date(&$form.$name)).flatten()
    };
    (PastDate, $name:ident, $form:ident, $errors:ident, $today:ident) => {
        $errors.take(stringify!($name), optional_past_date(&$form.$name, $today)).flatten()
    };
    (Email, $name:ident, $form:ident, $errors:ident, $today:ident) => {
        $errors.take(stringify!($name), key_form::email(&$form.$name)).and_then(some)
    };
    (Key, $name:ident, $form:ident, $errors:ident, $today:ident) => {
        $errors.take(stringify!($name), key_form::validate(&$form.$name)).and_then(some)
    };
    (Lines, $name:ident, $form:ident, $errors:ident, $today:ident) => {
        $errors.take(stringify!($name), text::lines(&$form.$name, text::MAX_LONG_CHARS)).and_then(some)
    };
    (LastName, $name:ident, $form:ident, $errors:ident, $today:ident) => {
        last_name(&$form.$name, &mut $errors)
    };
    ($kind:ident, $name:ident, $form:ident, $errors:ident, $today:ident) => {
        $errors.take(stringify!($name), text::line(&$form.$name, text::MAX_SHORT_CHARS)).and_then(some)
    };
}

/// Returns the text of a field, or `None` for a flag.
macro_rules! text_place {
    (Flag, $place:expr) => {
        None
    };
    ($kind:ident, $place:expr) => {
        Some($place)
    };
}

macro_rules! form_and_draft {
    ($($name:ident: $kind:ident $(, $cell:tt)*;)*) => {
        /// The form as entered.
        #[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
        #[serde(default, deny_unknown_fields)]
        #[allow(missing_docs, reason = "the table of fields describes each")]
        pub struct UserForm {
            /// Number of the edited user; empty for a new one.
            pub number: String,
            /// Version of the record when the form was opened; empty for a new one.
            pub version: String,
            $(pub $name: form_type!($kind),)*
            /// User number of the guarantor.
            pub guarantor: String,
            /// Values of custom fields by key.
            pub custom: BTreeMap<String, String>,
            /// Whether to remove the photo.
            pub remove_photo: bool,
            /// Whether to remove password, second factor, tokens and sessions.
            pub remove_sign_in: bool,
            /// Code of the decision about a new user whose key is on the suppression list: *new membership* or
            /// *different person*. Empty if there is none.
            pub suppressed: String,
        }

        impl UserForm {
            /// Returns the text of the field with this name, to be changed. `None` for a flag or an unknown name.
            pub fn text_mut(&mut self, name: &str) -> Option<&mut String> {
                $(if name == stringify!($name) {
                    return text_place!($kind, &mut self.$name);
                })*
                None
            }
        }

        /// A validated user form. Empty fields are `None`.
        #[derive(Clone, Debug, Default, Eq, PartialEq)]
        #[allow(missing_docs, reason = "the fields are those of the form")]
        pub struct UserDraft {
            $(pub $name: draft_type!($kind),)*
            pub guarantor: Option<UserNumber>,
            pub custom: BTreeMap<String, String>,
            pub remove_photo: bool,
            pub remove_sign_in: bool,
            pub suppressed: Option<HeldDecision>,
        }

        /// Validates the form. Dates of past events can't lie after `today`.
        ///
        /// The caller checks in the database that UserID, barcode and external identifier are unique.
        pub fn validate(form: &UserForm, today: NaiveDate) -> Result<UserDraft, FieldErrors> {
            let mut errors = FieldErrors::default();
            let mut draft = UserDraft {
                $($name: validated!($kind, $name, form, errors, today),)*
                guarantor: errors.take("guarantor", optional_user(&form.guarantor)).flatten(),
                custom: BTreeMap::new(),
                remove_photo: form.remove_photo,
                remove_sign_in: form.remove_sign_in,
                suppressed: errors.take("suppressed", decision(&form.suppressed)).flatten(),
            };
            for (key, typed) in &form.custom {
                let value =
                    errors.take(&format!("custom.{key}"), text::line(typed, text::MAX_SHORT_CHARS)).and_then(some);
                draft.custom.extend(value.map(|value| (key.clone(), value)));
            }
            if errors.is_empty() { Ok(draft) } else { Err(errors) }
        }
    };
}
with_user_fields!(form_and_draft);
with_user_fields!(list_user_fields, UserForm);
with_user_fields!(list_user_fields, UserDraft);

/// Validates the last name. The form of a replacement name is reserved.
fn last_name(typed: &str, errors: &mut FieldErrors) -> Option<String> {
    let name = errors.take("last_name", required_line(typed, "a last name"));
    if name.as_deref().is_some_and(is_replacement) {
        errors.add("last_name", Problem::Reserved);
    }
    name
}

/// Validates the decision about a suppressed key. Only decisions that create a user are possible.
fn decision(typed: &str) -> Result<Option<HeldDecision>, Problem> {
    match typed.trim() {
        "" => Ok(None),
        code => HeldDecision::from_code(code)
            .filter(|decision| decision.creates_user())
            .map(Some)
            .ok_or(Problem::UnknownChoice),
    }
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
            suppressed: "ignore".to_owned(),
            ..UserForm::default()
        };
        let errors = validate(&invalid, today).expect_err("an invalid form");
        let fields: Vec<&str> = errors.0.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(
            fields,
            ["last_name", "first_name", "email", "birth_date", "notes", "guarantor", "suppressed"]
        );
    }
}
