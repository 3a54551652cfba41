//! What makes a user staff.

use serde::{Deserialize, Serialize};

/// A role of a member of staff. A user with any role is never anonymised by a task or by the link on the record.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Works at the desk: searches users, returns loans, anonymises one person.
    Librarian,
    /// Makes and changes catalogue records.
    Cataloguer,
    /// Sets up tasks and imports.
    SystemsLibrarian,
    /// Data protection officer.
    Dpo,
    /// Installs, backs up, restores.
    Administrator,
    /// Reads statistics only.
    Statistics,
}

impl Role {
    /// All roles, in the order the pages show them.
    pub const ALL: [Self; 6] = [
        Self::Librarian,
        Self::Cataloguer,
        Self::SystemsLibrarian,
        Self::Dpo,
        Self::Administrator,
        Self::Statistics,
    ];

    /// The stable code that is stored and typed on the command line.
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

    /// The role in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Librarian => "Librarian",
            Self::Cataloguer => "Cataloguer",
            Self::SystemsLibrarian => "Systems librarian",
            Self::Dpo => "Data protection officer",
            Self::Administrator => "Administrator",
            Self::Statistics => "Statistics (read only)",
        }
    }

    /// The role with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }
}
