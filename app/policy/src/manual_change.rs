//! Manual changes: what the safety limits count.

use crate::limits::Counted;
use crate::stored::coded_enum;

coded_enum! {
    /// The kind of a manual change, or of a limit that stopped one.
    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    pub enum ManualChange: "kind of the manual change" {
        /// The user was anonymised from the record or the command line.
        Anonymised = "anonymised",
        /// An edit removed identifying fields.
        Removed = "removed",
        /// An edit replaced too few identifying fields to count as removing them.
        Replaced = "replaced",
        /// The user was marked for deletion, or a date changed so that conditions are met earlier.
        Marked = "marked",
        /// An import removed or replaced identifying fields, or made the user eligible earlier.
        Imported = "imported",
        /// A confirmed import beyond the limits did the same.
        ImportConfirmed = "import_confirmed",
        /// An import replaced an identifying field, but too few to count.
        ImportReplaced = "import_replaced",
        /// The user got a role or an invitation on a page, and could become a second person.
        MadeStaff = "made_staff",
        /// The user lost the last role.
        LastRoleTaken = "last_role_taken",
        /// The limit of anonymised users stopped a change.
        AnonymisedLimit = "limit_anonymised",
        /// The limit of marked users stopped a change.
        MarkedLimit = "limit_marked",
        /// The limit of replaced values stopped a change.
        ReplacedLimit = "limit_replaced",
        /// The limits of an import stopped it.
        ImportLimit = "limit_import",
    }
}

impl ManualChange {
    /// The changes that replaced identifying fields.
    pub const REPLACED: [Self; 2] = [Self::Replaced, Self::ImportReplaced];

    /// Returns the kind under which reaching the limit of this count is stored.
    pub const fn limit_on(counted: Counted) -> Self {
        match counted {
            Counted::Anonymised => Self::AnonymisedLimit,
            Counted::Marked => Self::MarkedLimit,
            Counted::Replaced => Self::ReplacedLimit,
        }
    }

    /// Returns the changes that a limit counts.
    pub const fn counted_as(counted: Counted) -> &'static [Self] {
        match counted {
            Counted::Anonymised => &[Self::Anonymised, Self::Removed],
            Counted::Marked => &[Self::Marked],
            Counted::Replaced => &[Self::Replaced],
        }
    }
}
