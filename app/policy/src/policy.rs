//! The settings of the task type *Data maintenance › Anonymise user data*.

use crate::field::{Field, Treatment};
use crate::form::Problem;
use crate::stored::Stored;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A whole number of days from 0 to 36,500 (a hundred years).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Days(u32);

impl Days {
    /// Maximum number of days.
    pub const MAX: u32 = 36_500;

    /// Returns the number of days, or `None` if it is out of range.
    pub const fn new(days: u32) -> Option<Self> {
        if days <= Self::MAX { Some(Self(days)) } else { None }
    }

    /// Returns the number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Parses the input of a form field: digits only.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        let digits = !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits
            .then(|| text.parse().ok().and_then(Self::new))
            .flatten()
            .ok_or(Problem::NotDays { min: 0, max: i64::from(Self::MAX) })
    }
}

impl TryFrom<u32> for Days {
    type Error = Problem;

    fn try_from(days: u32) -> Result<Self, Self::Error> {
        Self::new(days).ok_or(Problem::NotDays { min: 0, max: i64::from(Self::MAX) })
    }
}

impl From<Days> for u32 {
    fn from(days: Days) -> Self {
        days.0
    }
}

/// Minimum numbers of days, each optional. Those that are set are combined with AND (rule 1).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// Days since the leaving date.
    pub leaving: Option<Days>,
    /// Days since the last activity.
    pub activity: Option<Days>,
    /// Days since the user was marked for deletion.
    pub marked: Option<Days>,
}

impl Conditions {
    /// Returns whether no condition is set, so that no user is selected.
    pub const fn is_empty(&self) -> bool {
        self.leaving.is_none() && self.activity.is_none() && self.marked.is_none()
    }
}

/// The users to which a task applies.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Users that an import created or last matched.
    #[default]
    Imported,
    /// All other users.
    NotImported,
    /// All users.
    All,
}

impl Scope {
    /// All scopes, in the order of the form.
    pub const ALL: [Self; 3] = [Self::Imported, Self::NotImported, Self::All];

    /// Returns the stable code used in forms and files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Imported => "imported",
            Self::NotImported => "not_imported",
            Self::All => "all",
        }
    }

    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Imported => "imported users only",
            Self::NotImported => "users not imported only",
            Self::All => "all users",
        }
    }

    /// Returns the scope with this code, or `None` if there is none.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.code() == code)
    }

    /// Returns whether a user is within the scope.
    pub const fn contains(self, imported: bool) -> bool {
        match self {
            Self::Imported => imported,
            Self::NotImported => !imported,
            Self::All => true,
        }
    }
}

/// The replacement of free text on loans, requests and charges. The text itself is always removed (rule 10).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteTreatment {
    /// The field becomes empty.
    #[default]
    Empty,
    /// The field contains [`NoteTreatment::MARK`], to show that there was a note.
    Mark,
}

impl NoteTreatment {
    /// The mark in place of a removed note.
    pub const MARK: &'static str = "(note removed)";

    /// All options, in form order.
    pub const ALL: [Self; 2] = [Self::Empty, Self::Mark];

    /// Returns the stable code used in forms and files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Mark => "mark",
        }
    }

    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Empty => "Remove notes",
            Self::Mark => "Replace notes with “(note removed)”",
        }
    }

    /// Returns the option with this code, or `None` if there is none.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.code() == code)
    }
}

/// The settings that decide which users are anonymised, and how: fields, scope, conditions and loans.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "db",
    derive(sea_orm::DeriveValueType),
    sea_orm(value_type = "String", from_str = "crate::stored::from_json", to_str = "crate::stored::to_json")
)]
pub struct Policy {
    /// The treatment of each field. A missing field has its default treatment.
    pub fields: BTreeMap<Field, Treatment>,
    /// Keys of the custom fields that are kept. All others are removed.
    pub keep_custom: Vec<String>,
    /// The users to which it applies.
    pub scope: Scope,
    /// The minimum numbers of days.
    pub conditions: Conditions,
    /// The replacement of notes.
    pub circulation_notes: NoteTreatment,
}

impl Stored for Policy {
    const NAME: &'static str = "policy";
}

impl Policy {
    /// Returns the treatment of a field. A treatment that the field doesn't allow counts as removal.
    pub fn treatment(&self, field: Field) -> Treatment {
        match self.fields.get(&field) {
            None => field.default_treatment(),
            Some(treatment) if field.treatments().contains(treatment) => *treatment,
            Some(_) => Treatment::Remove,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_days_in_range_are_parsed() {
        assert_eq!(Days::parse(" 36500 "), Ok(Days(36_500)));
        assert_eq!(Days::parse("0"), Ok(Days(0)));
        for text in ["", " ", "-1", "+5", "1.5", "5e3", "36501", "99999999999999999999", "fünf", "٥", "NULL"]
        {
            assert!(Days::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_policy_survives_storage_and_rejects_unknown_fields() {
        let policy = Policy {
            fields: Field::ALL.into_iter().map(|field| (field, Treatment::Keep)).collect(),
            conditions: Conditions { leaving: Days::new(5), ..Conditions::default() },
            ..Policy::default()
        };
        let text = serde_json::to_string(&policy).expect("a policy can be written");
        assert_eq!(serde_json::from_str::<Policy>(&text).expect("and read"), policy);
        assert!(serde_json::from_str::<Policy>(&text.replace("leaving\":5", "leaving\":36501")).is_err());
        assert!(
            serde_json::from_str::<Policy>(&text.replace("\"scope\"", "\"dry_run\":1,\"scope\"")).is_err()
        );
    }

    #[test]
    fn a_treatment_that_the_field_does_not_allow_removes() {
        let policy = Policy { fields: [(Field::Phone, Treatment::Decade)].into(), ..Policy::default() };
        assert_eq!(policy.treatment(Field::Phone), Treatment::Remove);
        assert_eq!(policy.treatment(Field::Category), Treatment::Keep);
    }
}
