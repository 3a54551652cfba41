//! The formats of files.

use super::{Delimiter, FileKind, TextEncoding};
use serde::{Deserialize, Serialize};

/// The format of a file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// Cells between delimiters (CSV).
    Delimited(Delimited),
    /// The answer of FOLIO's users API, with the table `usergroups`.
    FolioUsers,
    /// Evergreen's table `actor.usr`, with the tables `card` and `usr_address`.
    EvergreenUsers,
    /// Evergreen's table `action.circulation`.
    EvergreenLoans,
    /// Evergreen's table `action.hold_request`, with the table `hold_request_note`.
    EvergreenRequests,
    /// Evergreen's table `money.grocery`.
    EvergreenCharges,
}

impl FileFormat {
    /// Returns the names of the additional tables, and whether each is required.
    pub const fn tables(&self) -> &'static [(&'static str, bool)] {
        match self {
            Self::Delimited(_) => &[],
            Self::FolioUsers => &[("usergroups", false)],
            Self::EvergreenUsers => {
                &[("card", true), ("usr_address", true), ("grp_tree", false), ("org_unit", false)]
            }
            Self::EvergreenLoans => &[("copy", false), ("org_unit", false)],
            Self::EvergreenRequests => &[("hold_request_note", false), ("org_unit", false)],
            Self::EvergreenCharges => &[("billing", false)],
        }
    }

    /// Returns the kind of the records, or `None` if the format has several.
    pub const fn kind(&self) -> Option<FileKind> {
        match self {
            Self::Delimited(_) => None,
            Self::FolioUsers | Self::EvergreenUsers => Some(FileKind::Users),
            Self::EvergreenLoans => Some(FileKind::Loans),
            Self::EvergreenRequests => Some(FileKind::Requests),
            Self::EvergreenCharges => Some(FileKind::Charges),
        }
    }
}

/// The properties of a delimited file.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Delimited {
    /// The character encoding.
    pub encoding: TextEncoding,
    /// The character between two cells.
    pub delimiter: Delimiter,
    /// The line that names the columns, or `None` if the import detects it. The first line of a file is 1.
    pub header_line: Option<u32>,
}
