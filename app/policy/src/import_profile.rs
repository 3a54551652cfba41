//! Import profiles: how a file of users, loans, requests or charges is read.
//!
//! A profile names the format of the file, the field that each column fills, and the notation of dates and amounts.
//! [`built_in`] returns the profiles that Lethe brings. Others are made on a page and saved.

mod built_in;
mod field_label;
mod file_format;
mod form;
mod notation;
mod spelling;
mod target;
mod validation;

pub use built_in::{built_in, built_in_profiles};
pub use field_label::field_label;
pub use file_format::{Delimited, FileFormat};
pub use form::{ColumnForm, ProfileForm, code_of_name};
pub use notation::{DateFormat, DecimalFormat, Delimiter, TextEncoding};
pub use spelling::{folded, suggested_target, target_of_name};
pub use target::{
    Content, KEY_TARGETS, Target, content_of, keys_of, label_of, offered_targets, required_of, targets,
};

use crate::import_options::{EmptyCells, ImportOptions};
use crate::stored::{Stored, coded_enum};
use serde::{Deserialize, Serialize};

/// Maximum number of columns of a profile.
pub const MAX_COLUMNS: usize = 1_000;
/// Maximum number of values that mean "never".
const MAX_NEVER: usize = 20;
/// The last line that may contain the header.
pub const MAX_HEADER_LINE: u32 = 100;
/// Prefix of the target of a custom field.
pub const CUSTOM: &str = "custom.";

coded_enum! {
    /// The records that a file contains.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum FileKind: "kind of the file" {
        /// Users.
        Users = "users",
        /// Loans.
        Loans = "loans",
        /// Requests.
        Requests = "requests",
        /// Charges and credits.
        Charges = "charges",
    }
}

impl FileKind {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Users => "Users",
            Self::Loans => "Loans",
            Self::Requests => "Requests",
            Self::Charges => "Charges and credits",
        }
    }
}

coded_enum! {
    /// The treatment of columns without a mapping.
    #[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum OtherColumns: "treatment of other columns" {
        /// Such a column is a problem of the file.
        #[default]
        Reject = "reject",
        /// The import ignores such a column and reports it.
        Ignore = "ignore",
    }
}

impl OtherColumns {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Reject => "Reject the file",
            Self::Ignore => "Ignore the column and report it",
        }
    }
}

/// The field that a column fills.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnMapping {
    /// The name of the column in the file.
    pub source: String,
    /// The name of the field, or `None` if the column is ignored.
    pub target: Option<String>,
    /// The notation of dates in this column, if it differs from that of the profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dates: Option<DateFormat>,
    /// Whether a cell can contain several values. The first one is imported, the others are reported.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_of_several: bool,
}

/// An import profile.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "db",
    derive(sea_orm::DeriveValueType),
    sea_orm(value_type = "String", from_str = "crate::stored::from_json", to_str = "crate::stored::to_json")
)]
pub struct ImportProfile {
    /// The code, unique among the profiles of a kind of files.
    pub code: String,
    /// The name that pages show.
    pub name: String,
    /// The records in the file.
    pub kind: FileKind,
    /// The format of the file.
    pub format: FileFormat,
    /// The columns. Without any, columns are recognised by the names of their fields.
    pub columns: Vec<ColumnMapping>,
    /// The treatment of other columns.
    pub other_columns: OtherColumns,
    /// The notation of dates.
    pub dates: DateFormat,
    /// Whether day and month must have two digits. [`DateFormat::Detect`] requires them after a year only.
    pub two_digit_days: bool,
    /// The notation of amounts.
    pub decimals: DecimalFormat,
    /// Dates that mean "never", such as `9999-12-31`. They empty their field.
    pub never: Vec<String>,
    /// The column with attributes in the form `CODE:value,…`. They fill the custom fields with these keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<String>,
}

impl Stored for ImportProfile {
    const NAME: &'static str = "import profile";
}

impl ImportProfile {
    /// Returns the profile of Lethe's own files of a kind.
    pub fn own_format(kind: FileKind) -> Self {
        built_in::lethe(kind)
    }

    /// Returns the options of an import that asks for nothing else.
    pub fn default_options(&self) -> ImportOptions {
        ImportOptions { empty_cells: self.empty_cells(), ..ImportOptions::default() }
    }

    /// Returns the kind of file and the name of the profile: `Users: Koha patrons (CSV)`.
    pub fn label(&self) -> String {
        format!("{}: {}", self.kind.label(), self.name)
    }

    /// Returns whether the file is one that Lethe exports: it has no mapping of columns.
    pub const fn is_own_format(&self) -> bool {
        self.columns.is_empty()
    }

    /// Returns what empty cells do unless an option says otherwise. Lethe's own format has every field, so an empty cell is
    /// an empty field. Other systems leave out what they don't know.
    pub const fn empty_cells(&self) -> EmptyCells {
        if self.is_own_format() { EmptyCells::Clear } else { EmptyCells::Keep }
    }

    /// Returns whether two profiles read a file in the same way. Code and name don't matter.
    pub fn reads_like(&self, other: &Self) -> bool {
        let other = Self { code: self.code.clone(), name: self.name.clone(), ..other.clone() };
        *self == other
    }
}

#[cfg(test)]
mod tests;
