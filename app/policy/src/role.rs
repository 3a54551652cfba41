//! The roles of staff.

use serde::{Deserialize, Serialize};

/// A role of a member of staff. Neither a task nor the link on the record anonymises a user with a role.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Works at the desk: searches users, returns loans, anonymises single users.
    Librarian,
    /// Creates and edits catalogue records.
    Cataloguer,
    /// Sets up tasks and imports.
    SystemsLibrarian,
    /// Data protection officer.
    Dpo,
    /// Installs, backs up and restores.
    Administrator,
    /// Reads statistics only.
    Statistics,
}

impl Role {
    /// All roles, in page order.
    pub const ALL: [Self; 6] = [
        Self::Librarian,
        Self::Cataloguer,
        Self::SystemsLibrarian,
        Self::Dpo,
        Self::Administrator,
        Self::Statistics,
    ];

    /// Returns the stable code, stored and used on the command line.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Librarian => "librarian",
            Self::Cataloguer => "cataloguer",
            Self::SystemsLibrarian => "systems_librarian",
            Self::Dpo => "dpo",
            Self::Administrator => "administrator",
            Self::Statistics => "statistics",
        }
    }

    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Librarian => "Librarian",
            Self::Cataloguer => "Cataloguer",
            Self::SystemsLibrarian => "Systems librarian",
            Self::Dpo => "Data protection officer",
            Self::Administrator => "Administrator",
            Self::Statistics => "Statistics (read only)",
        }
    }

    /// Returns the role with this code, or `None` if there is none.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }
}
