//! Why staff exclude a user from the run of a preview.

use crate::stored::coded_enum;
use serde::{Deserialize, Serialize};

coded_enum! {
    /// The reason why staff excluded a user from a preview.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ExclusionReason: "reason for excluding" {
        /// The user has said to come back, or has asked to stay.
        ComesBack = "comes_back",
        /// A date of the record is wrong.
        WrongDates = "wrong_dates",
        /// Another record of the same person must be dealt with first.
        Duplicate = "duplicate",
        /// A matter that Lethe doesn't know is open.
        OpenMatter = "open_matter",
        /// The record must be looked at first.
        ToBeChecked = "to_be_checked",
    }
}

impl ExclusionReason {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::ComesBack => "comes back or has asked to stay",
            Self::WrongDates => "a date is wrong",
            Self::Duplicate => "duplicate record",
            Self::OpenMatter => "open matter outside Lethe",
            Self::ToBeChecked => "to be checked first",
        }
    }
}
