//! Import profiles: what the lines of a file are.

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
}

impl Stored for ImportProfile {
    const NAME: &'static str = "import profile";
}

impl ImportProfile {
    /// Returns the profile of a kind of files.
    pub const fn of(kind: FileKind) -> Self {
        Self { kind }
    }
}
