//! Import options: the treatment of a file's lines by an import. The import profile describes the file itself.

use crate::stored::{Stored, coded_enum};
use serde::{Deserialize, Serialize};

coded_enum! {
    /// The effect of a wrong line on the rest of its file.
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

impl ImportMode {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::AllOrNothing => "All or nothing: a file with a wrong line changes nothing",
            Self::ValidLinesOnly => "Valid lines only: wrong lines are rejected and reported",
        }
    }
}

coded_enum! {
    /// The effect of an empty cell.
    #[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum EmptyCells: "treatment of empty cells" {
        /// An empty cell changes nothing.
        #[default]
        Keep = "keep",
        /// An empty cell empties its field.
        Clear = "clear",
    }
}

impl EmptyCells {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Keep => "Empty cells change nothing",
            Self::Clear => "Empty cells empty their field",
        }
    }
}

coded_enum! {
    /// The meaning of absence: a file lacks a user of earlier files of the same task.
    #[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Absence: "meaning of absence" {
        /// Nothing.
        #[default]
        Nothing = "nothing",
        /// The user has left: the import sets the leaving date.
        SetLeavingDate = "set_leaving_date",
    }
}

impl Absence {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Nothing => "Users missing from the file are not changed",
            Self::SetLeavingDate => "Users missing from the file have left: set their leaving date",
        }
    }
}

/// The treatment of a file's lines by an import. The defaults change the least.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "db",
    derive(sea_orm::DeriveValueType),
    sea_orm(value_type = "String", from_str = "crate::stored::from_json", to_str = "crate::stored::to_json")
)]
pub struct ImportOptions {
    /// The effect of a wrong line on the others.
    pub mode: ImportMode,
    /// The effect of an empty cell.
    pub empty_cells: EmptyCells,
    /// The meaning of a user's absence.
    pub absence: Absence,
}

impl Stored for ImportOptions {
    const NAME: &'static str = "import options";
}
