//! The roles of staff.

use crate::stored::{coded_enum, part_of_key};
use serde::{Deserialize, Serialize};

coded_enum! {
    /// A role of a member of staff. Neither a task nor the link on the record anonymises a user with a role.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Role: "role" {
        /// Works at the desk: searches users, returns loans, anonymises single users.
        Librarian = "librarian",
        /// Creates and edits catalogue records.
        Cataloguer = "cataloguer",
        /// Sets up tasks and imports.
        SystemsLibrarian = "systems_librarian",
        /// Data protection officer.
        Dpo = "dpo",
        /// Installs, backs up and restores.
        Administrator = "administrator",
        /// Reads statistics only.
        Statistics = "statistics",
    }
}

part_of_key!(Role);

impl Role {
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
}
