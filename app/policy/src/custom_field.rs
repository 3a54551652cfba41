//! Custom fields: the fields that a library adds to its user records, and the form that defines one.

use crate::form::{FieldErrors, Problem};
use crate::personal_data::DataClass;
use crate::stored::coded_enum;
use crate::text::required_line;
use serde::{Deserialize, Serialize};

/// Maximum length of a key, in characters.
const MAX_KEY: usize = 40;

coded_enum! {
    /// The class of a custom field in the register of personal data.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum CustomFieldClass: "class of the custom field" {
        /// Identifies one person alone. Every task removes it.
        Identifier = "identifier",
        /// Can identify one person in combination with other data.
        QuasiIdentifier = "quasi_identifier",
        /// May contain anything.
        FreeText = "free_text",
        /// Contains no personal data.
        NotPersonal = "not_personal",
    }
}

impl CustomFieldClass {
    /// Returns the class in the register.
    pub const fn data_class(self) -> DataClass {
        match self {
            Self::Identifier => DataClass::Identifier,
            Self::QuasiIdentifier => DataClass::QuasiIdentifier,
            Self::FreeText => DataClass::FreeText,
            Self::NotPersonal => DataClass::NotPersonal,
        }
    }

    /// Returns the label.
    pub const fn label(self) -> &'static str {
        self.data_class().label()
    }

    /// Returns whether a task may keep the values of anonymised users.
    pub const fn can_be_kept(self) -> bool {
        !matches!(self, Self::Identifier)
    }
}

/// The form that defines a custom field.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CustomFieldForm {
    /// The key, which names the field in files: `custom.KEY`.
    pub key: String,
    /// The name on forms.
    pub label: String,
    /// The code of the class.
    pub class: String,
}

/// A validated form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CustomFieldDraft {
    /// The key.
    pub key: String,
    /// The name on forms.
    pub label: String,
    /// The class.
    pub class: CustomFieldClass,
}

impl CustomFieldForm {
    /// Validates the form.
    pub fn validate(&self) -> Result<CustomFieldDraft, FieldErrors> {
        let mut errors = FieldErrors::default();
        let key = self.key.trim();
        if !is_key(key) {
            errors.add("key", Problem::NotAKey);
        }
        let label = errors.take("label", required_line(&self.label, "a name"));
        let class = CustomFieldClass::from_code(&self.class);
        if class.is_none() {
            errors.add("class", Problem::not_chosen("what the values say about a person"));
        }
        match (label, class) {
            (Some(label), Some(class)) if errors.is_empty() => {
                Ok(CustomFieldDraft { key: key.to_owned(), label, class })
            }
            _ => Err(errors),
        }
    }
}

fn is_key(key: &str) -> bool {
    let starts = key.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    let are_known =
        key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    starts && are_known && key.len() <= MAX_KEY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_needs_key_name_and_class() {
        let form = |key: &str, label: &str, class: &str| CustomFieldForm {
            key: key.to_owned(),
            label: label.to_owned(),
            class: class.to_owned(),
        };
        for class in CustomFieldClass::ALL {
            let draft = form(" locker_2 ", " Locker ", class.code()).validate().expect("a definition");
            assert_eq!(
                (draft.key.as_str(), draft.label.as_str(), draft.class),
                ("locker_2", "Locker", class)
            );
            assert_eq!(class.can_be_kept(), class.data_class() != DataClass::Identifier);
        }
        for (key, label, class, field) in [
            ("", "Locker", "identifier", "key"),
            ("2nd", "Locker", "identifier", "key"),
            ("Locker", "Locker", "identifier", "key"),
            ("lock-er", "Locker", "identifier", "key"),
            ("spind\u{fc}", "Locker", "identifier", "key"),
            (&"k".repeat(41), "Locker", "identifier", "key"),
            ("locker", " ", "identifier", "label"),
            ("locker", "Locker", "", "class"),
            ("locker", "Locker", "credential", "class"),
        ] {
            let errors = form(key, label, class).validate().expect_err("an error");
            assert_eq!(errors.0.len(), 1, "{key:?} {label:?} {class:?}");
            assert!(errors.message(field).is_some(), "{key:?} {label:?} {class:?}: {errors:?}");
        }
    }
}
