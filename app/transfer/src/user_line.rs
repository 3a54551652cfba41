//! A parsed line of a user file, and how it changes a record.

use super::reader::{Header, Line};
use super::term_codes::TermCodes;
use chrono::NaiveDate;
use db::entity::users;
use policy::dates::optional_past_date;
use policy::form::{FieldErrors, Problem};
use policy::import_profile::{CUSTOM, KEY_TARGETS};
use policy::user_field::{FieldKind, FieldValue, USER_FIELDS};
use policy::user_form::{UserDraft, UserForm, validate};
use policy::{TermKind, key_form, with_user_fields};
use safeguards::suppression::KeyValues;
use std::collections::BTreeMap;

/// Returns the text of a cell as the form has it.
macro_rules! form_value {
    (Flag, $name:ident, $line:ident, $errors:ident) => {
        $errors
            .take(stringify!($name), yes_or_no($line.cell(stringify!($name))))
            .flatten()
            .unwrap_or_default()
    };
    ($kind:ident, $name:ident, $line:ident, $errors:ident) => {
        $line.cell(stringify!($name)).to_owned()
    };
}

macro_rules! form_and_record {
    ($($name:ident: $kind:ident $(, $cell:tt)*;)*) => {
        /// Returns the form with the cells of a line.
        fn form_of(line: &Line, custom: BTreeMap<String, String>, errors: &mut FieldErrors) -> UserForm {
            UserForm {
                $($name: form_value!($kind, $name, line, errors),)*
                custom,
                ..UserForm::default()
            }
        }

        /// Copies these fields to a record.
        fn copy_fields(names: &[&str], draft: UserDraft, user: &mut users::Model) {
            $(if names.contains(&stringify!($name)) {
                user.$name = draft.$name;
            })*
        }
    };
}
with_user_fields!(form_and_record);

/// The key by which a line names the guarantor.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum GuarantorKey {
    /// By the UserID of any user.
    UserId(String),
    /// By the external identifier of another user in the same file. Elsewhere, another system can have given the same
    /// number to another person.
    ExternalId(String),
}

impl GuarantorKey {
    const USER_ID: &'static str = "guarantor_user_id";
    const EXTERNAL_ID: &'static str = "guarantor_external_id";

    /// Returns the name of the column.
    pub(super) const fn column(&self) -> &'static str {
        match self {
            Self::UserId(_) => Self::USER_ID,
            Self::ExternalId(_) => Self::EXTERNAL_ID,
        }
    }
}

/// The validated content of a line.
#[derive(Debug, Default)]
pub(super) struct UserLine {
    pub(super) number: u64,
    pub(super) draft: UserDraft,
    /// Names of the fields that the line changes.
    changes: Vec<&'static str>,
    created_on: Option<NaiveDate>,
    last_activity_on: Option<NaiveDate>,
    marked_on: Option<NaiveDate>,
    pub(super) guarantor: Option<GuarantorKey>,
    /// Whether the line is about a user who is already anonymised.
    pub(super) anonymised: bool,
    /// Whether Lethe has exported the line of a user without a key. Such a line identifies no user.
    pub(super) without_key: bool,
}

impl UserLine {
    /// Validates a line. Dates of past events can't lie after `today`.
    pub(super) fn parse(line: &Line, header: &Header, today: NaiveDate) -> Result<Self, FieldErrors> {
        if !line.cell("anonymised_on").trim().is_empty() {
            return Ok(Self { number: line.number, anonymised: true, ..Self::default() });
        }
        let custom = header.names().iter().filter_map(|name| {
            name.strip_prefix(CUSTOM).map(|key| (key.to_owned(), line.cell(name).to_owned()))
        });
        let mut of_flags = FieldErrors::default();
        let form = form_of(line, custom.collect(), &mut of_flags);
        let (draft, mut errors) = match validate(&form, today) {
            Ok(draft) => (draft, FieldErrors::default()),
            Err(errors) => (UserDraft::default(), errors),
        };
        errors.0.extend(of_flags.0);
        let mut date =
            |column: &str| errors.take(column, optional_past_date(line.cell(column), today)).flatten();
        let [created_on, last_activity_on, marked_on] =
            [date("created_on"), date("last_activity_on"), date("marked_on")];
        let mut guarantor = |column: &str| {
            errors.take(column, key_form::validate(line.cell(column))).filter(|text| !text.is_empty())
        };
        let by_external_id = guarantor(GuarantorKey::EXTERNAL_ID);
        let by_user_id = guarantor(GuarantorKey::USER_ID);
        let guarantor =
            by_user_id.map(GuarantorKey::UserId).or_else(|| by_external_id.map(GuarantorKey::ExternalId));
        let without_key = KEY_TARGETS.iter().all(|key| line.cell(key).trim().is_empty());
        if without_key && errors.is_empty() && !line.cell("user_number").trim().is_empty() {
            return Ok(Self { number: line.number, without_key, ..Self::default() });
        }
        if without_key {
            errors.add("user_id", Problem::required("a UserID, a barcode or an external identifier"));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self {
            number: line.number,
            draft,
            changes: changes(line, header),
            created_on,
            last_activity_on,
            marked_on,
            guarantor,
            anonymised: false,
            without_key: false,
        })
    }

    /// Returns the line's value in a key column.
    pub(super) fn key(&self, column: &str) -> Option<&str> {
        match column {
            "external_id" => self.draft.external_id.as_deref(),
            "user_id" => self.draft.user_id.as_deref(),
            _ => self.draft.barcode.as_deref(),
        }
    }

    /// Returns the keys that the suppression list is compared with.
    pub(super) fn key_values(&self) -> KeyValues<'_> {
        KeyValues {
            external_id: self.draft.external_id.as_deref(),
            user_id: self.draft.user_id.as_deref(),
            barcode: self.draft.barcode.as_deref(),
            email: self.draft.email.as_deref(),
        }
    }

    /// Returns all values of the line as text, to recognise a change of the line.
    pub(super) fn content(&self) -> String {
        let fields: Vec<FieldValue<'_>> = self.draft.fields().map(|(_, value)| value).collect();
        let dates = [self.created_on, self.last_activity_on, self.marked_on];
        format!("{fields:?}{:?}{dates:?}{:?}", self.draft.custom, self.guarantor)
    }

    /// Returns the codes of category, department and branch, with their kinds.
    pub(super) fn terms(&self) -> impl Iterator<Item = (TermKind, &str)> {
        let terms = self.draft.fields().filter(|(field, _)| field.kind == FieldKind::Term);
        terms.filter_map(|(field, value)| Some((TermKind::from_code(field.name)?, value.text()?)))
    }

    /// Changes the codes of category, department and branch to the spelling of the library.
    pub(super) fn spell(&mut self, codes: &mut TermCodes) {
        for (kind, code) in [
            (TermKind::Category, &mut self.draft.category),
            (TermKind::Department, &mut self.draft.department),
            (TermKind::Branch, &mut self.draft.branch),
        ] {
            if let Some(code) = code {
                codes.spell(kind, code);
            }
        }
    }

    /// Applies the line to a record. [`super`] describes the treatment of empty cells.
    pub(super) fn apply(self, user: &mut users::Model) {
        copy_fields(&self.changes, self.draft, user);
        user.created_on = self.created_on.or(user.created_on);
        user.last_activity_on = self.last_activity_on.max(user.last_activity_on);
        user.marked_on = self.marked_on.or(user.marked_on);
        user.imported = true;
        user.derive();
    }
}

/// Returns the names of the fields that the line changes. An empty cell changes neither a key nor a flag, and nothing at all if
/// the import keeps the values of empty cells.
fn changes(line: &Line, header: &Header) -> Vec<&'static str> {
    USER_FIELDS
        .iter()
        .filter(|field| {
            let ignores_empty =
                !header.clears_empty() || KEY_TARGETS.contains(&field.name) || field.kind == FieldKind::Flag;
            header.has(field.name) && !(ignores_empty && line.cell(field.name).trim().is_empty())
        })
        .map(|field| field.name)
        .collect()
}

/// Parses yes or no. Returns `None` for an empty cell.
fn yes_or_no(text: &str) -> Result<Option<bool>, Problem> {
    match text.trim().to_ascii_lowercase().as_str() {
        "" => Ok(None),
        "yes" | "true" | "1" => Ok(Some(true)),
        "no" | "false" | "0" => Ok(Some(false)),
        _ => Err(Problem::UnknownChoice),
    }
}
