//! Import profiles: what the lines of a file are, and what a wrong line does to the others.

use crate::stored::{Stored, coded_enum};
use serde::{Deserialize, Serialize};

coded_enum! {
    /// The records that a file contains.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum FileKind: "kind of the file" {
        /// Users.
        Users = "users",
        /// Loans.
        Loans = "loans",
    }
}

impl FileKind {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Users => "Users",
            Self::Loans => "Loans",
        }
    }
}

coded_enum! {
    /// What a wrong line does to the rest of its file.
    #[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ImportMode: "mode of the import" {
        /// A file with a wrong line changes nothing.
        #[default]
        AllOrNothing = "all_or_nothing",
        /// Wrong lines are rejected and reported, the others are imported.
        ValidLinesOnly = "valid_lines_only",
    }
}

/// An import profile for files in Lethe's own format.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "db",
    derive(sea_orm::DeriveValueType),
    sea_orm(value_type = "String", from_str = "crate::stored::from_json", to_str = "crate::stored::to_json")
)]
pub struct ImportProfile {
    /// The records in the file.
    pub kind: FileKind,
    /// What a wrong line does to the others.
    pub mode: ImportMode,
}

impl Stored for ImportProfile {
    const NAME: &'static str = "import profile";
}

impl ImportProfile {
    /// Returns the profile of a kind of files. A file with a wrong line changes nothing.
    pub const fn of(kind: FileKind) -> Self {
        Self { kind, mode: ImportMode::AllOrNothing }
    }
}
