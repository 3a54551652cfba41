//! Categories, departments, branches and custom fields of the demo library.

use db::entity::{custom_fields, terms};
use policy::TermKind;
use policy::custom_field::CustomFieldClass;
use sea_orm::Set;

/// A code and its name.
pub(super) type Term = (&'static str, &'static str);

/// The user categories. The loans of a user do not depend on the category.
pub(super) const CATEGORIES: [Term; 8] = [
    ("undergraduate", "Undergraduate"),
    ("postgraduate", "Postgraduate"),
    ("academic", "Academic staff"),
    ("support", "Support staff"),
    ("alumni", "Alumni"),
    ("external", "External reader"),
    ("school", "School pupil"),
    ("child", "Child"),
];

pub(super) const DEPARTMENTS: [Term; 12] = [
    ("law", "Law"),
    ("history", "History"),
    ("english", "English"),
    ("languages", "Modern Languages"),
    ("mathematics", "Mathematics"),
    ("physics", "Physics"),
    ("chemistry", "Chemistry"),
    ("biology", "Biology"),
    ("medicine", "Medicine"),
    ("engineering", "Engineering"),
    ("economics", "Economics"),
    ("music", "Music"),
];

pub(super) const BRANCHES: [Term; 6] = [
    ("main", "Main Library"),
    ("law", "Law Library"),
    ("science", "Science Library"),
    ("medical", "Medical Library"),
    ("music", "Music Library"),
    ("children", "Children's Library"),
];

/// The keys and labels of the custom fields.
pub(super) const CUSTOM_FIELDS: [Term; 3] =
    [("locker", "Locker"), ("programme", "Programme of study"), ("emergency_contact", "Emergency contact")];

/// Returns the rows of all terms.
pub(super) fn terms() -> Vec<terms::ActiveModel> {
    let kinds = [
        (TermKind::Category, &CATEGORIES[..]),
        (TermKind::Department, &DEPARTMENTS),
        (TermKind::Branch, &BRANCHES),
    ];
    kinds
        .into_iter()
        .flat_map(|(kind, terms)| {
            terms.iter().map(move |(code, name)| terms::ActiveModel {
                kind: Set(kind),
                code: Set((*code).to_owned()),
                name: Set((*name).to_owned()),
            })
        })
        .collect()
}

/// Returns the rows of the custom fields.
pub(super) fn custom_fields() -> Vec<custom_fields::ActiveModel> {
    CUSTOM_FIELDS
        .iter()
        .map(|(key, label)| custom_fields::ActiveModel {
            key: Set((*key).to_owned()),
            label: Set((*label).to_owned()),
            class: Set(CustomFieldClass::QuasiIdentifier),
        })
        .collect()
}
