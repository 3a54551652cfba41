//! The fields that the columns of a file fill.

use super::{CUSTOM, FileKind};
use crate::user_field::{FieldKind, USER_FIELDS};

/// The content of a field, which decides how its cells are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Content {
    /// A key of a user or item. Damage by spreadsheets is rejected.
    Key,
    /// One line of text.
    Text,
    /// An e-mail address.
    Email,
    /// A street address: several columns and lines are joined by commas.
    Address,
    /// Text of several lines: several columns are joined by line breaks.
    Lines,
    /// A date.
    Date,
    /// An amount of money.
    Amount,
    /// A whole number.
    Number,
    /// Yes or no.
    Flag,
}

impl Content {
    /// Returns whether several columns can fill the field.
    pub const fn joins(self) -> bool {
        matches!(self, Self::Address | Self::Lines)
    }

    /// Returns whether a cell can contain line breaks.
    pub const fn has_lines(self) -> bool {
        self.joins()
    }
}

/// A field that a column can fill.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Target {
    /// The name.
    pub name: &'static str,
    /// The content.
    pub content: Content,
}

/// Keys of users, in the order of matching.
pub const KEY_TARGETS: [&str; 3] = ["external_id", "user_id", "barcode"];

const USER_NUMBER: &str = "user_number";

/// Fields of users that are not in the table of user fields. The import ignores some of them.
const USER_BESIDE_FIELDS: &[(&str, Content)] = &[
    ("created_on", Content::Date),
    ("last_activity_on", Content::Date),
    ("marked_on", Content::Date),
    ("guarantor_user_id", Content::Key),
    ("guarantor_external_id", Content::Key),
    (USER_NUMBER, Content::Number),
    ("imported", Content::Text),
    ("roles", Content::Text),
    ("anonymised_on", Content::Text),
];

const BORROWER: &[(&str, Content)] = &[
    (USER_NUMBER, Content::Number),
    ("external_id", Content::Key),
    ("user_id", Content::Key),
    ("barcode", Content::Key),
];

const LOAN: &[(&str, Content)] = &[
    ("item_barcode", Content::Key),
    ("title", Content::Text),
    ("branch", Content::Text),
    ("category", Content::Text),
    ("department", Content::Text),
    ("issued_on", Content::Date),
    ("due_on", Content::Date),
    ("returned_on", Content::Date),
    ("renewals", Content::Number),
    ("note", Content::Lines),
    ("return_note", Content::Lines),
    ("anonymised", Content::Text),
];

const REQUEST: &[(&str, Content)] = &[
    ("record", Content::Key),
    ("title", Content::Text),
    ("branch", Content::Text),
    ("category", Content::Text),
    ("department", Content::Text),
    ("placed_on", Content::Date),
    ("status", Content::Text),
    ("closed_on", Content::Date),
    ("note", Content::Lines),
    ("cancel_reason", Content::Lines),
];

const CHARGE: &[(&str, Content)] = &[
    ("kind", Content::Text),
    ("amount", Content::Amount),
    ("category", Content::Text),
    ("department", Content::Text),
    ("charged_on", Content::Date),
    ("settled_on", Content::Date),
    ("note", Content::Lines),
];

/// Returns the fields of a kind of files, without custom fields.
pub fn targets(kind: FileKind) -> impl Iterator<Item = Target> {
    let (of_users, first, second): (bool, &[_], &[_]) = match kind {
        FileKind::Users => (true, &[], USER_BESIDE_FIELDS),
        FileKind::Loans => (false, BORROWER, LOAN),
        FileKind::Requests => (false, BORROWER, REQUEST),
        FileKind::Charges => (false, BORROWER, CHARGE),
    };
    let users = USER_FIELDS.iter().filter(move |_| of_users);
    let users =
        users.map(|field| Target { name: field.name, content: content_of_field(field.name, field.kind) });
    users.chain(first.iter().chain(second).map(|(name, content)| Target { name, content: *content }))
}

/// Fields that the import ignores, or that skip their line.
const IGNORED: [&str; 5] = [USER_NUMBER, "imported", "roles", "anonymised_on", "anonymised"];

/// Returns the fields that a profile can fill from the files of another system, without custom fields.
pub fn offered_targets(kind: FileKind) -> impl Iterator<Item = Target> {
    let is_key = move |name: &str| keys_of(kind).contains(&name);
    targets(kind).filter(move |target| !IGNORED.contains(&target.name) || is_key(target.name))
}

/// Returns the label of a field. A custom field has its own name, which the library chose.
pub fn label_of(kind: FileKind, target: &str) -> String {
    let field = USER_FIELDS
        .iter()
        .find(|field| field.name == target && (kind == FileKind::Users || KEY_TARGETS.contains(&target)));
    if let Some(field) = field {
        return field.label.to_owned();
    }
    match target {
        "created_on" => "Created".to_owned(),
        "last_activity_on" => "Last activity".to_owned(),
        "marked_on" => "Marked for deletion".to_owned(),
        "guarantor_user_id" => "UserID of the guarantor".to_owned(),
        "guarantor_external_id" => "External identifier of the guarantor".to_owned(),
        "record" => "Catalogue record".to_owned(),
        _ => {
            let words = target.strip_suffix("_on").unwrap_or(target).replace('_', " ");
            let mut letters = words.chars();
            letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
        }
    }
}

/// Returns the content of a field, or `None` if there is no such field. The key of a custom field isn't checked.
pub fn content_of(kind: FileKind, target: &str) -> Option<Content> {
    if kind == FileKind::Users && target.strip_prefix(CUSTOM).is_some_and(|key| !key.is_empty()) {
        return Some(Content::Text);
    }
    targets(kind).find(|one| one.name == target).map(|one| one.content)
}

/// Returns the keys of which each line needs one.
pub const fn keys_of(kind: FileKind) -> &'static [&'static str] {
    match kind {
        FileKind::Users => &KEY_TARGETS,
        FileKind::Loans | FileKind::Requests | FileKind::Charges => {
            &["external_id", "user_id", "barcode", USER_NUMBER]
        }
    }
}

/// Returns the fields that a file must fill.
pub const fn required_of(kind: FileKind) -> &'static [&'static str] {
    match kind {
        FileKind::Users => &["last_name"],
        FileKind::Loans => &["item_barcode", "branch", "issued_on", "due_on"],
        FileKind::Requests => &["branch", "placed_on"],
        FileKind::Charges => &["kind", "charged_on"],
    }
}

fn content_of_field(name: &str, kind: FieldKind) -> Content {
    match kind {
        FieldKind::Key => Content::Key,
        _ if name == "street" => Content::Address,
        FieldKind::Line | FieldKind::LastName | FieldKind::Term => Content::Text,
        FieldKind::Email => Content::Email,
        FieldKind::Lines => Content::Lines,
        FieldKind::PastDate | FieldKind::Date => Content::Date,
        FieldKind::Flag => Content::Flag,
    }
}
